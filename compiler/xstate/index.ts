// lockstep/xstate: an XState 5 machine whose transitions run in the core. See docs/xstate.md.

export { lockstep } from './logic.ts';
