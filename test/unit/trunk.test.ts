// Several links over one: the contract of links over the lines of a trunk, a relay at its other end, and who may speak for a group.

import { describe, expect, test } from 'vitest';
import type { Frame, Link } from '../../peer/link.ts';
import { Peer } from '../../peer/peer.ts';
import { binding } from '../../peer/binding.ts';
import { serving } from '../../peer/serving.ts';
import { linkPair, TestEnvironment } from '../../peer/testing.ts';
import { Trunk } from '../../peer/trunk.ts';
import { type Heard, linkContract, listen } from '../contracts/link.ts';
import { testCore } from '../support/core.ts';
import { World } from '../support/world.ts';

/** The ends of one trunk; what the dialling end begins, the other collects. */
function trunkPair(environment: TestEnvironment): { near: Trunk; far: Trunk; begun: Link[]; closed: [number, string][] } {
  const [one, other] = linkPair(environment);
  const begun: Link[] = [];
  const closed: [number, string][] = [];
  const near = new Trunk(one);
  const far = new Trunk(other, { begun: (line) => begun.push(line) });
  one.open({
    frame: (frame) => near.receive(frame),
    closed: (code, reason) => {
      closed.push([code, reason]);
      near.ended(code, reason);
    },
  });
  other.open({ frame: (frame) => far.receive(frame), closed: (code, reason) => far.ended(code, reason) });
  return { near, far, begun, closed };
}

linkContract('a line of a trunk', async () => {
  const environment = new TestEnvironment();
  const { near, begun } = trunkPair(environment);
  const line = near.dial();
  // The other end knows of a line from its first frame on.
  line.send('begin');
  await environment.settle();
  const ends = [line, withoutFirst(begun[0]!)] as const;
  return { ends, settle: () => environment.settle() };
});

/** A link whose first frame is not shown to whoever opens it. */
function withoutFirst(link: Link): Link {
  let isFirst = true;
  return {
    get bufferedBytes() {
      return link.bufferedBytes;
    },
    open: (events) =>
      link.open({
        frame: (frame) => {
          if (isFirst) isFirst = false;
          else events.frame(frame);
        },
        closed: (code, reason) => events.closed(code, reason),
      }),
    send: (frame) => link.send(frame),
    close: (code, reason) => link.close(code, reason),
  };
}

describe('lines', () => {
  test('[TAB-1] each line has its own frames and its own end; the end of the trunk is the end of all', async () => {
    const environment = new TestEnvironment();
    const { near, begun } = trunkPair(environment);
    const lines = [near.dial(), near.dial(), near.dial()];
    for (const [i, line] of lines.entries()) line.send(`to\n${i}`);
    await environment.settle();
    const far = begun.map(listen);
    const here = lines.map(listen);
    await environment.settle();
    expect(far.map(({ frames }) => frames)).toEqual([['to\n0'], ['to\n1'], ['to\n2']]);
    lines[1]!.close(1000, 'enough');
    begun[1]!.send('too late');
    begun[2]!.send('from\nthree');
    await environment.settle();
    expect(far.map(({ closed }) => closed)).toEqual([[], [[1000, 'enough']], []]);
    expect(here.map(({ frames }) => frames)).toEqual([[], [], ['from\nthree']]);
    near.close(1001, 'gone');
    await environment.settle();
    expect(far.map(({ closed }) => closed)).toEqual([[[1001, 'gone']], [[1000, 'enough']], [[1001, 'gone']]]);
    expect(here.map(({ closed }) => closed)).toEqual([[[1001, 'gone']], [[1000, 'enough']], [[1001, 'gone']]]);
  });

  test('[TAB-1] lines begin in any order, also those that end before a word was said', async () => {
    const environment = new TestEnvironment();
    const { near, begun } = trunkPair(environment);
    const [first, second, third] = [near.dial(), near.dial(), near.dial()];
    second.send('a\nsecond');
    third.close(1000, '');
    first.send('a\nfirst');
    await environment.settle();
    expect(begun.map(listen).map(({ frames }) => frames)).toEqual([['a\nsecond'], ['a\nfirst']]);
    expect(near.lineCount).toBe(2);
  });

  const broken: readonly (readonly [what: string, frame: Frame])[] = [
    ['no sign', 'server\n{}'],
    ['no header', '=1'],
    ['no number', '=x\nframe'],
    ['line 0', '=0\nframe'],
    ['half a line', '=1.5\nframe'],
    ['a notice that is no JSON', '=\n{'],
    ['a hangup without its code', '=\n{"jsonrpc":"2.0","method":"hangup","params":[1]}'],
    ['a term that is no number', '=\n{"jsonrpc":"2.0","method":"share","params":{"group":"g","term":"1"}}'],
    ['bytes without a header', new Uint8Array([1, 2, 3])],
  ];
  test.each(broken)('[TAB-3] %s costs the trunk', async (_what, frame) => {
    const environment = new TestEnvironment();
    const [one, other] = linkPair(environment);
    const far = new Trunk(other, { begun: () => undefined });
    other.open({ frame: (each) => far.receive(each), closed: () => undefined });
    const heard = listen(one);
    one.send(frame);
    await environment.settle();
    expect(heard.closed).toEqual([[4000, expect.stringContaining('MALFORMED')]]);
  });

  test('[TAB-3] frames of a line that has ended are dropped; more lines than 256 are hung up', async () => {
    const environment = new TestEnvironment();
    const { near, begun, closed } = trunkPair(environment);
    const first = near.dial();
    first.send('a\nb');
    await environment.settle();
    begun[0]!.close(4000, 'no');
    near.receive('=1\nlate');
    near.receive('=7\nnever begun here');
    const many = Array.from({ length: 257 }, () => near.dial());
    for (const line of many) line.send('a\nb');
    const heard = many.map(listen);
    await environment.settle();
    expect(begun).toHaveLength(257);
    expect(heard.filter((each) => each.closed.length > 0)).toEqual([{ frames: [], closed: [[4000, expect.stringContaining('TOO_MANY')]] }]);
    expect(closed).toEqual([]);
  });
});

// ── At a relay ───────────────────────────────────────────────────────────────────────────────────────────────────

interface Socket extends Heard {
  readonly trunk: Trunk;
  /** Raw, for what a trunk would not say. */
  readonly link: Link;
}

function socket(world: World, term?: number): Socket {
  const [near, far] = linkPair(world.environment);
  const trunk = new Trunk(near);
  const heard: Heard = { frames: [], closed: [] };
  near.open({
    frame: (frame) => {
      heard.frames.push(frame);
      trunk.receive(frame);
    },
    closed: (code, reason) => {
      heard.closed.push([code, reason]);
      trunk.ended(1001, reason);
    },
  });
  world.hub.attach(far);
  if (term !== undefined) trunk.share({ group: 'tabs', term });
  return { ...heard, trunk, link: near };
}

async function tab(world: World, name: string, trunk: () => Trunk): Promise<Peer> {
  return new Peer({
    environment: world.environment,
    dial: async () => trunk().dial(),
    core: await testCore(),
    serving,
    binding,
    secret: name,
    name,
    kind: 'browser',
    report: world.report,
  });
}

describe('at a relay', () => {
  test('[TAB-1] [TAB-4] peers on one socket are peers like others; when another takes over, what was sent meanwhile is there once', async () => {
    const world = new World();
    await world.server();
    let holder = socket(world, 1);
    const tabs = await Promise.all(['one', 'two', 'three'].map((name) => tab(world, name, () => holder.trunk)));
    await world.settle();
    expect(
      world.hub
        .peers()
        .map(({ peer }) => peer)
        .toSorted(),
    ).toEqual(['one', 'server', 'three', 'two']);
    await world.get(tabs[0]!.create('door', { instance: 'front' }));
    const mirrors = await Promise.all(tabs.map((each) => world.get(each.watch('front', world.door))));
    for (let term = 2; term <= 12; term++) {
      for (const mirror of mirrors) mirror.send({ type: 'NAME', name: `${mirrors.indexOf(mirror)}.${term}` });
      // Half of the time the frames are on their way when it happens.
      if (term % 2 === 0) await world.environment.turn();
      holder = socket(world, term);
      for (const mirror of mirrors) mirror.send({ type: 'OPEN' });
      await world.advance(60_000);
    }
    const names = (mirrors[0]!.getSnapshot().context as { names: string[] }).names;
    expect(names.toSorted()).toEqual(
      Array.from({ length: 11 }, (_, i) => i + 2)
        .flatMap((term) => ['0', '1', '2'].map((which) => `${which}.${term}`))
        .toSorted(),
    );
    expect(new Set(mirrors.map(({ digest, seq }) => `${digest} ${seq}`)).size).toBe(1);
    expect(mirrors.map(({ unconfirmedCount }) => unconfirmedCount)).toEqual([0, 0, 0]);
    world.hub.check();
  });

  test('[TAB-2] the highest term has the tabs: an older socket is closed, a lower one refused, an equal one replaced', async () => {
    const world = new World();
    const [first, second] = [socket(world, 5), socket(world, 6)];
    await world.settle();
    expect(first.closed).toEqual([[4001, expect.stringContaining('term 5 is over')]]);
    expect(second.closed).toEqual([]);
    const late = socket(world, 4);
    await world.settle();
    expect(late.closed).toEqual([[4001, expect.stringContaining('term 4 is over')]]);
    const again = socket(world, 6);
    await world.settle();
    expect(second.closed).toHaveLength(1);
    expect(again.closed).toEqual([]);
    // Nobody is left of that group: its terms are forgotten.
    again.trunk.close(1000, '');
    await world.settle();
    const anew = socket(world, 1);
    await world.settle();
    expect(anew.closed).toEqual([]);
  });

  test('[TAB-3] what is refused on one line costs no other; a line cannot be a trunk; a peer cannot become one', async () => {
    const world = new World();
    await world.server();
    const shared = socket(world, 1);
    const [bad, nested, good] = [shared.trunk.dial(), shared.trunk.dial(), shared.trunk.dial()];
    const heard = [bad, nested, good].map(listen);
    bad.send('server\n{}');
    nested.send('=1\n=1\n=1\nserver\n{}');
    good.send('{"jsonrpc":"2.0","id":1,"method":"list","params":{}}');
    good.send('=1\nserver\n{}');
    await world.settle();
    expect(heard[0]!.closed).toEqual([[4000, expect.stringContaining('BAD_REQUEST')]]);
    expect(heard[1]!.closed).toEqual([[4000, expect.stringContaining('BAD_REQUEST')]]);
    expect(heard[2]!.closed).toEqual([]);
    expect(heard[2]!.frames.join()).toContain('"id":1,"result"');
    expect(heard[2]!.frames.join()).toContain('BAD_REQUEST');
    expect(shared.closed).toEqual([]);
    world.hub.check();
  });
});
