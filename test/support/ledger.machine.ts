// A ledger for tests: every entry that was ever added, in order, so that one that is lost or doubled can be seen.

import { assign, setup } from 'xstate';

export interface LedgerContext {
  readonly entries: readonly string[];
}

export const ledger = setup({
  types: {} as { context: LedgerContext; events: { type: 'add'; id: string } | { type: 'close' } },
}).createMachine({
  id: 'ledger',
  initial: 'open',
  context: { entries: [] },
  states: {
    open: {
      on: { add: { actions: assign({ entries: ({ context, event }) => [...context.entries, event.id] }) }, close: 'closed' },
    },
    closed: {},
  },
});

export default ledger;
