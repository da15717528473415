// The gate for what foreign programs say, and what is kept of it for those who look later.

import { describe, expect, test } from 'vitest';
import { InspectIntake, type IntakeOptions } from '../../peer/inspect/intake.ts';
import { KeptMessages } from '../../peer/inspect/kept.ts';
import { INSPECT_LIMITS, type InspectMessage, type InspectRecord } from '../../peer/inspect/protocol.ts';
import { readInspectMessage } from '../../peer/inspect/read.ts';
import type { Frame } from '../../peer/link.ts';
import { linkPair } from '../../peer/testing.ts';
import type { Traced } from '../../peer/wire.ts';
import { recordsOf, runProgram } from '../support/xstate-program.ts';
import { World } from '../support/world.ts';

const messages = await runProgram();

function eventMessage(type: string, sessionId = 'x:0'): InspectMessage {
  return { type: '@xstate.event', _version: '0.7.2', createdAt: '5', id: null, sessionId, event: { type } };
}

interface Connected {
  say(frame: Frame): Promise<void>;
  readonly heard: unknown[];
  readonly ends: string[];
}

async function intakeOf(world: World, options: Partial<IntakeOptions> = {}) {
  const server = await world.server();
  const records: Traced[] = [];
  server.tracer.listen((record) => void records.push(record));
  const intake = new InspectIntake({ environment: world.environment, tracer: server.tracer, report: world.report, ...options });
  const connect = (): Connected => {
    const [near, far] = linkPair(world.environment);
    const heard: unknown[] = [];
    const ends: string[] = [];
    near.open({ frame: () => undefined, closed: (_, reason) => ends.push(reason) });
    intake.attach(far, (frame) => heard.push(frame));
    return {
      heard,
      ends,
      say: async (frame) => {
        near.send(frame);
        await world.settle();
      },
    };
  };
  const told = (): string[] =>
    records
      .flatMap((record) => (record.kind === 'inspect' ? [readInspectMessage(record.message)!] : []))
      .flatMap((message) => ('event' in message ? [message.event.type] : []));
  return { server, intake, connect, records, told };
}

describe('the gate', () => {
  test('[INSPECT-7] what Stately’s inspector says of a real program is read, without what we do not show', () => {
    for (const message of messages) {
      const read = readInspectMessage(message)!;
      expect(read).toMatchObject({ type: message.type, sessionId: message.sessionId, createdAt: message.createdAt });
      if ('snapshot' in read) expect(read.snapshot).not.toHaveProperty('children');
    }
  });

  test('[INSPECT-7] kinds that we do not know are passed over, anything else that is wrong is refused with its path', () => {
    expect(readInspectMessage({ type: '@xstate.microstep', _version: '9' })).toBeUndefined();
    const good = eventMessage('GO');
    const bad: readonly (readonly [unknown, string])[] = [
      [null, 'expected a message'],
      [[good], 'expected a message'],
      [{}, 'type:'],
      [{ ...good, sessionId: 7 }, 'sessionId:'],
      [{ ...good, createdAt: 'yesterday' }, 'createdAt:'],
      [{ ...good, createdAt: '' }, 'createdAt:'],
      [{ ...good, event: 'GO' }, 'event:'],
      [{ ...good, event: { type: 'GO', deep: deep(200) } }, 'event:'],
      [{ ...good, sessionId: 'x'.repeat(1_000) }, 'sessionId:'],
      [{ ...good, event: JSON.parse('{"type":"GO","__proto__":{}}') as unknown }, '__proto__'],
      [{ ...good, type: '@xstate.snapshot' }, 'snapshot:'],
      [{ ...good, type: '@xstate.snapshot', snapshot: { status: 'active', tags: 'no' } }, 'tags:'],
      [{ ...good, type: '@xstate.actor', snapshot: { status: 'active' } }, 'name:'],
    ];
    for (const [message, where] of bad)
      expect(() => readInspectMessage(message), JSON.stringify(message)?.slice(0, 80)).toThrow(
        expect.objectContaining({ code: 'BAD_PARAMS', message: expect.stringContaining(where) as string }) as Error,
      );
  });

  test('[INSPECT-7] a message that is cut at any byte, or binary, costs itself; sixteen such cost the link', async () => {
    const world = new World();
    const { connect, told, intake } = await intakeOf(world, { limits: { faultMax: 10_000 } });
    const program = connect();
    const whole = JSON.stringify(eventMessage('GO'));
    for (let end = 0; end < whole.length; end++) await program.say(whole.slice(0, end));
    await program.say(new Uint8Array([1, 2, 3]));
    await program.say(whole);
    expect([told(), program.heard, program.ends]).toEqual([['GO'], [whole], []]);

    const strict = await intakeOf(new World());
    const rude = strict.connect();
    for (let i = 0; i < INSPECT_LIMITS.faultMax; i++) await rude.say('no');
    await rude.say(whole);
    await world.settle();
    expect(strict.told()).toEqual([]);
    expect(rude.ends[0]).toMatch(/^MALFORMED: /);
    expect([intake.programCount, strict.intake.programCount]).toEqual([1, 0]);
  });

  test('[INSPECT-7] too large, too fast, too many actors, too many programs: left out, and the rest goes on', async () => {
    const world = new World();
    const { connect, told } = await intakeOf(world, { limits: { messageSize: 300, rateMax: 5, actorMax: 2, programMax: 2 } });
    const program = connect();
    await program.say(JSON.stringify({ ...eventMessage('BIG'), event: { type: 'BIG', text: 'x'.repeat(300) } }));
    for (const session of ['x:0', 'x:1', 'x:2']) await program.say(JSON.stringify(eventMessage(`of ${session}`, session)));
    await program.say(JSON.stringify(eventMessage('fifth')));
    await program.say(JSON.stringify(eventMessage('sixth')));
    await world.advance(1_000);
    await program.say(JSON.stringify(eventMessage('next second')));
    expect(told()).toEqual(['of x:0', 'of x:1', 'fifth', 'next second']);
    connect();
    const third = connect();
    await world.settle();
    expect(third.ends[0]).toMatch(/^TOO_MANY: /);
  });

  test('[INSPECT-7] nothing that a program says touches an instance, and no program is another', async () => {
    const world = new World();
    const { server, connect, records } = await intakeOf(world);
    await world.get(server.create('door', { instance: 'front' }));
    const before = await world.get(server.get('front'));
    for (const program of [connect(), connect()])
      for (const message of messages) await program.say(JSON.stringify({ ...message, sessionId: 'front' }));
    expect(await world.get(server.get('front'))).toEqual(before);
    const peers = new Set(records.flatMap((record) => (record.kind === 'inspect' ? [record.peer] : [])));
    expect(peers.size).toBe(2);
  });
});

describe('what is kept', () => {
  test('[INSPECT-8] who looks later hears what programs said, then the steps; live after that', async () => {
    const world = new World();
    const { server, connect } = await intakeOf(world);
    await world.get(server.create('door', { instance: 'front' }));
    const program = connect();
    for (const message of messages) await program.say(JSON.stringify(message));
    const viewer = await world.peer('viewer', { kind: 'tool' });
    const heard: Traced[] = [];
    await world.get(viewer.trace('server', (record) => heard.push(record), 1_024));
    expect(heard.map(({ kind }) => kind)).toEqual([...messages.map(() => 'inspect'), 'step']);
    await program.say(JSON.stringify(eventMessage('LATER')));
    expect(heard.at(-1)).toMatchObject({ kind: 'inspect', n: messages.length + 1, at: 5, message: { event: { type: 'LATER' } } });
  });

  test('[INSPECT-8] the newest messages and all introductions stay, within count and size', () => {
    const kept = new KeptMessages({ keptMax: 10, keptSize: 1_000_000 });
    const records = recordsOf([...messages, ...Array.from({ length: 50 }, (_, i) => eventMessage(`E${i}`))]);
    for (const record of records) kept.add(record);
    const newest = kept.newest(1_024);
    const isIntroduction = ({ message }: InspectRecord<InspectMessage>): boolean => message.type === '@xstate.actor';
    expect(newest.filter(isIntroduction)).toEqual(records.filter(isIntroduction));
    expect(newest.filter((record) => !isIntroduction(record))).toEqual(records.slice(-10));
    expect(newest.map(({ n }) => n)).toEqual(newest.map(({ n }) => n).toSorted((a, b) => a - b));
    expect(kept.newest(0)).toEqual([]);

    const tight = new KeptMessages({ keptMax: 1_000, keptSize: 2_000 });
    for (const record of records) tight.add(record);
    expect(JSON.stringify(tight.newest(1_000)).length).toBeLessThan(2_600);
  });
});

function deep(levels: number): unknown {
  return levels === 0 ? null : [deep(levels - 1)];
}
