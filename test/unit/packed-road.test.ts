// Whole peers that speak packed, beside others that speak json: the same worlds, in binary frames.

import { describe, expect, test } from 'vitest';
import * as packed from '../../peer/codec-packed.ts';
import type { Dial, Frame } from '../../peer/link.ts';
import type { Peer } from '../../peer/peer.ts';
import { linkPair } from '../../peer/testing.ts';
import { PlainSocket, World } from '../support/world.ts';

const speaksPacked = { packed: () => packed };

async function mixedWorld() {
  const world = new World();
  await world.server(speaksPacked);
  const frames: string[] = [];
  const alice = await world.peer('alice', { ...speaksPacked, record: (line) => frames.push(line) });
  const bob = await world.peer('bob');
  await world.get(alice.create('door', { instance: 'front' }));
  const a = await world.get(alice.watch('front', world.door));
  const b = await world.get(bob.watch('front', world.door));
  frames.length = 0;
  return { world, alice, bob, a, b, frames };
}

describe('two encodings in one room', () => {
  test('[PACK-5] readers in both encodings hear the same steps and are in step', async () => {
    const { world, a, b, frames } = await mixedWorld();
    a.send({ type: 'OPEN' });
    b.send({ type: 'NAME', name: 'Bob' });
    a.send({ type: 'NAME', name: 'Ada' });
    await world.settle();
    await world.advance(5_200);
    expect(a.getSnapshot().context).toEqual({ opened: 1, names: ['Ada', 'Bob'], note: null });
    expect(a.getSnapshot()).toEqual(b.getSnapshot());
    expect([a.seq, a.digest, a.standing]).toEqual([b.seq, b.digest, 'confirmed']);
    expect(world.reported).toEqual([]);
    // Nothing but bytes went to and fro, one frame per turn.
    expect(frames.filter((line) => line.includes('jsonrpc'))).toEqual([]);
    expect(frames.filter((line) => line.startsWith('> '))).toHaveLength(1);
  });

  test('[PACK-4] hello settles it: a peer that offers packed first has it, one that does not has json', async () => {
    const world = new World();
    const told: string[] = [];
    for (const [name, encodings] of Object.entries({
      a: ['packed', 'json'],
      b: ['json', 'packed'],
      c: ['json'],
      d: ['morse', 'json'],
      e: ['morse'],
    })) {
      const [near, far] = linkPair(world.environment);
      world.hub.attach(far);
      near.open({
        frame: (frame) => told.push(`${name} ${/"encoding":"\w+"|BAD_VERSION/.exec(String(frame))?.[0] ?? ''}`),
        closed: () => undefined,
      });
      const params = { versions: [1], encodings, secret: name, name, kind: 'node', hosts: true, eval: false, presence: false };
      near.send(`\n${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'hello', params })}`);
    }
    await world.settle();
    expect(told).toEqual(['a "encoding":"packed"', 'b "encoding":"json"', 'c "encoding":"json"', 'd "encoding":"json"', 'e BAD_VERSION']);
  });

  test('[PACK-4] an authority that cannot speak packed gives a room that speaks json', async () => {
    const world = new World();
    await world.server();
    const alice = await world.peer('alice', speaksPacked);
    await world.get(alice.create('door', { instance: 'front' }));
    const a = await world.get(alice.watch('front', world.door));
    expect(await world.get(a.submit({ type: 'OPEN' }))).toEqual({ outcome: 'stepped', seq: 2 });
  });

  test('[PACK-7] where the packed encoding cannot be loaded a peer speaks json', async () => {
    const world = new World();
    await world.server(speaksPacked);
    const frames: string[] = [];
    const packedLoader = (): Promise<typeof packed> => Promise.reject(new Error('the network is down'));
    const alice = await world.peer('alice', { packed: packedLoader, record: (line) => frames.push(line) });
    await world.get(alice.create('door', { instance: 'front' }));
    const a = await world.get(alice.watch('front', world.door));
    expect(await world.get(a.submit({ type: 'OPEN' }))).toEqual({ outcome: 'stepped', seq: 2 });
    expect(frames.find((line) => line.includes('"hello"'))).toContain('"encodings":["json"]');
  });

  test('[PACK-4] a peer that did not offer packed is handed no bytes, and who sends them is told', async () => {
    const { world, bob } = await mixedWorld();
    const [near, far] = linkPair(world.environment);
    world.hub.attach(far);
    const heard: Frame[] = [];
    near.open({ frame: (frame) => heard.push(frame), closed: () => undefined });
    const params = {
      versions: [1],
      encodings: ['packed'],
      secret: 'eve',
      name: '',
      kind: 'node',
      hosts: true,
      eval: false,
      presence: false,
    };
    near.send(`\n${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'hello', params })}`);
    await world.settle();
    heard.length = 0;
    near.send(packed.packFrame(bob.id!, [Uint8Array.of(0x3f)]));
    near.send(packed.packFrame('nobody', [Uint8Array.of(0x3f)]));
    near.send(packed.packFrame('', [Uint8Array.of(0x3f)]));
    near.send(Uint8Array.of(0xff));
    await world.settle();
    const codes = heard.map((frame) => /"code":"(\w+)"|undeliverable|presence/.exec(String(frame)));
    expect(codes.map((found) => found?.[1] ?? found?.[0])).toEqual(['MALFORMED', 'undeliverable', 'MALFORMED', 'MALFORMED']);
    expect(bob.isConnected).toBe(true);
  });
});

describe('a relay that carries another encoding on the next link', () => {
  /** A peer whose relay takes packed frames on the links that begin while it `carries` them. */
  const changing = async (world: World, name: string, start: (dial: Dial) => Promise<Peer>) => {
    const relay = { carries: true };
    const peer = await start(async () => {
      const link = await world.network(name).dial();
      const { carries } = relay;
      const send = link.send.bind(link);
      link.send = (frame) => send(carries || typeof frame !== 'string' ? frame : frame.replace('"encodings":["packed",', '"encodings":['));
      return link;
    });
    const begin = async (carries: boolean): Promise<void> => {
      relay.carries = carries;
      world.network(name).cut();
      await world.settle();
      world.network(name).mend();
      await world.advance(20_000);
    };
    return { peer, begin };
  };

  test('[PACK-4] a reader goes on in the encoding that the relay carries, whichever it asked in before it knew', async () => {
    const world = new World();
    const rooms = new Set<string>();
    const admitted = (line: string): void => {
      for (const [, what, room] of line.matchAll(/"method":"(admit|expel)","params":\[(\d+),"alice"/g))
        if (what === 'admit') rooms.add(room!);
        else rooms.delete(room!);
    };
    await world.server({ ...speaksPacked, record: admitted });
    let frames: string[] = [];
    const record = (line: string): void => void frames.push(line);
    const { peer: alice, begin } = await changing(world, 'alice', (dial) => world.peer('alice', { ...speaksPacked, dial, record }));
    await world.get(alice.create('door', { instance: 'front' }));
    const a = await world.get(alice.watch('front', world.door));
    for (const [round, carries] of [false, false, true, true].entries()) {
      rooms.clear();
      await begin(carries);
      frames = [];
      expect(await world.get(a.submit({ type: 'NAME', name: `n${round}` }))).toEqual({ outcome: 'stepped', seq: round + 2 });
      expect([frames.every((line) => / \? \d+ bytes$/.test(line)), rooms.size]).toEqual([carries, 1]);
    }
    expect(world.reported.filter(([, message]) => message !== 'no link to the relay')).toEqual([]);
  });

  test('[PACK-4] an authority goes on in the encoding that the relay carries, and so do its readers', async () => {
    const world = new World();
    const { begin } = await changing(world, 'secret-of-the-server', (dial) => world.server({ ...speaksPacked, dial }));
    const alice = await world.peer('alice', speaksPacked);
    const bob = await world.peer('bob');
    await world.get(alice.create('door', { instance: 'front' }));
    const mirrors = [await world.get(alice.watch('front', world.door)), await world.get(bob.watch('front', world.door))];
    for (const [round, carries] of [false, false, true, true].entries()) {
      await begin(carries);
      for (const [i, mirror] of mirrors.entries())
        expect(await world.get(mirror.submit({ type: 'NAME', name: `n${round}` }))).toEqual({ outcome: 'stepped', seq: 2 * round + i + 2 });
      expect(mirrors[0]!.digest).toBe(mirrors[1]!.digest);
    }
    expect(world.reported.filter(([, message]) => message !== 'no link to the relay')).toEqual([]);
  });
});

describe('events without an id', () => {
  test('[PACK-6] a refusal comes as settled, and the prediction is undone', async () => {
    const { world, a, b } = await mixedWorld();
    for (const mirror of [a, b]) {
      const refused = await world.refusal(mirror.submit({ type: 'OPEN' }, { seq: 99 }));
      expect([refused, mirror.getSnapshot().value]).toEqual(['EXPECTATION', 'closed']);
    }
  });

  test('[PACK-6] an ignored event is answered by its step, in both encodings', async () => {
    const { world, a, b } = await mixedWorld();
    expect(await world.get(a.submit({ type: 'CLOSE' }))).toEqual({ outcome: 'ignored', seq: 2 });
    expect(await world.get(b.submit({ type: 'CLOSE' }))).toEqual({ outcome: 'ignored', seq: 3 });
  });

  test('[PACK-6] more events than may be under way at once all find their way, in order', async () => {
    const { world, a, b } = await mixedWorld();
    const outcomes = await world.get(Promise.all(Array.from({ length: 600 }, (_, i) => a.submit({ type: 'NAME', name: `n${i}` }))));
    expect(outcomes.map(({ seq }) => seq)).toEqual(Array.from({ length: 600 }, (_, i) => i + 2));
    expect(b.getSnapshot().context).toEqual(a.getSnapshot().context);
  });

  test('[PACK-6] an event whose answer was lost with the link is answered once, when it is sent again', async () => {
    const { world, alice, a } = await mixedWorld();
    const answered: unknown[] = [];
    void a.submit({ type: 'OPEN' }).then((answer) => answered.push(answer));
    await world.environment.turn();
    await world.environment.turn();
    world.network('alice').cut();
    await world.settle();
    expect(answered).toEqual([]);
    world.network('alice').mend();
    alice.reconnectNow();
    await world.settle();
    expect(answered).toEqual([{ outcome: 'stepped', seq: 2 }]);
    expect(a.getSnapshot().context).toMatchObject({ opened: 1 });
  });

  test('[PACK-6] sent by somebody who is no member it is nothing', async () => {
    const { world, a } = await mixedWorld();
    const plain = new PlainSocket(world);
    plain.say({ jsonrpc: '2.0', method: 'send', params: ['front', 1, { type: 'OPEN' }] });
    await world.settle();
    expect([a.seq, plain.heard]).toEqual([1, []]);
  });
});
