// How often a room of many is written to: streams that count what they are written, under the clock of the test.

import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { Frame, LinkEvents } from '../../peer/link.ts';
import { TestEnvironment } from '../../peer/testing.ts';
import { Hub } from '../../relay/hub.ts';
import { identify } from '../../relay/identify.ts';
import type { SharedFrame, SharingLink } from '../../relay/neighbour.ts';
import { Rest } from '../../relay/rest.ts';
import { Outlet } from '../../relay/turn.ts';

const MEMBERS = 100;
/** A hundred members: a millisecond for every six, and 16 at most. */
const REST_MS = 16;

/** A stream, and what it was written, one text for each system call. */
function stream() {
  const written: string[] = [];
  const duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _, done) => {
      written.push(chunk.toString());
      done();
    },
    writev: (chunks, done) => {
      written.push(chunks.map(({ chunk }) => (chunk as Buffer).toString()).join(''));
      done();
    },
  });
  return { outlet: new Outlet(duplex), duplex, written };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a stream of a room that rests', () => {
  function room() {
    const environment = new TestEnvironment();
    const rest = new Rest(environment).for(MEMBERS);
    const streams = [stream(), stream()] as const;
    const say = async (text: string, to: readonly { readonly outlet: Outlet }[] = streams): Promise<void> => {
      const bytes = Buffer.from(text);
      for (const { outlet } of to) outlet.writeSoon(bytes, rest);
      await turn();
    };
    return { environment, rest, streams, say };
  }

  test('[RELAY-21] is written to at once, and what follows when the rest is over, together and in its order', async () => {
    const { environment, streams, say } = room();
    for (const text of ['a', 'b', 'c']) await say(text);
    expect(streams.map(({ written }) => written)).toEqual([['a'], ['a']]);
    expect(streams.map(({ outlet }) => outlet.bufferedBytes)).toEqual([2, 2]);
    await environment.advance(REST_MS - 1);
    expect(streams[0].written).toEqual(['a']);
    await environment.advance(1);
    expect(streams.map(({ written }) => written)).toEqual([
      ['a', 'bc'],
      ['a', 'bc'],
    ]);
    // It has spoken again, so it rests again; after a silence it does not.
    await say('d');
    expect(streams[1].written).toEqual(['a', 'bc']);
    await environment.advance(2 * REST_MS);
    await say('e');
    expect(streams.map(({ written }) => written)).toEqual([
      ['a', 'bc', 'd', 'e'],
      ['a', 'bc', 'd', 'e'],
    ]);
  });

  test('[RELAY-21] takes what it is told beside the room, and who may not wait, with all that waits', async () => {
    const { environment, streams, say } = room();
    const [first, second] = streams;
    await say('a');
    await say('b');
    first.outlet.write(Buffer.from('answer'));
    await turn();
    second.outlet.writeSoon(Buffer.from('own'));
    await turn();
    await say('c');
    await environment.advance(REST_MS);
    expect([first.written, second.written]).toEqual([
      ['a', 'banswer', 'c'],
      ['a', 'bown', 'c'],
    ]);
  });

  test('[RELAY-21] hears what was said since it came, whoever slept before it', async () => {
    const { environment, streams, say } = room();
    const [first, second] = streams;
    await say('a', [first]);
    await say('b', [first]);
    await say('c');
    await say('d', [second]);
    first.outlet.write(Buffer.from('answer'));
    await turn();
    await say('e');
    expect(streams.map(({ outlet }) => outlet.bufferedBytes)).toEqual([1, 3]);
    await environment.advance(REST_MS);
    expect([first.written, second.written]).toEqual([['a', 'bcanswer', 'e'], ['cde']]);
  });

  test('[RELAY-21] does not wait with more than 32 KB, and lets go of a stream that ended', async () => {
    const { environment, streams, say } = room();
    const [first, second] = streams;
    await say('a');
    const large = 'x'.repeat(20_000);
    await say(large);
    expect(first.written).toEqual(['a']);
    second.duplex.destroy();
    await say(large);
    expect(first.written).toEqual(['a', large + large]);
    await environment.advance(REST_MS);
    expect(second.written).toEqual(['a']);
  });

  test('[RELAY-21] rests longer the more members there are, one picture at most, and not at all among few', () => {
    const rests = [5, 6, 60, MEMBERS].map((members) => {
      const environment = new TestEnvironment();
      const began = environment.now();
      let ms = 0;
      environment.timer = (delayMs) => {
        ms = environment.now() - began + delayMs;
        return () => undefined;
      };
      new Rest(environment).for(members).begin();
      return ms;
    });
    expect(rests).toEqual([0, 1, 10, REST_MS]);
  });
});

/** A link of a hub whose frames are shared: what it was told, and whether that might have waited. */
class Shared implements SharingLink {
  readonly bufferedBytes = 0;
  readonly told: boolean[] = [];
  events!: LinkEvents;

  open(events: LinkEvents): void {
    this.events = events;
  }

  send(): void {}

  sendShared(_: SharedFrame, mayRest: boolean): void {
    this.told.push(mayRest);
  }

  close(): void {}

  say(frame: Frame): void {
    this.events.frame(frame);
  }
}

test('[RELAY-21] who has spoken within the last second is told at once', async () => {
  const environment = new TestEnvironment();
  const hub = new Hub({ environment, identify, key: 'key' });
  const join = (secret: string, more: object = {}): Shared => {
    const link = new Shared();
    hub.attach(link);
    const params = { versions: [1], encodings: ['json'], secret, name: secret, kind: 'node', hosts: false, eval: false, presence: false };
    link.say(`\n${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'hello', params: { ...params, ...more } })}`);
    return link;
  };
  const server = join('server', { kind: 'server', key: 'key' });
  const members = [join('reader'), join('writer')] as const;
  for (const name of ['reader', 'writer'])
    server.say(`\n${JSON.stringify({ jsonrpc: '2.0', method: 'admit', params: [1, identify(name)] })}`);
  await environment.advance(1_000);
  members[1].say('server\n{}');
  server.say('#1\n{}');
  await environment.advance(999);
  server.say('#1\n{}');
  await environment.advance(1);
  server.say('#1\n{}');
  expect(members.map(({ told }) => told)).toEqual([
    [true, true, true],
    [false, false, true],
  ]);
});
