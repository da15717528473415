// Authorizers, views and who hears what of them: real peers and a real relay over links in memory.

import { assign, createMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import type { Policy, ReadQuestion, WriteQuestion } from '../../peer/policy.ts';
import type { Sight } from '../../peer/sight.ts';
import { sightDigest, type Whole } from '../../peer/sighting.ts';
import { LockstepError } from '../../core/errors.ts';
import { MemoryJournal } from '../../peer/memory.ts';
import { Mirror } from '../../peer/mirror.ts';
import { linkPair } from '../../peer/pair.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import { SightReplica } from '../../peer/sight-replica.ts';
import type { Notifications, Traced } from '../../peer/wire.ts';
import type { HubOptions } from '../../relay/hub.ts';
import { PlainSocket, World } from '../support/world.ts';

interface Game {
  readonly public: { readonly board: string };
  readonly hands: Readonly<Record<string, string>>;
  readonly banned: readonly string[];
}

/** A game with a public board, a hand for each player, and a part that nobody but the dealer knows. */
const game = createMachine({
  types: {} as { context: Game; events: { type: 'MOVE'; to: string } | { type: 'DEAL' } | { type: 'BAN'; who: string } | { type: 'HIDE' } },
  id: 'game',
  initial: 'playing',
  context: { public: { board: 'empty' }, hands: { ann: 'ace-of-ann', bob: 'king-of-bob' }, banned: [] },
  states: {
    playing: { tags: 'busy', on: { HIDE: 'secretlyPlanned' } },
    secretlyPlanned: {},
  },
  on: {
    MOVE: { actions: assign({ public: ({ event }) => ({ board: event.to }) }) },
    DEAL: { actions: assign({ hands: ({ context }) => ({ ...context.hands, ann: 'queen-of-ann' }) }) },
    BAN: { actions: assign({ banned: ({ context, event }) => [...context.banned, event.who] }) },
  },
});

const yes = (): unknown => 'yes';
const fail = (): boolean => {
  throw new Error('the author slipped');
};
const peerOf = (authContext: unknown): string => (authContext as { readonly peer: string }).peer;
const contextOf = (instance: Pick<Whole, 'context'>): Game => instance.context as unknown as Game;

export const policy: Policy = {
  allowRead: ({ view, context, authContext }) =>
    !contextOf({ context }).banned.includes(peerOf(authContext)) && (view !== 'dealer' || peerOf(authContext) === 'dealer'),
  allowWrite: (question) => question.type === 'event' && ['ann', 'bob', 'dealer'].includes(peerOf(question.authContext)),
  views: {
    hand: ({ context }, reader) => ({ context: { hand: contextOf({ context }).hands[peerOf(reader)] ?? 'none' } }),
    dealer: 'all',
  },
};

async function gameWorld(own: Policy = policy) {
  const world = new World();
  const server = await world.server({ machines: { game: { definition: game, policy: own } } });
  await world.get(server.create('game', { instance: 'table' }));
  return { world, server };
}

describe('views', () => {
  test('[VIEW-2] who asks for nothing sees where the instance is and what is public, and follows it', async () => {
    const { world, server } = await gameWorld();
    const ann = await world.peer('ann');
    const mirror = await world.get(ann.watch('table'));
    const shown = mirror.getSnapshot();
    expect(shown.toJSON()).toEqual({ value: 'playing', status: 'active', context: { public: { board: 'empty' } } });
    expect([shown.hasTag('busy'), shown.matches('playing' as never), shown.active, mirror.standing]).toEqual([
      true,
      true,
      ['playing'],
      'confirmed',
    ]);

    const own = await world.get(server.watch('table', game));
    own.send({ type: 'MOVE', to: 'e4' });
    own.send({ type: 'DEAL' });
    await world.settle();
    expect(own.getSnapshot().context.hands.ann).toBe('queen-of-ann');
    expect([mirror.getSnapshot().context, mirror.seq]).toEqual([{ public: { board: 'e4' } }, 3]);
  });

  test('[VIEW-2] a view may be made for each reader; equal ones share what is made once', async () => {
    const { world, server } = await gameWorld();
    const [ann, bob] = [await world.peer('ann'), await world.peer('bob')];
    const hands = [
      await world.get(ann.watch('table', undefined, { view: 'hand' })),
      await world.get(bob.watch('table', undefined, { view: 'hand' })),
    ];
    const own = await world.get(server.watch('table', game));
    own.send({ type: 'DEAL' });
    await world.settle();
    expect(hands.map((mirror) => mirror.getSnapshot().toJSON())).toEqual([
      { value: {}, status: 'active', context: { hand: 'queen-of-ann' } },
      { value: {}, status: 'active', context: { hand: 'king-of-bob' } },
    ]);
  });

  test('[VIEW-5] who may write sends from a partial view; the answer says where it stands, and the view shows what it did', async () => {
    const { world } = await gameWorld();
    const [ann, eve] = [await world.peer('ann'), await world.peer('eve')];
    const mirror = await world.get(ann.watch('table'));
    expect(await world.get(mirror.submit({ type: 'MOVE', to: 'd4' }))).toEqual({ outcome: 'stepped', seq: 2 });
    expect(await world.get(mirror.submit({ type: 'DEAL' }))).toEqual({ outcome: 'stepped', seq: 3 });
    expect([mirror.getSnapshot().context, mirror.unconfirmedCount, mirror.seq]).toEqual([{ public: { board: 'd4' } }, 0, 3]);

    const other = await world.get(eve.watch('table'));
    expect(await world.refusal(other.submit({ type: 'MOVE', to: 'h4' }))).toBe('FORBIDDEN');
    await world.settle();
    expect([other.seq, other.getSnapshot().context]).toEqual([3, { public: { board: 'd4' } }]);
  });
});

describe('who may', () => {
  const nobody: readonly [string, Policy][] = [
    ['no functions', { views: {} }],
    ['functions that throw', { allowRead: fail, allowWrite: fail, allowDelete: fail }],
    ['answers that are not true', { allowRead: yes as never, allowWrite: yes as never, allowDelete: yes as never }],
  ];
  test.each(nobody)('[VIEW-1] nobody from outside where the author says nothing: %s', async (_what, own) => {
    const { world, server } = await gameWorld(own);
    const ann = await world.peer('ann');
    expect([
      await world.refusal(ann.watch('table')),
      await world.refusal(ann.get('table')),
      await world.refusal(ann.create('game', { instance: 'other' })),
      await world.refusal(ann.delete('table')),
      (await world.get(ann.list())).instances,
    ]).toEqual(['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', []]);
    const socket = new PlainSocket(world);
    expect(await socket.ask(world, 'send', ['table', 1, { type: 'DEAL' }])).toBe('FORBIDDEN');
    expect(await socket.ask(world, 'can', { instance: 'table', event: { type: 'DEAL' } })).toBe('FORBIDDEN');

    const mirror = await world.get(server.watch('table', game));
    expect([mirror.seq, (await world.get(server.list())).instances.length]).toEqual([1, 1]);
    await world.get(server.delete('table'));
  });

  test('[VIEW-1] a machine that is given again without authorizers keeps those that it had', async () => {
    const { world, server } = await gameWorld();
    server.machines.add('game', { definition: game });
    const eve = await world.peer('eve');
    expect(await world.refusal(eve.watch('table', undefined, { view: 'dealer' }))).toBe('FORBIDDEN');
    const mirror = await world.get(eve.watch('table'));
    expect(mirror.getSnapshot().context).toEqual({ public: { board: 'empty' } });
    expect(await world.refusal(mirror.submit({ type: 'MOVE', to: 'e4' }))).toBe('FORBIDDEN');
  });

  test('[VIEW-1] what only the journal knows is sealed beside guarded machines, and open where there are none', async () => {
    const world = new World();
    const journal = new MemoryJournal();
    const first = await world.server({ journal, machines: { game: { definition: game, policy } } });
    await world.get(first.create('game', { instance: 'table' }));
    const ann = await world.peer('ann');
    const answers: unknown[] = [];
    for (const machines of [{ door: { definition: world.door, policy } }, { door: { definition: world.door } }]) {
      const server = await world.server({ journal, machines });
      answers.push(await world.refusal(ann.get('table')));
      await world.get(server.close());
    }
    expect(answers).toEqual(['FORBIDDEN', 'nothing was refused']);
  });

  test('[VIEW-5] a refused event is no step, and is asked about in the state that it meets', async () => {
    const asked: WriteQuestion[] = [];
    const { world, server } = await gameWorld({
      allowWrite: (question) =>
        asked.push(question) > 0 && question.type === 'event' && contextOf({ context: question.context }).public.board === 'empty',
    });
    const socket = new PlainSocket(world);
    const answers = [
      await socket.ask(world, 'send', ['table', 1, { type: 'MOVE', to: 'e4' }]),
      await socket.ask(world, 'send', ['table', 2, { type: 'MOVE', to: 'e5' }]),
      // Sent again, what was done is answered as it was.
      await socket.ask(world, 'send', ['table', 1, { type: 'MOVE', to: 'e4' }]),
      await socket.ask(world, 'create', { machine: 'game', instance: 'mine', input: { a: 1 } }),
    ];
    expect(answers).toEqual([['stepped', 2], 'FORBIDDEN', ['stepped', 2], 'FORBIDDEN']);
    expect((await world.get(server.get('table'))) as object).toMatchObject({ seq: 2 });
    const authContext = { auth: 'anonymous', peer: expect.any(String) as string };
    expect(asked.at(0)).toMatchObject({
      type: 'event',
      machineInstanceName: 'table',
      event: { type: 'MOVE', to: 'e4' },
      state: 'playing',
      authContext,
    });
    expect(asked.at(-1)).toEqual({ type: 'initialization', machineInstanceName: 'mine', context: { a: 1 }, authContext });
  });
});

describe('revocation', () => {
  test('[VIEW-4] takes effect with the step that brings it; the others go on in a room of another number', async () => {
    const { world, server } = await gameWorld();
    const lines: Record<string, string[]> = { ann: [], bob: [] };
    const [ann, bob] = await Promise.all(['ann', 'bob'].map((name) => world.peer(name, { record: (line) => lines[name]!.push(line) })));
    const [hers, his] = [await world.get(ann!.watch('table')), await world.get(bob!.watch('table'))];
    const ended: unknown[] = [];
    his.subscribe({ error: (error) => ended.push((error as { code: string }).code) });
    const own = await world.get(server.watch('table', game));
    own.send({ type: 'MOVE', to: 'before' });
    own.send({ type: 'BAN', who: 'bob' });
    own.send({ type: 'MOVE', to: 'after' });
    await world.settle();

    expect([ended, his.getSnapshot().context, hers.getSnapshot().context]).toEqual([
      ['FORBIDDEN'],
      { public: { board: 'before' } },
      { public: { board: 'after' } },
    ]);
    const roomsOf = (name: string): string[] => [
      ...new Set(lines[name]!.flatMap((line) => /^< from (#server\/\d+)/.exec(line)?.[1] ?? [])),
    ];
    expect([roomsOf('bob').length, roomsOf('ann').length, roomsOf('ann')[0]]).toEqual([1, 2, roomsOf('bob')[0]]);
    expect(lines['bob']!.join('\n')).not.toContain('after');
    expect(await world.refusal(bob!.watch('table'))).toBe('FORBIDDEN');

    // The room goes on: own events, digests and what comes later.
    expect(await world.get(hers.submit({ type: 'MOVE', to: 'later' }))).toEqual({ outcome: 'stepped', seq: 5 });
    await world.advance(1_000);
    expect([hers.getSnapshot().context, hers.seq, hers.standing]).toEqual([{ public: { board: 'later' } }, 5, 'confirmed']);
  });

  test('[VIEW-4] allowRead is asked once per step for all who are the same to it', async () => {
    const asked: ReadQuestion[] = [];
    const world = new World(1, undefined, { authenticate: ({ token }) => ({ sub: token ?? '' }) });
    const own: Policy = {
      allowRead: (question) => asked.push(question) > 0,
      views: { whole: 'all', mine: (_game, reader) => ({ context: reader }) },
    };
    const server = await world.server({ machines: { game: { definition: game, policy: own } } });
    await world.get(server.create('game', { instance: 'table' }));
    const watchers: readonly (readonly [token: string, view: string])[] = [
      ...(['public', 'public', 'mine', 'mine', 'whole'] as const).map((view) => ['ann', view] as const),
      ['bob', 'public'],
      ['bob', 'mine'],
    ];
    const mirrors = [];
    for (const [index, [token, view]] of watchers.entries())
      mirrors.push(await world.get((await world.peer(`tab${index}`, { token })).watch('table', undefined, { view })));
    const before = asked.length;
    (await world.get(server.watch('table', game))).send({ type: 'DEAL' });
    await world.settle();
    const told = asked.slice(before).map(({ authContext, view }) => `${(authContext as { sub: string }).sub} ${view}`);
    expect(told.sort()).toEqual(['ann mine', 'ann public', 'ann whole', 'bob mine', 'bob public']);
    expect(mirrors.slice(2, 4).map((mirror) => mirror.getSnapshot().context)).toEqual([{ sub: 'ann' }, { sub: 'ann' }]);
    expect(mirrors[6]!.getSnapshot().context).toEqual({ sub: 'bob' });
  });

  test('[VIEW-4] who loses the whole of it loses its trace, and a reader whose view fails is out', async () => {
    let isBroken = false;
    const { world, server } = await gameWorld({
      allowRead: policy.allowRead!,
      views: {
        dealer: 'all',
        fragile: () => {
          if (isBroken) throw new Error('the author slipped');
          return { value: 'fine' };
        },
      },
    });
    const [dealer, ann] = [await world.peer('dealer'), await world.peer('ann')];
    const told: number[] = [];
    const heard = (record: Traced): void => void (record.kind === 'step' && told.push(record.step.seq));
    await world.get(dealer.trace('server', heard, 10));
    const whole = await world.get(dealer.watch('table', game, { view: 'dealer' }));
    const fragile = await world.get(ann.watch('table', undefined, { view: 'fragile' }));
    expect([whole.getSnapshot().context.hands.ann, whole.machine.isRelational, fragile.getSnapshot().value]).toEqual([
      'ace-of-ann',
      false,
      'fine',
    ]);
    const own = await world.get(server.watch('table', game));
    own.send({ type: 'DEAL' });
    await world.settle();
    isBroken = true;
    own.send({ type: 'BAN', who: 'dealer' });
    own.send({ type: 'DEAL' });
    await world.settle();
    expect([told, whole.getSnapshot().context.banned, fragile.getSnapshot().value]).toEqual([[1, 2], [], 'fine']);
    expect([whole, fragile].map(({ standing }) => standing)).toEqual(['offline', 'offline']);
    const late: unknown[] = [];
    await world.get(dealer.trace('server', (record) => late.push(record), 10));
    expect(late).toEqual([]);
    expect(world.reported.some(([, message]) => message.includes('view "fragile" of table fails'))).toBe(true);
  });

  test('[VIEW-4] authorizers that come later are asked of those who are there', async () => {
    const world = new World();
    const server = await world.server({ machines: { game: { definition: game } } });
    await world.get(server.create('game', { instance: 'table' }));
    const [ann, eve] = [await world.peer('ann'), await world.peer('eve')];
    const mirrors = [await world.get(ann.watch('table')), await world.get(eve.watch('table'))];
    expect(mirrors.map((mirror) => (mirror.getSnapshot().context as unknown as Game).hands.ann)).toEqual(['ace-of-ann', 'ace-of-ann']);
    server.machines.add('game', { definition: game, policy: { allowRead: ({ authContext }) => peerOf(authContext) === 'ann' } });
    await world.settle();
    expect(mirrors[0]!.getSnapshot().context).toEqual({ public: { board: 'empty' } });
    expect([mirrors[0]!.standing, mirrors[1]!.standing]).toEqual(['confirmed', 'offline']);
  });
});

describe('who a reader is', () => {
  const mine: Policy = { allowRead: () => true, views: { mine: (_game, reader) => ({ context: reader }) } };
  const meet = async (authenticate: HubOptions['authenticate'], token?: string) => {
    const world = new World(1, undefined, authenticate === undefined ? {} : { authenticate });
    const server = await world.server({ machines: { game: { definition: game, policy: mine } } });
    await world.get(server.create('game', { instance: 'table' }));
    const lines: string[] = [];
    const peer = await world.peer('ann', { ...(token === undefined ? {} : { token }), record: (line) => lines.push(line) });
    return { world, server, peer, lines };
  };
  const contextSeen = async ({ world, peer }: Awaited<ReturnType<typeof meet>>): Promise<unknown> =>
    (await world.get(peer.watch('table', undefined, { view: 'mine' }))).getSnapshot().context;

  test('[VIEW-7] is what authenticate says of its hello, now or later; without it, its peer', async () => {
    expect(await contextSeen(await meet(undefined))).toEqual({ auth: 'anonymous', peer: 'ann' });
    expect(await contextSeen(await meet(() => undefined))).toEqual({ auth: 'anonymous', peer: 'ann' });
    const now = await meet(
      ({ token, peer, name, kind, ...rest }) => ({ token: token ?? '', peer, name, kind, hasSecret: 'secret' in rest || 'key' in rest }),
      'for-ann',
    );
    expect(await contextSeen(now)).toEqual({ token: 'for-ann', peer: 'ann', name: 'ann', kind: 'node', hasSecret: false });
    expect(await contextSeen(await meet(({ token }) => Promise.resolve({ sub: token ?? '' }), 'later'))).toEqual({ sub: 'later' });
  });

  test('[VIEW-7] is told to the server alone', async () => {
    const { world, server, lines } = await meet(({ peer }) => ({ sub: `user of ${peer}` }));
    await world.peer('bob', { record: (line) => lines.push(line) });
    expect(server.peers().map(({ peer, auth }) => [peer, auth])).toEqual([
      ['server', undefined],
      ['ann', { sub: 'user of ann' }],
      ['bob', { sub: 'user of bob' }],
    ]);
    expect(lines.join('\n')).not.toContain('user of');
    // A server that comes back is told again.
    world.network('secret-of-the-server').cut();
    world.network('secret-of-the-server').mend();
    await world.advance(1_000);
    expect(server.peers().filter(({ auth }) => auth !== undefined)).toHaveLength(2);
  });

  test('[VIEW-7] what authenticate throws refuses the peer, with the code that it chose and no other words', async () => {
    const throws = (error: Error) => () => {
      throw error;
    };
    const answers: string[] = [];
    for (const authenticate of [
      throws(new LockstepError('TOO_MANY', 'come back tomorrow')),
      throws(new Error('the key is hunter2')),
      () => Promise.reject(new Error('the key is hunter2')),
    ]) {
      const { lines, peer } = await meet(authenticate);
      answers.push(
        lines.find((line) => line.startsWith('< from'))!,
        String(peer.isConnected),
      );
    }
    expect(answers.filter((line) => line.includes('hunter2'))).toEqual([]);
    expect(answers.map((line) => /"code":"(\w+)"/.exec(line)?.[1] ?? line)).toEqual([
      'TOO_MANY',
      'false',
      'FORBIDDEN',
      'false',
      'FORBIDDEN',
      'false',
    ]);
  });

  test('[VIEW-7] a second hello while the first is judged is refused, and one that is never judged ends with the link', async () => {
    const world = new World(1, undefined, { authenticate: () => new Promise(() => undefined) });
    const [near, far] = linkPair(world.environment);
    const heard: unknown[] = [];
    near.open({ frame: (frame) => heard.push(/"code":"\w+"/.exec(String(frame))?.[0]), closed: (code) => heard.push(code) });
    world.hub.attach(far);
    const hello = { versions: [1], encodings: ['json'], secret: 's', name: '', kind: 'node', hosts: true, eval: false, presence: true };
    for (const id of [1, 2]) near.send(`\n${JSON.stringify({ jsonrpc: '2.0', id, method: 'hello', params: hello })}`);
    await world.advance(11_000);
    expect(heard).toEqual(['"code":"BAD_REQUEST"', 4000]);
    expect(world.hub.peers()).toEqual([]);
  });
});

describe('mirrors of partial views', () => {
  test('[VIEW-8] a cut link is resumed with what is seen now, and with nothing when that is the same', async () => {
    const { world, server } = await gameWorld();
    const lines: string[] = [];
    const ann = await world.peer('ann', { record: (line) => lines.push(line) });
    const mirror = await world.get(ann.watch('table'));
    const own = await world.get(server.watch('table', game));
    const network = world.network('ann');
    const answers: unknown[] = [];
    for (const event of [{ type: 'DEAL' } as const, { type: 'MOVE', to: 'e4' } as const]) {
      network.cut();
      await world.advance(10);
      expect(mirror.standing).toBe('offline');
      mirror.send({ type: 'MOVE', to: `while away from ${mirror.seq}` });
      own.send(event);
      network.mend();
      await world.advance(20_000);
      const answer = lines.findLast((line) => line.includes('"seen":{'));
      answers.push([
        /"seen":\{"seq":\d+(,"(sight|patch)")?/.exec(answer ?? '')?.[0],
        mirror.getSnapshot().context,
        mirror.seq === own.seq,
        mirror.unconfirmedCount,
      ]);
    }
    expect(answers).toEqual([
      ['"seen":{"seq":2', { public: { board: 'while away from 1' } }, true, 0],
      ['"seen":{"seq":4,"patch"', { public: { board: 'while away from 3' } }, true, 0],
    ]);
  });

  test('[VIEW-8] a digest that is another sends for what is seen; a gap too; what came twice is nothing', () => {
    const hash = (text: string): bigint => BigInt(text.length);
    const sight: Sight = { status: 'active', value: 'a', tags: [], context: { n: 1 } };
    const replica = new SightReplica(hash, { seq: 4, sight });
    expect(() => replica.apply(5, 6, [])).toThrow(/have 4/);
    expect(() => replica.apply(4, 5, [{ op: 'replace', path: '/value', value: 3 }])).toThrow(/state value/);
    expect(() => replica.apply(4, 5, [{ op: 'remove', path: '/nothing' }])).toThrow();
    expect([replica.seq, replica.snapshot().value]).toEqual([4, 'a']);
    const before = replica.snapshot();
    replica.apply(4, 6, []);
    expect([replica.seq, replica.snapshot() === before]).toEqual([6, true]);
    replica.apply(3, 7, [{ op: 'replace', path: '/value', value: { b: { c: 'd' } } }]);
    replica.apply(3, 7, [{ op: 'replace', path: '/value', value: 'e' }]);
    expect([replica.snapshot().active, replica.snapshot().matches('b.c.d'), replica.digest()]).toEqual([
      ['b', 'b.c', 'b.c.d'],
      true,
      sightDigest(hash, { ...sight, value: { b: { c: 'd' } } }),
    ]);
  });

  test('[VIEW-8] a lost notice is noticed when the room falls quiet, and a sight that went astray is fetched', async () => {
    const { world, server } = await gameWorld();
    const ann = await world.peer('ann');
    const mirror = await world.get(ann.watch('table'));
    const own = await world.get(server.watch('table', game));
    const seen = Reflect.get(Mirror.prototype, 'seen') as (notice: Notifications['seen']) => void;
    const lose = (change: (notice: Notifications['seen']) => Notifications['seen'] | undefined): void => {
      Object.assign(mirror, {
        seen: (notice: Notifications['seen']) => {
          Reflect.deleteProperty(mirror, 'seen');
          const changed = change(notice);
          if (changed !== undefined) seen.call(mirror, changed);
        },
      });
    };
    lose(() => undefined);
    own.send({ type: 'MOVE', to: 'lost' });
    await world.advance(300);
    expect([mirror.getSnapshot().context, mirror.seq]).toEqual([{ public: { board: 'lost' } }, 2]);
    lose(([room, base, seq]) => [room, base, seq, [{ op: 'replace', path: '/context/public/board', value: 'astray' }]]);
    own.send({ type: 'MOVE', to: 'right' });
    await world.settle();
    expect(mirror.getSnapshot().context).toEqual({ public: { board: 'astray' } });
    await world.advance(300);
    expect([mirror.getSnapshot().context, mirror.seq]).toEqual([{ public: { board: 'right' } }, 3]);
  });

  test('[VIEW-8] says UNSUPPORTED where it would need the image, and asks the authority what an event would do', async () => {
    const { world } = await gameWorld();
    const ann = await world.peer('ann');
    const mirror = await world.get(ann.watch('table'));
    const codeOf = (ask: () => unknown): string => {
      try {
        return String(ask());
      } catch (error) {
        return (error as LockstepError).code;
      }
    };
    expect([
      codeOf(() => mirror.tick('playing')),
      codeOf(() => mirror.clocks),
      codeOf(() => mirror.machine),
      codeOf(() => mirror.getSnapshot().can({ type: 'DEAL' })),
      codeOf(() => new RelationalMirror(mirror)),
    ]).toEqual(Array(5).fill('UNSUPPORTED'));
    expect([await world.get(mirror.can({ type: 'DEAL' })), await world.refusal(mirror.can({ type: 'DEAL' }))]).toEqual([
      true,
      'nothing was refused',
    ]);
    expect(await world.refusal(ann.watch('table', undefined, { view: 'hand' }))).toBe('BAD_PARAMS');
  });

  test('[VIEW-9] what is not for everyone is not passed on, by a mirror that may see all of it neither', async () => {
    const { world, server } = await gameWorld();
    const [dealer, ann] = [await world.peer('dealer'), await world.peer('ann')];
    const whole = await world.get(dealer.watch('table', game, { view: 'dealer' }));
    const part = await world.get(ann.watch('table'));
    expect([await world.refusal(dealer.offer(whole)), await world.refusal(ann.offer(part))]).toEqual(['FORBIDDEN', 'FORBIDDEN']);
    expect([whole.isGuarded, part.isGuarded]).toEqual([true, true]);

    // One that was for everyone when it was offered ends when it is not any more.
    server.machines.add('open', { definition: game });
    await world.get(server.create('open', { instance: 'other' }));
    const passed = await world.get(dealer.watch('other', game));
    await world.get(dealer.offer(passed));
    const behind = await world.get(ann.watch('other', game, { sources: ['dealer'] }));
    expect([behind.seq, passed.isGuarded]).toEqual([1, false]);
    server.machines.add('open', { definition: game, policy });
    await world.advance(1_000);
    expect([passed.isGuarded, behind.isGuarded, behind.getSnapshot().context]).toEqual([true, true, { public: { board: 'empty' } }]);
    expect(await world.refusal(dealer.offer(passed))).toBe('FORBIDDEN');
  });

  test('[VIEW-2] machines without authorizers show their public part to who asks for it, and no other view', async () => {
    const world = new World();
    const server = await world.server({ machines: { game: { definition: game } } });
    await world.get(server.create('game', { instance: 'table' }));
    const ann = await world.peer('ann');
    const mirror = await world.get(ann.watch('table', undefined, { view: 'public' }));
    expect(await world.get(mirror.submit({ type: 'MOVE', to: 'e4' }))).toEqual({ outcome: 'stepped', seq: 2 });
    expect(mirror.getSnapshot().context).toEqual({ public: { board: 'e4' } });
    expect(await world.refusal(ann.get('table', 'hand'))).toBe('FORBIDDEN');
  });

  test.each([
    ['no object', 'text'],
    ['a field that is none', { value: 'a', secret: 1 }],
    ['a value that is no state value', { value: ['a'] }],
    ['tags that are no texts', { tags: [1] }],
    ['an error that is no text', { error: {} }],
    ['something that is not JSON', { context: { f: () => 1 } }],
  ])('[VIEW-2] a view that returns %s shows nothing', async (_what, shown) => {
    const { world } = await gameWorld({ allowRead: () => true, views: { public: () => shown as never } });
    const ann = await world.peer('ann');
    expect([await world.refusal(ann.watch('table')), (await world.get(ann.list())).instances]).toEqual(['FORBIDDEN', []]);
  });
});
