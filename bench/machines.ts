// The machines that the benches run, with the events of one cycle: a toggle, a traffic light with guard and assign on every event, and an
// application of 34 nodes with nested parallels and guards.

import { assign, createMachine } from 'xstate';
import type { EventObject } from '../core/json.ts';

export const toggle = createMachine({ id: 'toggle', initial: 'off', states: { off: { on: { FLIP: 'on' } }, on: { on: { FLIP: 'off' } } } });
export const toggleEvents: readonly EventObject[] = [{ type: 'FLIP' }];

export const traffic = createMachine({
  types: {} as { context: { cycles: number; limit: number } },
  id: 'traffic',
  context: { cycles: 0, limit: 1e9 },
  initial: 'green',
  states: {
    green: {
      on: {
        TIMER: {
          target: 'yellow',
          guard: ({ context }) => context.cycles < context.limit,
          actions: assign({ cycles: ({ context }) => context.cycles + 1 }),
        },
      },
    },
    yellow: {
      on: {
        TIMER: {
          target: 'red',
          guard: ({ context }) => context.cycles < context.limit,
          actions: assign({ cycles: ({ context }) => context.cycles + 1 }),
        },
      },
    },
    red: {
      on: {
        TIMER: {
          target: 'green',
          guard: ({ context }) => context.cycles < context.limit,
          actions: assign({ cycles: ({ context }) => context.cycles + 1 }),
        },
      },
    },
  },
});
export const trafficEvents: readonly EventObject[] = [{ type: 'TIMER' }];

/** 34 nodes: an editor with four regions, one of them parallel again. */
export const app34 = createMachine({
  types: {} as { context: { isAdmin: boolean; isOnline: boolean } },
  id: 'app',
  context: { isAdmin: true, isOnline: true },
  type: 'parallel',
  states: {
    session: {
      initial: 'anonymous',
      states: {
        anonymous: { on: { LOGIN: 'checking' } },
        checking: { on: { ACCEPT: { target: 'member', guard: ({ context }) => context.isOnline }, REJECT: 'anonymous' } },
        member: {
          initial: 'idle',
          states: { idle: { on: { WORK: 'busy' } }, busy: { on: { REST: 'idle' } } },
          on: { LOGOUT: 'anonymous' },
        },
      },
    },
    network: {
      initial: 'online',
      states: {
        online: { on: { DROP: 'retrying' } },
        retrying: { on: { RETRY: { target: 'online', guard: ({ context }) => context.isOnline }, GIVE_UP: 'offline' } },
        offline: { on: { RETRY: 'online' } },
      },
    },
    editor: {
      type: 'parallel',
      states: {
        bold: { initial: 'off', states: { off: { on: { BOLD: 'on' } }, on: { on: { BOLD: 'off' } } } },
        italic: { initial: 'off', states: { off: { on: { ITALIC: 'on' } }, on: { on: { ITALIC: 'off' } } } },
        list: {
          initial: 'none',
          states: {
            none: { on: { LIST: 'bullets' } },
            bullets: { on: { LIST: 'numbers', NONE: 'none' } },
            numbers: { on: { NONE: 'none' } },
          },
        },
        spelling: { initial: 'off', states: { off: { on: { SPELL: 'on' } }, on: { on: { SPELL: 'off' } } } },
      },
    },
    panel: {
      initial: 'closed',
      states: {
        closed: { on: { OPEN: 'files' } },
        files: { on: { NEXT: 'search' } },
        search: {
          initial: 'empty',
          states: { empty: { on: { TYPE: 'results' } }, results: { on: { TYPE: 'empty' } } },
          on: { NEXT: { target: 'settings', guard: ({ context }) => context.isAdmin } },
        },
        settings: { initial: 'view', states: { view: { on: { EDIT: 'edit' } }, edit: { on: { SAVE: 'view' } } }, on: { CLOSE: 'closed' } },
      },
    },
  },
});
export const app34Events: readonly EventObject[] =
  'LOGIN ACCEPT WORK BOLD OPEN NEXT DROP RETRY ITALIC LIST TYPE NEXT EDIT LIST SAVE REST SPELL NONE CLOSE LOGOUT REJECT'
    .split(' ')
    .map((type) => ({ type }));
