// Secrets are planted wherever an instance can hold something, and a reader with a partial view asks for everything that there is to ask for.
// Whatever it is sent, byte by byte, has none of them; a reader who may see everything is sent them all, so the search can find them.

import { assign, createMachine, sendTo, setup } from 'xstate';
import { expect, test } from 'vitest';
import { xstateActors } from '../../compiler/actors.ts';
import * as packed from '../../peer/codec-packed.ts';
import type { Peer } from '../../peer/peer.ts';
import type { Policy } from '../../peer/policy.ts';
import type { Json } from '../../core/json.ts';
import { Capture } from '../support/capture.ts';
import { HeldJournal, PlainSocket, World } from '../support/world.ts';
import { MemoryJournal } from '../../peer/memory.ts';

const SECRETS = {
  contextValue: 'zqContextValue',
  contextKey: 'zqContextKey',
  stateKey: 'zqStateKey',
  tag: 'zqTag',
  eventType: 'ZQEVENTTYPE',
  eventPayload: 'zqEventPayload',
  action: 'zqActionName',
  guard: 'zqGuardName',
  delayed: 'zqDelayedId',
  child: 'zqChildId',
  childState: 'zqChildState',
  childContext: 'zqChildContext',
  input: 'zqInputText',
  output: 'zqOutputText',
  peer: 'zqWriterPeer',
} as const;
/** What is thrown, and only its sender may be told. */
const THROWN = 'zqThrownText';

const kid = createMachine({
  types: {} as { context: { note: string } },
  id: 'kid',
  initial: SECRETS.childState,
  context: { note: SECRETS.childContext },
  states: { [SECRETS.childState]: { on: { PING: { actions: assign({ note: `${SECRETS.childContext} again` }) } } } },
});

const vault = setup({
  types: {} as { context: Record<string, Json>; events: { type: string; payload?: string; to?: string } },
  actors: { kid },
  guards: { [SECRETS.guard]: () => true },
  actions: { [SECRETS.action]: () => undefined },
}).createMachine({
  id: 'vault',
  initial: 'open',
  context: ({ input }) => ({ public: { board: 'empty' }, [SECRETS.contextKey]: SECRETS.contextValue, given: (input as Json) ?? null }),
  output: { result: SECRETS.output },
  states: {
    open: {
      on: {
        [SECRETS.eventType]: {
          target: SECRETS.stateKey,
          guard: SECRETS.guard,
          actions: [SECRETS.action, assign({ last: ({ event }) => event.payload ?? null })],
        },
      },
    },
    [SECRETS.stateKey]: {
      tags: SECRETS.tag,
      after: { 60_000: 'open' },
      invoke: { src: 'kid', id: SECRETS.child },
      entry: sendTo(SECRETS.child, { type: 'PING' }, { delay: 50_000, id: SECRETS.delayed }),
    },
    over: { type: 'final' },
  },
  on: {
    MOVE: { actions: assign({ public: ({ event }) => ({ board: event.to ?? '' }) }) },
    BREAK: {
      actions: assign(() => {
        throw new Error(THROWN);
      }),
    },
    END: '.over',
  },
});

const isDealer = (authContext: Json): boolean => (authContext as { readonly peer: string }).peer === SECRETS.peer;
const policy: Policy = {
  allowRead: ({ view, authContext }) => view === 'public' || isDealer(authContext),
  allowWrite: (question) =>
    isDealer(question.authContext) || (question.type === 'event' && ['MOVE', 'BREAK'].includes(question.event.type)),
  views: {
    public: ({ context, status }) => ({ value: status, context: { public: (context as { readonly public: Json }).public } }),
    full: 'all',
  },
};

const kidPolicy: Policy = { allowRead: ({ authContext }) => isDealer(authContext), views: { full: 'all' } };

/** Everything that can be asked; what is refused is refused. */
async function pry(world: World, peer: Peer, image: string): Promise<string[]> {
  const say = (outcome: Promise<unknown>): Promise<string> => world.refusal(outcome);
  return [
    await say(peer.list()),
    await say(peer.list({ machine: 'vault:kid' })),
    await say(peer.get('safe')),
    await say(peer.get('safe', 'full')),
    await say(peer.get('safe', 'all')),
    await say(peer.get(`safe:${SECRETS.child.slice(0, 2)}`)),
    await say(peer.watch('safe', undefined, { view: 'full' })),
    await say(peer.create('nothing')),
    await say(peer.create('vault', { instance: 'other', input: 1 })),
    await say(peer.create('vault', { instance: 'safe' })),
    await say(peer.define('vault', { definition: { initial: 'a', states: { a: {} } } })),
    await say(peer.delete('safe')),
    await say(peer.evaluate('server', 'everything')),
    ...(await plainly(world, image)),
  ];
}

/** The same by hand, without headers: what only such a client would say. */
async function plainly(world: World, image: string): Promise<string[]> {
  const socket = new PlainSocket(world);
  const answers = [
    await socket.ask(world, 'get', { image }),
    await socket.ask(world, 'can', { instance: 'safe', event: { type: 'FLY' } }),
    await socket.ask(world, 'can', { instance: 'safe', event: { type: 'BREAK' } }),
    await socket.ask(world, 'send', ['safe', 1, { type: 'FLY' }]),
    await socket.ask(world, 'send', ['safe', 2, { type: 'BREAK' }]),
    await socket.ask(world, 'send', ['safe', 3, { type: 'MOVE', to: 'd4' }, { seq: 99 }]),
    await socket.ask(world, 'send', ['safe', 4, { type: 'MOVE', to: 'd4' }, { state: 'open' }]),
    await socket.ask(world, 'trace', { on: true, backlog: 1_000 }),
    await socket.ask(world, 'watch', { instance: 'safe' }),
    await socket.ask(world, 'send', ['safe', 5, { type: 'MOVE', to: 'd4' }, { state: 'open' }]),
    await socket.ask(world, 'send', ['safe', 6, { type: 'MOVE', to: 'd5' }, { state: 'active' }]),
  ];
  heardByHand.push(...socket.heard.map((message) => JSON.stringify(message)));
  return answers.map((answer) => JSON.stringify(answer));
}
/** What `pry` is answered. */
const OK = 'nothing was refused';
const REFUSED = [
  ...[OK, OK, OK, 'FORBIDDEN', 'FORBIDDEN', 'UNKNOWN_INSTANCE', 'FORBIDDEN', 'UNKNOWN_MACHINE'],
  ...['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN'],
  ...['UNKNOWN_IMAGE', 'FORBIDDEN', 'true', 'FORBIDDEN', 'HOST_THREW', 'EXPECTATION', 'FORBIDDEN'],
  ...['an answer', 'an answer', 'EXPECTATION', '["stepped",2]'],
];
/** The second time it has a mirror already, under another view. */
const WATCHED = 6;
let heardByHand: string[] = [];

test.each(['json', 'packed'] as const)(
  '[VIEW-3] [VIEW-6] [VIEW-9] nothing planted reaches a reader of a partial view, in %s',
  async (encoding) => {
    heardByHand = [];
    const world = new World();
    const journal = new HeldJournal(new MemoryJournal());
    const server = await world.server({
      journal,
      machines: { vault: { definition: vault, policy }, 'vault:kid': { definition: kid, policy: kidPolicy } },
      acceptsDefinitions: true,
      evaluate: () => SECRETS.contextValue,
      packed: () => packed,
      actors: xstateActors({ timer: (delayMs, callback) => world.environment.timer(delayMs, callback) }),
      emitted: () => undefined,
    });
    const image = server.machines.get('vault').hash;
    const [eyes, all] = [new Capture(world), new Capture(world)];
    const speaks = encoding === 'packed' ? { packed: () => packed } : {};
    // Who is here is told to those who ask; it is no instance's.
    const eve = await world.peer('eve', { dial: eyes.dial, presence: false, ...speaks });
    const dealer = await world.peer(SECRETS.peer, { dial: all.dial, presence: false, ...speaks });
    await world.get(dealer.create('vault', { instance: 'safe', input: SECRETS.input }));
    await world.get(dealer.trace('server', () => undefined, 100));
    await world.get(eve.trace('server', () => undefined, 100));
    const refused = await pry(world, eve, image);

    const seen = await world.get(eve.watch('safe'));
    const whole = await world.get(dealer.watch('safe', vault, { view: 'full' }));
    for (let round = 0; round < 24; round++) {
      whole.send({ type: SECRETS.eventType, payload: `${SECRETS.eventPayload}${round}` });
      whole.send({ type: 'MOVE', to: `e${round}` });
      await world.settle();
      if (round === 5) eyes.cut();
      await world.advance(round === 9 ? 70_000 : 400);
      if (round === 12) expect(await world.refusal(whole.submit({ type: 'BREAK' }))).toBe('HOST_THREW');
      if (round === 14) expect(await world.refusal(seen.submit({ type: 'BREAK' }))).toBe('HOST_THREW');
      if (round === 15) expect(await world.refusal(seen.submit({ type: 'END' }))).toBe('FORBIDDEN');
      if (round === 16) expect(await world.refusal(seen.submit({ type: 'MOVE', to: 'a1' }, { state: 'open' }))).toBe('EXPECTATION');
      if (round === 17)
        expect(await world.get(seen.submit({ type: 'MOVE', to: 'a1' }, { state: 'active' }))).toMatchObject({ outcome: 'stepped' });
      if (round === 20) {
        journal.isHolding = true;
        whole.send({ type: 'MOVE', to: 'lost' });
        await world.settle();
        journal.failHeld();
        await world.advance(2_000);
      }
    }
    refused.push(...(await pry(world, eve, image)));
    expect(server.machines.list().map(({ machine }) => machine)).toContain('vault:kid');
    await world.get(dealer.get(`safe:${SECRETS.child}`, 'full'));
    whole.send({ type: 'END' });
    await world.advance(1_000);

    expect([seen.getSnapshot().toJSON(), seen.seq]).toEqual([
      { value: 'done', status: 'done', context: { public: { board: 'd5' } } },
      whole.seq,
    ]);
    expect(refused.map((each) => each.replace(/^"|"$/g, '')).map((each) => (each.includes(':') ? 'an answer' : each))).toEqual([
      ...REFUSED,
      ...REFUSED.map((each, index) => (index === WATCHED ? 'BAD_PARAMS' : each)).with(-1, '["stepped",54]'),
    ]);
    const secrets = [...Object.values(SECRETS), THROWN];
    expect(eyes.found([...secrets, image])).toEqual([]);
    expect(secrets.filter((secret) => heardByHand.some((line) => line.includes(secret)))).toEqual([]);
    expect(all.found(secrets)).toEqual(secrets);
  },
);
