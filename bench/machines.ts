// The charts that the benches run, with the events of one round, and the first three as XState machines: a toggle, a traffic light with guard
// and assign on every event, an application of 34 nodes with nested parallels and guards, a ring of a thousand states, and a tree of 1,111.

import { assign, createMachine, type AnyStateMachine } from 'xstate';
import type { EventObject } from '../core/json.ts';
import { branch, isParallel, targetPath, type Branch, type Chart, type Context, type Subject } from './neutral.ts';

const events = (types: string): readonly EventObject[] => types.split(' ').map((type) => ({ type }));

const flip: Chart = { initial: 'off', states: { off: { on: { FLIP: 'on' } }, on: { on: { FLIP: 'off' } } } };

export const TOGGLE: Subject = { id: 'toggle', context: {}, chart: flip, events: events('FLIP') };

const turn = (target: string): Chart => ({
  on: {
    TIMER: {
      target,
      guard: (context) => (context['cycles'] as number) < (context['limit'] as number),
      assign: (context) => ({ cycles: (context['cycles'] as number) + 1 }),
    },
  },
});

export const TRAFFIC: Subject = {
  id: 'traffic',
  context: { cycles: 0, limit: 1e9 },
  chart: { initial: 'green', states: { green: turn('yellow'), yellow: turn('red'), red: turn('green') } },
  events: events('TIMER'),
};

const pair = (one: string, other: string, there: string, back: string): Chart => ({
  initial: one,
  states: { [one]: { on: { [there]: other } }, [other]: { on: { [back]: one } } },
});
const isOnline = (context: Context): boolean => context['isOnline'] as boolean;
const isAdmin = (context: Context): boolean => context['isAdmin'] as boolean;

/** 34 nodes: an editor with four regions, one of them parallel again. */
export const APP34: Subject = {
  id: 'app',
  context: { isAdmin: true, isOnline: true },
  chart: {
    states: {
      session: {
        initial: 'anonymous',
        states: {
          anonymous: { on: { LOGIN: 'checking' } },
          checking: { on: { ACCEPT: { target: 'member', guard: isOnline }, REJECT: 'anonymous' } },
          member: { ...pair('idle', 'busy', 'WORK', 'REST'), on: { LOGOUT: 'anonymous' } },
        },
      },
      network: {
        initial: 'online',
        states: {
          online: { on: { DROP: 'retrying' } },
          retrying: { on: { RETRY: { target: 'online', guard: isOnline }, GIVE_UP: 'offline' } },
          offline: { on: { RETRY: 'online' } },
        },
      },
      editor: {
        states: {
          bold: pair('off', 'on', 'BOLD', 'BOLD'),
          italic: pair('off', 'on', 'ITALIC', 'ITALIC'),
          list: {
            initial: 'none',
            states: {
              none: { on: { LIST: 'bullets' } },
              bullets: { on: { LIST: 'numbers', NONE: 'none' } },
              numbers: { on: { NONE: 'none' } },
            },
          },
          spelling: pair('off', 'on', 'SPELL', 'SPELL'),
        },
      },
      panel: {
        initial: 'closed',
        states: {
          closed: { on: { OPEN: 'files' } },
          files: { on: { NEXT: 'search' } },
          search: { ...pair('empty', 'results', 'TYPE', 'TYPE'), on: { NEXT: { target: 'settings', guard: isAdmin } } },
          settings: { ...pair('view', 'edit', 'EDIT', 'SAVE'), on: { CLOSE: 'closed' } },
        },
      },
    },
  },
  events: events('LOGIN ACCEPT WORK BOLD OPEN NEXT DROP RETRY ITALIC LIST TYPE NEXT EDIT LIST SAVE REST SPELL NONE CLOSE LOGOUT REJECT'),
};

const RING = 1000;
export const FLAT1000: Subject = {
  id: 'flat',
  context: {},
  chart: {
    initial: 's0',
    states: Object.fromEntries(Array.from({ length: RING }, (_, i) => [`s${i}`, { on: { NEXT: `s${(i + 1) % RING}` } }])),
  },
  events: events('NEXT'),
};

const TEN = Array.from({ length: 10 }, (_, i) => i);
const leafPath = (leaf: number): string => `a${Math.floor(leaf / 100)}.b${Math.floor(leaf / 10) % 10}.c${leaf % 10}`;
const tenfold = (letter: string, make: (i: number) => Chart): Chart => ({
  initial: `${letter}0`,
  states: Object.fromEntries(TEN.map((i) => [`${letter}${i}`, make(i)])),
});

/** Every leaf leads to one far away, and all are visited in turn. */
export const TREE1111: Subject = {
  id: 'tree',
  context: {},
  chart: tenfold('a', (a) =>
    tenfold('b', (b) => tenfold('c', (c) => ({ on: { GO: `#${leafPath((a * 100 + b * 10 + c + 337) % 1000)}` } }))),
  ),
  events: events('GO'),
};

/** As an XState 5 machine. */
export function xstateMachine({ id, context, chart }: Subject): AnyStateMachine {
  const transition = ({ target, guard, assign: change }: Branch, path: readonly string[]): object => ({
    target: target.startsWith('#') ? `#${id}.${targetPath(path, target)}` : target,
    ...(guard === undefined ? {} : { guard: ({ context: seen }: { context: Context }) => guard(seen) }),
    ...(change === undefined ? {} : { actions: assign(({ context: seen }) => change(seen as Context)) }),
  });
  const node = (from: Chart, path: readonly string[]): object => ({
    ...(isParallel(from) ? { type: 'parallel' } : from.initial === undefined ? {} : { initial: from.initial }),
    ...(from.states === undefined
      ? {}
      : { states: Object.fromEntries(Object.entries(from.states).map(([key, child]) => [key, node(child, [...path, key])])) }),
    ...(from.on === undefined
      ? {}
      : { on: Object.fromEntries(Object.entries(from.on).map(([type, to]) => [type, transition(branch(to), path)])) }),
  });
  return createMachine({ id, context, ...node(chart, []) });
}

export const toggle = xstateMachine(TOGGLE);
export const traffic = xstateMachine(TRAFFIC);
export const app34 = xstateMachine(APP34);
