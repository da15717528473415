// The packed encoding: the same messages through both encodings, the bytes of the vectors, and a gate that nothing gets past.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import type { EventObject, Json } from '../../core/json.ts';
import { encodeNotice, type Message, readBody, readNotice } from '../../peer/codec-json.ts';
import * as packed from '../../peer/codec-packed.ts';
import { packSeen } from '../../peer/packed-seen.ts';
import { ByteReader, ByteWriter } from '../../peer/packed-bytes.ts';
import { readParams } from '../../peer/params.ts';
import { LIMITS, type Methods, type Notifications, type StepDifference, type StepEvent } from '../../peer/wire.ts';
import { joinFrame, readFrame } from '../../peer/frame.ts';
import { random, type Random, seedOf } from '../support/random.ts';
import { randomJson } from '../support/random-json.ts';

const EVENTS = ['', 'OPEN', 'CLOSE', 'NAME', 'door.*'];
const NAMES: packed.RoomNames = {
  instance: 'front',
  machine: {
    symbols: { id: 'door', events: EVENTS } as unknown as packed.RoomNames['machine']['symbols'],
    eventNumber: (type) => Math.max(0, type.startsWith('door.') ? 4 : EVENTS.indexOf(type)),
  },
};
const names = (room: number): packed.RoomNames | undefined => (room === 1 || room === 2 ? NAMES : undefined);
const TRANSCRIPTS = new URL('../transcripts/', import.meta.url);
const VECTORS = new URL('../vectors/packed.json', import.meta.url);
const PAGE = new URL('../../docs/PROTOCOL.md', import.meta.url);

/** Of one message: its own form where it has one. */
function pack(message: Message): Uint8Array {
  const { kind } = message;
  if (kind === 'notice' && message.method === 'step') return packed.packStep(message.params as Notifications['step']);
  if (kind === 'notice' && message.method === 'seen') return packSeen(packed, message.params as Notifications['seen']);
  if (kind === 'notice' && message.method === 'send') return packed.packSend(message.params as Methods['send']['params'], NAMES);
  if (kind === 'notice') return packed.packJson(encodeNotice(message.method as keyof Notifications, message.params as never));
  throw new Error(`a ${kind} is packed as the text that it is`);
}

/** The header that a message of an instance's room has. */
function headerOf(message: Message): string {
  if (message.kind !== 'notice') return 'server';
  if (message.method === 'step' || message.method === 'seen') return `#server/${(message.params as Notifications['step'])[0]}`;
  return message.method === 'send' ? 'alice#2' : 'server';
}

function outcomeOf(frame: Uint8Array): string {
  try {
    return JSON.stringify(packed.readPacked(frame, names).messages);
  } catch (error) {
    if (error instanceof LockstepError) return error.code;
    throw error;
  }
}

describe('the same messages through both encodings', () => {
  /** What transcripts leave out. */
  const filled = (text: string): string =>
    text
      .replaceAll('<digest>', '0123456789abcdef')
      .replaceAll('<image>', 'fedcba9876543210')
      .replaceAll('<base64>', 'AAAA')
      .replaceAll('{…}', JSON.stringify(LIMITS));

  for (const file of readdirSync(TRANSCRIPTS)) {
    test(`[PACK-1] ${file}: every frame comes out of the packed encoding as it went in`, () => {
      const bodies = readFileSync(new URL(file, TRANSCRIPTS), 'utf8').matchAll(/^\w+ [<>] (?:(?:to|from) [^:]+: )?([{[].*)$/gm);
      let count = 0;
      for (const [, body] of bodies) {
        let messages: readonly (Message | LockstepError)[];
        try {
          messages = readBody(filled(body!));
        } catch {
          continue; // The one that is broken on purpose.
        }
        for (const [i, message] of messages.entries()) {
          if (message instanceof LockstepError) continue;
          const hasForm = message.kind === 'notice';
          const bytes = hasForm ? pack(message) : packed.packJson(JSON.stringify([JSON.parse(filled(body!)) as Json].flat()[i]));
          // The room that it is sent to is that of its own instance.
          const instance = hasForm && message.method === 'send' ? (message.params as Methods['send']['params'])[0] : NAMES.instance;
          const read = packed.readPacked(packed.packFrame(headerOf(message), [bytes]), () => ({ ...NAMES, instance })).messages;
          expect(read).toEqual([message]);
          count++;
        }
      }
      expect(count).toBeGreaterThan(0);
    });
  }

  test('[PACK-1] random steps and events come out as they went in', () => {
    const dice = random(seedOf('packed'));
    for (let round = 0; round < 2_000; round++) {
      const step = randomStep(dice);
      const send = randomSend(dice);
      const stepped = packed.readPacked(packed.packFrame(`#server/${step[0]}`, [packed.packStep(step)]), names);
      expect(stepped).toEqual({ address: `#server/${step[0]}`, messages: [{ kind: 'notice', method: 'step', params: step }] });
      expect(readNotice('step', step)).toBe(step);
      const sent = packed.readPacked(packed.packFrame('alice#2', [packed.packSend(send, NAMES)]), names).messages;
      expect(sent).toEqual([{ kind: 'notice', method: 'send', params: send }]);
      expect(readParams('send', send)).toBe(send);
    }
  });

  test('[FILTER-6] what a view or a filter shows comes out as it went in, and is checked as its text is', () => {
    const dice = random(seedOf('packed seen'));
    for (let round = 0; round < 1_000; round++) {
      const seen = randomSeen(dice);
      const read = packed.readPacked(packed.packFrame('#server/3', [packSeen(packed, seen)]), names);
      expect(read.messages).toEqual([{ kind: 'notice', method: 'seen', params: seen }]);
      expect(readNotice('seen', seen)).toBe(seen);
    }
    const odd: Notifications['seen'][] = [
      [3, 5, 4, []],
      [3, 4, 4, [], null],
      [3, 4, 5, [], null, [2, 1, 1, 1]],
    ];
    for (const seen of odd) expect(packSeen(packed, seen)[0]).toBe(0);
  });

  test('[PACK-1] what has no form of its own is its JSON text', () => {
    const odd: Notifications['step'][] = [
      [
        1,
        [
          [3, 0, 0, [], []],
          [5, 0, 0, [], []],
        ],
      ],
      [1, [[3, 0, 0, [4, 1, 2, 1], []]]],
      [1, [[3, 0, 0, [], []]], '0123456789abcdef', 9],
      [1, [[3, 0, 0, [], [{ op: 'remove', path: '/\ud800' }]]]],
    ];
    for (const step of odd) {
      const bytes = packed.packStep(step);
      expect(bytes[0]).toBe(0);
      expect(packed.readPacked(packed.packFrame('#server/1', [bytes]), names).messages).toEqual([
        { kind: 'notice', method: 'step', params: step },
      ]);
    }
  });

  test('[PACK-1] headers: every address comes out as it went in', () => {
    for (const address of ['', 'server', 'alice', '#7', '#server/0', '#server/300', '#alice/7', 'server#7', 'alice#70000', '=5']) {
      const frame = joinFrame(address, new Uint8Array([1, 2]));
      expect(readFrame(frame)).toEqual({ kind: 'headed', address, body: new Uint8Array([1, 2]) });
    }
  });
});

const NUMBERS = [0, 1, 2, 63, 64, 127, 128, 300, 16_383, 16_384, 2 ** 31, 2 ** 40] as const;

function randomDifference(dice: Random, seq: number): StepDifference {
  const clocks: number[] = [];
  for (let state = dice.below(4); dice.chance(0.6); state += 1 + dice.below(200)) clocks.push(state, dice.pick([1, 1, 2, 0, 300]));
  const patch = Array.from({ length: dice.below(4) }, () => {
    const path = dice.pick(['', '/total', '/names/0', '/ü/~1', `/${dice.below(1000)}`]);
    return dice.chance(0.2)
      ? ({ op: 'remove', path } as const)
      : { op: dice.pick(['add', 'replace'] as const), path, value: randomJson(dice, 3) };
  });
  const who = dice.pick([0, 1, 1, 2, 200]);
  const n = dice.chance(0.5) ? seq - 1 : dice.pick(NUMBERS);
  if (dice.chance(0.6)) return [seq, who, n, clocks, patch];
  return [
    seq,
    who,
    n,
    clocks,
    patch,
    dice.pick([
      { ignored: true } as const,
      { status: 'done', output: randomJson(dice, 2) } as const,
      { timers: [{ timer: 0, due: 5 }], ignored: true } as const,
    ]),
  ];
}

function randomEvent(dice: Random, seq: number): StepEvent {
  const who = dice.pick([0, 1, 1, 2, 200]);
  const n = dice.chance(0.5) ? seq - 1 : dice.pick(NUMBERS);
  const event = dice.pick([0, -1, -0x1000000, 1, 2, 63, 300, 'door.slam', 'ü']);
  const fields = dice.chance(0.5) ? null : { by: randomJson(dice, 2), ü: dice.below(100) };
  if (dice.chance(0.5)) return fields === null ? [seq, who, n, event] : [seq, who, n, event, fields];
  const at = dice.pick([...NUMBERS, 1_700_000_000_000]);
  return dice.chance(0.5) ? [seq, who, n, event, fields, at] : [seq, who, n, event, fields, at, dice.pick([0, 1, 2 ** 53 - 1])];
}

function randomStep(dice: Random): Notifications['step'] {
  const first = 1 + dice.pick(NUMBERS);
  const steps = Array.from({ length: dice.pick([0, 1, 1, 2, 16, 31, 40]) }, (_, i) =>
    (dice.chance(0.3) ? randomEvent : randomDifference)(dice, first + i),
  );
  const room = dice.pick(NUMBERS);
  if (dice.chance(0.5)) return [room, steps];
  const digest = Array.from({ length: 16 }, () => dice.below(16).toString(16)).join('');
  return steps.length === 0 ? [room, steps, digest, first] : [room, steps, digest];
}

function randomSeen(dice: Random): Notifications['seen'] {
  const base = dice.pick(NUMBERS);
  const [, , , , patch] = randomDifference(dice, 1);
  const clocks = dice.pick([[], [0, 1], [1, 1, 2, 3, 900, 1]]);
  const told = [3, base, 1 + base + dice.pick([0, 1, 200]), patch] as const;
  const digest = dice.chance(0.5) ? '0123456789abcdef' : undefined;
  if (clocks.length > 0) return [...told, digest ?? null, clocks];
  return digest === undefined ? told : [...told, digest];
}

function randomSend(dice: Random): Methods['send']['params'] {
  const fields = dice.chance(0.5) ? {} : { by: randomJson(dice, 2), ü: dice.below(100) };
  const event: EventObject = { type: dice.pick(['OPEN', 'CLOSE', 'NAME', 'door.slam', 'FLY', '*']), ...fields };
  const n = 1 + dice.pick(NUMBERS);
  return dice.chance(0.7) ? ['front', n, event] : ['front', n, event, { seq: dice.pick(NUMBERS) }];
}

describe('the gate', () => {
  const step: Notifications['step'] = [
    7,
    [
      [300, 1, 299, [1, 1, 2, 1], [{ op: 'replace', path: '/total', value: 1.5 }]],
      [301, 2, 9, [], [{ op: 'replace', path: '/total', value: 'ü' }], { ignored: true }],
      [302, 0, 0, [0, 2], [], { status: 'done', output: { a: [1] } }],
      [303, 1, 300, 3, { price: 3 }, 1_000_000, 2 ** 40],
      [304, 0, 0, -2],
      [305, 2, 10, 'door.slam'],
    ],
    '0123456789abcdef',
  ];
  const frames: readonly (readonly [string, Uint8Array])[] = [
    ['a step', packed.packFrame('#alice/7', [packed.packStep(step)])],
    ['an event', packed.packFrame('alice#2', [packed.packSend(['front', 200, { type: 'NAME', name: 'Ada' }, { seq: 3 }], NAMES)])],
    ['a sight', packed.packFrame('#alice/7', [packSeen(packed, [7, 4, 300, [{ op: 'remove', path: '/context/a' }], null, [1, 1, 2, 3]])])],
    ['a text', packed.packFrame('alice', [packed.packJson(encodeNotice('moved', { room: 1, reason: 'epoch' }))])],
  ];

  for (const [what, frame] of frames) {
    test(`[PACK-3] ${what} that is cut off at any byte is refused`, () => {
      expect(outcomeOf(frame)).toMatch(/^\[\{"kind":"notice"/);
      const bare = new ByteReader(frame);
      for (let size = 0; size < frame.length; size++) {
        const outcome = outcomeOf(frame.subarray(0, size));
        // A header by itself is a frame in which nothing is said.
        expect(outcome === 'MALFORMED' || outcome === '[]').toBe(true);
      }
      expect(bare.at).toBe(0);
    });

    test(`[PACK-3] ${what} that is changed in any byte is messages that the gates behind judge, or refused`, () => {
      for (let at = 0; at < frame.length; at++) {
        for (let byte = 0; byte < 256; byte++) {
          const changed = frame.slice();
          changed[at] = byte;
          expect(judged(changed)).toMatch(/^(taken|MALFORMED|BAD_PARAMS|UNKNOWN_INSTANCE|UNKNOWN_EVENT|BAD_REQUEST)$/);
        }
      }
    });
  }

  test('[PACK-3] random bytes are refused with a code, or are messages; nothing else', () => {
    const dice = random(seedOf('packed bytes'));
    for (let round = 0; round < 20_000; round++) {
      const bytes = Uint8Array.from({ length: dice.below(40) }, () => dice.below(dice.pick([8, 128, 256])));
      expect(judged(bytes)).toMatch(/^(taken|MALFORMED|BAD_PARAMS|UNKNOWN_INSTANCE|UNKNOWN_EVENT|BAD_REQUEST)$/);
    }
  });

  /** As whoever receives it would: read, then checked message by message. */
  function judged(bytes: Uint8Array): string {
    try {
      for (const message of packed.readPacked(bytes, names).messages) {
        if (message instanceof LockstepError) throw message;
        if (message.kind === 'notice' && message.method === 'step') readNotice('step', message.params);
        if (message.kind === 'notice' && message.method === 'send') readParams('send', message.params);
      }
      return 'taken';
    } catch (error) {
      if (error instanceof LockstepError) return error.code;
      throw error;
    }
  }

  const refused: readonly (readonly [string, readonly number[], RegExp])[] = [
    ['no byte at all', [], /a byte, found the end/],
    ['a head that there is not', [1, 0x3f], /the head of a message, found 63/],
    ['a step outside a room', [1, 0x40, 0], /belongs to this header/],
    ['an event in a room that is not ours to order', [7, 0x81, 4], /belongs to this header/],
    ['a number in more bytes than it needs', [0x86, 0x00], /as few bytes as it needs/],
    ['a number over 2^53', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], /up to 2\^53 - 1/],
    ['a number without an end', Array.from({ length: 40 }, () => 0xff), /up to 2\^53 - 1/],
    ['a peer without a name', [2, 0], /a peer's name of 1 to 64 bytes, found 0/],
    ['a peer that is the server under its long name', [2, 6, ...Buffer.from('server')], /the name of a peer/],
    ['a name that is none', [2, 1, 0x2f], /the name of a peer/],
    ['a text that is not UTF-8', [1, 0, 1, 0xff], /UTF-8/],
    ['a text longer than the frame', [1, 0, 0x7f], /127 bytes, found 0/],
    ['a path that was not named', [7, 0x41, 2, 0x04, 1, 3, 0], /a path of this message, found number 1 of 0/],
    ['a number without its sender', [7, 0x41, 2, 0x02, 0], /a sender before its number/],
    ['a value that is not JSON', [7, 0x41, 2, 0x08, 3, 0x7b], /JSON, found something else/],
    [
      'an event whose fields name another type',
      [5, 1, 0x61, 2, 0x81, 5, 23, ...Buffer.from('{"type":"A"}').subarray(0, 11)],
      /JSON, found something else/,
    ],
    ['fields that are no object', [5, 1, 0x61, 2, 0x81, 5, 2], /the fields of an event/],
  ];
  for (const [what, bytes, sentence] of refused) {
    test(`[PACK-3] ${what} is refused`, () => {
      expect(() => packed.readPacked(Uint8Array.from(bytes), names)).toThrow(sentence);
      expect(outcomeOf(Uint8Array.from(bytes))).toBe('MALFORMED');
    });
  }

  test('[PACK-3] an event cannot be given another type by its fields', () => {
    const writer = new ByteWriter();
    writer.byte(0x81);
    writer.whole(5);
    writer.value({ type: 'CLOSE' });
    expect(outcomeOf(packed.packFrame('alice#2', [writer.take()]))).toBe('MALFORMED');
  });
});

interface Vector {
  readonly name: string;
  readonly address: string;
  readonly message: Message;
  /** Of the whole frame, in hex. */
  readonly bytes: string;
}

describe('vectors', () => {
  const vectors = JSON.parse(readFileSync(VECTORS, 'utf8')) as readonly Vector[];
  const bytesOf = ({ address, message }: Vector): string => Buffer.from(packed.packFrame(address, [pack(message)])).toString('hex');
  if (process.env['UPDATE'] === '1')
    writeFileSync(
      VECTORS,
      `${JSON.stringify(
        vectors.map((vector) => ({ ...vector, bytes: bytesOf(vector) })),
        null,
        2,
      )}\n`,
    );

  for (const vector of vectors) {
    test(`[PACK-2] ${vector.name}`, () => {
      expect(bytesOf(vector)).toBe(vector.bytes);
      const read = packed.readPacked(Buffer.from(vector.bytes, 'hex'), names);
      expect(read).toEqual({ address: vector.address, messages: [vector.message] });
    });
  }

  test('[PACK-2] the frames worked out in docs/PROTOCOL.md are vectors', () => {
    const page = readFileSync(PAGE, 'utf8');
    const worked = [...page.matchAll(/<!-- packed: (.+) -->\n```text\n([^]*?)```/g)].map(([, name, text]) => {
      const bytes = text!.split('\n').map((line) => /^((?:[0-9a-f]{2} ?)+) {2}/.exec(line)?.[1]?.replaceAll(' ', '') ?? '');
      return { name, bytes: bytes.join('') };
    });
    expect(worked.length).toBeGreaterThan(0);
    for (const { name, bytes } of worked) expect(bytes).toBe(vectors.find((vector) => vector.name === name)?.bytes);
  });
});
