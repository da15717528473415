// lockstep/xstate: an XState 5 machine whose transitions run in the core. See docs/xstate.md.

export { localActors, xstateActors, type ActorEnvironment } from '../actors.ts';
export { lockstep } from './logic.ts';
