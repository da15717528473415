// Coming back to a relay: what a peer asks leaves with its hello, and what the relay makes of that.

import { describe, expect, test } from 'vitest';
import type { Json } from '../../core/json.ts';
import { linkPair, TestEnvironment } from '../../peer/testing.ts';
import { Hub, type HubOptions } from '../../relay/hub.ts';
import { World } from '../support/world.ts';

const methodOf = (line: string): string | undefined => /"method":"(\w+)"/.exec(line)?.[1];

/** A server with a door named `front`, and alice, who has a mirror of it: what she says and hears. */
async function doorWorld() {
  const world = new World();
  const server = await world.server();
  const lines: string[] = [];
  const alice = await world.peer('alice', { record: (line) => lines.push(line), presence: false });
  await world.get(alice.create('door', { instance: 'front' }));
  const mirror = await world.get(alice.watch('front', world.door));
  const cut = async (): Promise<void> => {
    world.network('alice').cut();
    await world.settle();
    lines.length = 0;
  };
  const back = async (): Promise<void> => {
    world.network('alice').mend();
    alice.reconnectNow();
    await world.settle();
  };
  /** What she said before she heard anything. */
  const saidFirst = (): (string | undefined)[] =>
    lines
      .slice(
        0,
        lines.findIndex((line) => line.startsWith('<')),
      )
      .map(methodOf);
  const watches = (): number => lines.filter((line) => methodOf(line) === 'watch').length;
  return { world, server, alice, mirror, lines, cut, back, saidFirst, watches };
}

describe('a peer that comes back', () => {
  test('[SYNC-38] asks for what it missed together with hello, once, and goes on from there', async () => {
    const { world, mirror, lines, cut, back, saidFirst, watches } = await doorWorld();
    const bob = await world.peer('bob');
    const other = await world.get(bob.watch('front', world.door));
    await cut();
    mirror.send({ type: 'NAME', name: 'Ada' });
    await world.get(other.submit({ type: 'OPEN' }));
    await back();
    expect(saidFirst()).toEqual(['hello', 'watch']);
    expect(lines[0]).toContain('"resumes":true');
    expect(watches()).toBe(1);
    expect([mirror.standing, mirror.seq, mirror.digest]).toEqual(['confirmed', other.seq, other.digest]);
    expect(mirror.getSnapshot().context).toMatchObject({ opened: 1, names: ['Ada'] });
    expect((await world.get(mirror.submit({ type: 'CLOSE' }))).outcome).toBe('stepped');
  });

  test('[SYNC-38] one that was never here, or has nothing to ask, says hello alone', async () => {
    const { world, saidFirst } = await doorWorld();
    expect(saidFirst()).toEqual(['hello']);
    const lines: string[] = [];
    const bob = await world.peer('bob', { record: (line) => lines.push(line), presence: false });
    world.network('bob').cut();
    await world.settle();
    world.network('bob').mend();
    bob.reconnectNow();
    await world.settle();
    expect(lines.filter((line) => methodOf(line) === 'hello').map((line) => line.includes('resumes'))).toEqual([false, false]);
    expect(bob.isConnected).toBe(true);
  });

  test('[SYNC-38] where nobody orders it yet it waits, and is in step when somebody does', async () => {
    const { world, server, mirror, cut, back } = await doorWorld();
    await cut();
    world.network('secret-of-the-server').cut();
    await world.settle();
    await back();
    expect(mirror.standing).toBe('offline');
    world.network('secret-of-the-server').mend();
    server.reconnectNow();
    await world.settle();
    expect(mirror.standing).toBe('confirmed');
    expect((await world.get(mirror.submit({ type: 'OPEN' }))).outcome).toBe('stepped');
  });

  test('[SYNC-38] a link that breaks before hello is answered takes with it what was asked; the next one asks again', async () => {
    const { world, alice, mirror, lines, cut, back, saidFirst } = await doorWorld();
    await cut();
    world.network('alice').mend();
    alice.reconnectNow();
    while (!lines.some((line) => methodOf(line) === 'watch')) await world.environment.turn();
    await cut();
    expect(mirror.standing).toBe('offline');
    await back();
    expect(saidFirst()).toEqual(['hello', 'watch']);
    expect(mirror.standing).toBe('confirmed');
  });

  test('[SYNC-38] a peer whose name is another one’s now is refused, and asks when that one has left', async () => {
    const { world, alice, mirror, cut, back } = await doorWorld();
    await cut();
    await back();
    const twin = await world.peer('alice');
    expect([alice.isConnected, twin.isConnected, mirror.standing]).toEqual([false, true, 'offline']);
    await twin.close();
    await world.advance(20_000);
    expect([alice.isConnected, mirror.standing]).toEqual([true, 'confirmed']);
  });

  test('[SYNC-37] [SYNC-38] those that ask before they know which process they mean are so few that they ask in one frame', async () => {
    const { world, alice, lines, cut, back } = await doorWorld();
    const mirrors = [];
    for (let i = 0; i < 300; i++) {
      await world.get(alice.create('door', { instance: `door${i}` }));
      mirrors.push(await world.get(alice.watch(`door${i}`, world.door)));
    }
    await cut();
    await back();
    const asked = lines.filter((line) => line.startsWith('>') && line.includes('"method":"watch"'));
    expect(asked.map((line) => line.split('"method":"watch"').length - 1)).toEqual([256, 45]);
    expect(asked.map((line) => line.includes('"session":'))).toEqual([false, true]);
    expect(mirrors.filter(({ standing }) => standing === 'confirmed')).toHaveLength(300);
  });
});

/** A relay, and links to it by hand. */
function byHand(options: Partial<HubOptions> = {}) {
  const environment = new TestEnvironment();
  const hub = new Hub({ environment, identify: (secret) => secret, key: 'key', ...options });
  const dial = () => {
    const [near, far] = linkPair(environment);
    const heard: string[] = [];
    near.open({ frame: (frame) => heard.push(String(frame)), closed: (code, reason) => heard.push(`closed ${code} ${reason}`) });
    hub.attach(far);
    return { say: (frame: string) => near.send(frame), heard };
  };
  const hello = (secret: string, more: object = {}): string => {
    const said = { versions: [1], encodings: ['json'], secret, name: '', kind: 'node', hosts: true, eval: false, presence: false, ...more };
    return `\n${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'hello', params: said })}`;
  };
  return { environment, hub, dial, hello };
}

describe('a relay', () => {
  test('[RELAY-17] answers hello of one that asks with it when that is answered, in front of it', async () => {
    const { environment, dial, hello } = byHand();
    const [peer, other] = [dial(), dial()];
    other.say(hello('other'));
    await environment.settle();
    peer.say(hello('peer', { resumes: true }));
    peer.say('other\n{"asked":1}');
    await environment.settle();
    expect(other.heard.slice(1)).toEqual(['peer\n{"asked":1}']);
    expect(peer.heard).toEqual([]);
    other.say('peer\n{"answered":1}');
    await environment.settle();
    expect([peer.heard.length, peer.heard[0]?.startsWith('\n{"jsonrpc":"2.0","id":1,"result":'), peer.heard[1]]).toEqual([
      2,
      true,
      'other\n{"answered":1}',
    ]);
  });

  test('[RELAY-17] and after 20 ms in any case; of a peer that is gone by then nothing is left', async () => {
    const { environment, dial, hello } = byHand();
    const peers = ['a', 'b', 'c'].map((name) => {
      const peer = dial();
      peer.say(hello(name, { resumes: true }));
      return peer;
    });
    await environment.settle();
    peers[2]!.say('x'.repeat(2_000_000));
    await environment.advance(19);
    expect(peers.map(({ heard }) => heard.length)).toEqual([0, 0, 1]);
    await environment.advance(1);
    expect(peers.map(({ heard }) => heard.length)).toEqual([1, 1, 1]);
    expect(peers[2]!.heard[0]).toContain('TOO_LARGE');
  });

  test('[RELAY-18] what is said while hello is judged waits for it: it goes on in its order, or nowhere', async () => {
    const verdicts = new Map<string, { take: (auth: Json) => void; refuse: (error: Error) => void }>();
    const { environment, dial, hello } = byHand({
      authenticate: ({ peer }) => (peer === 'other' ? undefined : new Promise((take, refuse) => void verdicts.set(peer, { take, refuse }))),
    });
    const [good, bad, loud, other] = [dial(), dial(), dial(), dial()];
    other.say(hello('other'));
    for (const [name, peer] of [
      ['good', good],
      ['bad', bad],
      ['loud', loud],
    ] as const) {
      peer.say(hello(name, { resumes: true }));
      for (const i of [1, 2, 3]) peer.say(`other\n{"${name}":${i}}`);
    }
    for (let i = 0; i < 3; i++) loud.say(`other\n${'x'.repeat(500_000)}`);
    await environment.settle();
    expect(other.heard).toHaveLength(1);
    expect(loud.heard.at(-1)).toContain('TOO_LARGE');
    verdicts.get('good')!.take({ name: 'Ada' });
    verdicts.get('bad')!.refuse(new Error('no'));
    verdicts.get('loud')!.take(null);
    await environment.settle();
    expect(other.heard.slice(1)).toEqual(['good\n{"good":1}', 'good\n{"good":2}', 'good\n{"good":3}']);
    expect(bad.heard.at(-1)).toContain('closed 4000 FORBIDDEN');
  });

  test('[RELAY-22] tells of all who come in one turn at once, and what they say goes on behind that, in its order', async () => {
    const { environment, dial, hello } = byHand();
    const [other, ...peers] = [dial(), dial(), dial(), dial()];
    other!.say(hello('other', { presence: true }));
    await environment.settle();
    for (const [i, peer] of peers.entries()) {
      peer.say(hello(`peer${i}`, { resumes: true }));
      peer.say(`other\n{"first":${i}}`);
      peer.say('\n{"jsonrpc":"2.0","method":"admit","params":[7,"other"]}');
      peer.say(`#7\n{"second":${i}}`);
    }
    await environment.settle();
    const [news, ...said] = other!.heard.slice(1);
    expect(news!.match(/"peer":"\w+"/g)).toEqual(['"peer":"peer0"', '"peer":"peer1"', '"peer":"peer2"']);
    expect(said).toEqual([0, 1, 2].flatMap((i) => [`peer${i}\n{"first":${i}}`, `#peer${i}/7\n{"second":${i}}`]));
  });

  test('[RELAY-22] a crowd that comes one by one is told of together, what it says behind that; whoever comes later comes alone', async () => {
    const { environment, dial, hello } = byHand();
    const other = dial();
    other.say(hello('other', { presence: true }));
    await environment.settle();
    const said = (): readonly string[] => other.heard.slice(1).map((frame) => frame.match(/"peer":"\w+"/g)?.join() ?? frame);
    const come = async (i: number): Promise<void> => {
      const peer = dial();
      peer.say(hello(`peer${i}`));
      peer.say(`other\n{"from":${i}}`);
      await environment.advance(1);
    };
    for (let i = 0; i < 40; i++) await come(i);
    expect(said().slice(0, 2)).toEqual(['"peer":"peer0"', 'peer0\n{"from":0}']);
    const news = said().filter((each) => each.startsWith('"peer"'));
    expect(news.length).toBeLessThan(25);
    expect(news.at(-1)!.split(',').length).toBeGreaterThan(4);
    await environment.advance(10);
    expect(said().flatMap((each) => each.match(/"from":(\d+)/)?.[1] ?? [])).toEqual(Array.from({ length: 40 }, (_, i) => String(i)));
    for (const [at, each] of said().entries())
      for (const peer of each.match(/^peer\d+/) ?? []) expect(said().findIndex((told) => told.includes(`"${peer}"`))).toBeLessThan(at);
    await environment.advance(1_000);
    const before = said().length;
    await come(40);
    expect(said().slice(before)).toEqual(['"peer":"peer40"', 'peer40\n{"from":40}']);
  });

  test('[RELAY-23] links that say no hello within 10 s are closed, each at its time; one that did is not', async () => {
    const { environment, dial, hello } = byHand();
    const [early, peer] = [dial(), dial()];
    await environment.advance(4_000);
    const late = dial();
    peer.say(hello('peer'));
    await environment.advance(5_999);
    expect([early.heard, late.heard]).toEqual([[], []]);
    await environment.advance(1);
    expect([early.heard.at(-1), late.heard]).toEqual([expect.stringContaining('closed 4000 TIMEOUT'), []]);
    await environment.advance(4_000);
    expect(late.heard.at(-1)).toContain('closed 4000 TIMEOUT');
    await environment.advance(20_000);
    expect(peer.heard).toHaveLength(1);
  });
});
