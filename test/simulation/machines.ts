// The machines of the simulation: a desk with guards, assigns, an `after` and a delayed event; a lamp that is
// lowered; a family
// whose parent invokes a child machine. Each taken step of the first and the last counts itself, so that an effect says which step it was of.

import { assign, raise, sendParent, sendTo, setup } from 'xstate';
import { callable } from '../../compiler/expression/callable.ts';
import { parseExpression } from '../../compiler/expression/language.ts';
import { compileMachine } from '../../compiler/index.ts';
import type { AuthContext, Policy } from '../../peer/policy.ts';
import { gateOf, panel } from './relations.ts';

/** Hears every effect that runs anywhere in the run under way. */
let heard: (process: string, instance: string, what: number | string) => void = () => undefined;

export function hearEffects(listener: typeof heard): void {
  heard = listener;
}

interface Sent {
  readonly type: string;
  readonly id?: string;
  readonly name?: string;
}

interface EchoEvent {
  readonly type: string;
  readonly id?: string;
  /** Whose echo it is. */
  readonly of?: string;
}

const idOf = (event: unknown): string => (event as Sent).id ?? '';

export const desk = setup({
  types: {} as { context: { count: number; names: string[]; isWaiting: boolean; pongs: number } },
  guards: {
    isNamed: ({ event }) => (event as Sent).name !== '',
    isIdle: ({ context }) => !context.isWaiting,
  },
  actions: {
    count: assign({ count: ({ context }) => context.count + 1 }),
    name: assign({ names: ({ context, event }) => [...context.names, idOf(event)] }),
    ring: ({ context, self }) => heard('', self.id, context.count),
  },
}).createMachine({
  id: 'desk',
  initial: 'closed',
  context: { count: 0, names: [], isWaiting: false, pongs: 0 },
  states: {
    closed: { on: { OPEN: { target: 'open', actions: ['count', 'ring'] } } },
    open: {
      on: { CLOSE: { target: 'closed', actions: 'count' } },
      after: { 3000: { target: 'closed', actions: ['count', 'ring'] } },
    },
  },
  on: {
    NAME: { guard: 'isNamed', actions: ['count', 'name', 'ring'] },
    PING: { guard: 'isIdle', actions: ['count', assign({ isWaiting: true }), raise({ type: 'PONG' }, { delay: 700 })] },
    PONG: { actions: ['count', assign({ isWaiting: false, pongs: ({ context }) => context.pongs + 1 }), 'ring'] },
  },
});

/** All of it is in its image: it is told by its events, and every mirror runs it. */
export const lamp = setup({
  types: {} as { context: { toggles: number; last: string } },
  actions: {
    note: assign({
      toggles: ({ context }) => context.toggles + 1,
      last: ({ event }) => (event as Sent).id ?? '',
    }),
  },
}).createMachine({
  id: 'lamp',
  initial: 'off',
  context: { toggles: 0, last: '' },
  states: { off: { on: { TOGGLE: { target: 'on', actions: 'note' } } }, on: { on: { TOGGLE: { target: 'off', actions: 'note' } } } },
});

/** Told by its events, too, and by the moment of each that matters: what it reads is the authority's clock. */
export const meter = setup({
  types: {} as { context: { readings: number; last: number; ids: string[] } },
}).createMachine({
  id: 'meter',
  initial: 'still',
  context: { readings: 0, last: 0, ids: [] },
  states: {
    still: { on: { START: 'running' } },
    running: { after: { 900: 'still' } },
  },
  on: {
    READ: {
      actions: assign({
        readings: ({ context }) => context.readings + 1,
        last: callable(parseExpression('now()')) as never,
        ids: ({ context, event }) => [...context.ids, (event as Sent).id ?? ''],
      }),
    },
  },
});

/** What answers: at once, or a while later. */
type Answering = (act: () => void) => void;

const atOnce: Answering = (act) => act();

/** What it is told comes back from an effect, from each once. */
const cliffOf = (process: string, later: Answering): object => {
  const answering =
    (when: Answering) =>
    ({ self, event }: { readonly self: { readonly id: string; send(event: EchoEvent): void }; readonly event: EchoEvent }): void => {
      heard(process, self.id, idOf(event));
      when(() => self.send({ type: 'ECHO', of: idOf(event) }));
    };
  return setup({
    types: {} as { context: { called: string[]; heard: string[] }; events: EchoEvent },
    actions: {
      note: assign({ called: ({ context, event }) => [...context.called, idOf(event)] }),
      answer: answering(atOnce),
      answerLater: answering(later),
    },
  }).createMachine({
    id: 'cliff',
    initial: 'calm',
    context: { called: [], heard: [] },
    states: { calm: {} },
    on: {
      CALL: { actions: ['note', 'answer'] },
      WHISPER: { actions: ['note', 'answerLater'] },
      ECHO: { actions: assign({ heard: ({ context, event }) => [...context.heard, event.of ?? ''] }) },
    },
  });
};

const kid = setup({ types: {} as { context: { names: string[] } } }).createMachine({
  id: 'kid',
  context: { names: [] },
  on: {
    WORK: { actions: [assign({ names: ({ context, event }) => [...context.names, idOf(event)] }), sendParent({ type: 'HEARD' })] },
  },
});

export const family = setup({
  types: {} as { context: { sent: number; heard: number } },
  actors: { kid },
}).createMachine({
  id: 'family',
  initial: 'idle',
  context: { sent: 0, heard: 0 },
  states: {
    idle: { on: { START: 'busy' } },
    busy: {
      invoke: { id: 'kid', src: 'kid', onError: 'idle' },
      on: {
        STOP: 'idle',
        TASK: {
          actions: [assign({ sent: ({ context }) => context.sent + 1 }), sendTo('kid', ({ event }) => ({ type: 'WORK', id: idOf(event) }))],
        },
      },
    },
  },
  on: { HEARD: { actions: assign({ heard: ({ context }) => context.heard + 1 }) } },
});

/** A type and no interface, because it is plain JSON. */
type VaultContext = {
  readonly public: { readonly names: readonly string[] };
  /** By who hid it. */
  readonly hidden: Readonly<Record<string, readonly string[]>>;
  readonly isBanning: boolean;
};

/** Some of it is for everyone, some for whoever put it there, and where it is is for nobody; one reader may be banned. */
export const vault = setup({
  types: {} as { context: VaultContext },
  actions: {
    show: assign({ public: ({ context, event }) => ({ names: [...context.public.names, `shown-${idOf(event)}`] }) }),
    hide: assign({
      hidden: ({ context, event }) => {
        const name = nameOf(idOf(event));
        return { ...context.hidden, [name]: [...(context.hidden[name] ?? []), `hidden-${idOf(event)}`] };
      },
    }),
    ban: assign({ isBanning: true }),
    pardon: assign({ isBanning: false }),
  },
}).createMachine({
  id: 'vault',
  initial: 'open',
  context: { public: { names: [] }, hidden: {}, isBanning: false },
  states: { open: {}, plotting: {} },
  on: {
    SHOW: { target: '.open', actions: 'show' },
    HIDE: { target: '.plotting', actions: 'hide' },
    BAN: { actions: 'ban' },
    PARDON: { actions: 'pardon' },
  },
});

/** Of whoever sent it. */
const nameOf = (id: string): string => /^[a-z]*/.exec(id)![0];
const peerOf = (authContext: AuthContext): string => (authContext as { readonly peer: string }).peer;
const vaultOf = (context: unknown): VaultContext => context as VaultContext;

/** Who may be banned, and who may never write. */
const BANNED = 'carol';
const MUTE = 'bob';

const vaultPolicy: Policy = {
  allowRead: ({ view, context, authContext }) =>
    (view !== 'whole' || peerOf(authContext) === 'dora') && !(vaultOf(context).isBanning && peerOf(authContext) === BANNED),
  allowWrite: ({ type, authContext }) => type === 'event' && peerOf(authContext) !== MUTE,
  views: {
    whole: 'all',
    mine: ({ context }, reader) => ({
      context: { public: vaultOf(context).public, mine: vaultOf(context).hidden[peerOf(reader)] ?? [] },
    }),
    shown: ({ context }) => ({ context: vaultOf(context).public }),
  },
};

export const POLICIES: Readonly<Partial<Record<MachineName, Policy>>> = { vault: vaultPolicy };
export const MACHINES = { desk, lamp, family, vault, meter, gate: gateOf(() => undefined), panel, cliff: cliffOf('', atOnce) } as const;
export type MachineName = keyof typeof MACHINES;

/** The same machines, whose effects say in which process they run. @param later acts after a while, if the process is still alive. */
export function machinesOf(
  process: string,
  later: Answering,
): Readonly<Record<MachineName, { readonly definition: unknown; readonly image: Uint8Array }>> {
  const rung = desk.provide({ actions: { ring: ({ context, self }) => heard(process, self.id, context.count) } });
  const gate = gateOf((id) => heard(process, 'gate', id));
  const cliff = cliffOf(process, later);
  const named = (name: MachineName): { readonly definition: unknown; readonly image: Uint8Array } => ({
    definition: { ...MACHINES, desk: rung, gate, cliff }[name],
    image: compiled(MACHINES[name]),
  });
  return {
    desk: named('desk'),
    lamp: named('lamp'),
    family: named('family'),
    vault: named('vault'),
    meter: named('meter'),
    gate: named('gate'),
    panel: named('panel'),
    cliff: named('cliff'),
  };
}

const images = new Map<unknown, Uint8Array>();

/** Each definition is compiled once for all runs. */
export function compiled(definition: unknown): Uint8Array {
  let image = images.get(definition);
  if (image === undefined)
    images.set(definition, (image = compileMachine(definition, { lower: definition === lamp || definition === meter }).bytes));
  return image;
}
