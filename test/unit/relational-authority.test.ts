// What an authority does about a relational machine's handlers and args, and what a mirror's face has of a queue of its own.

import { describe, expect, test } from 'vitest';
import type { HandlerEvent } from '../../core/handlers.ts';
import type { Mutation } from '../../core/mutation.ts';
import type { RelationalSelf } from '../../core/relational/owner.ts';
import { CANCELLED, EXECUTED } from '../../core/relational/types.ts';
import type { Peer } from '../../peer/peer.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import { World } from '../support/world.ts';

type Final = HandlerEvent<unknown, RelationalSelf>;

interface Setting {
  readonly world: World;
  readonly server: Peer;
  readonly near: RelationalMirror;
  readonly far: RelationalMirror;
  /** Every frame to and from its peer. */
  readonly farHeard: string[];
}

const STATES = {
  Safe: {},
  Word: { multi: true, publicArgs: ['text', 'from'] },
  Loud: { publicArgs: true },
  Slow: {},
  Behind: {},
  Exception: { multi: true, publicArgs: 'name' },
  ErrHandlerTimeout: { multi: true, require: 'Exception', add: 'Exception' },
} as const;

async function setting(handlers: object = {}): Promise<Setting> {
  const world = new World();
  const definition = { dialect: 'relational', id: 'box', states: STATES, handlers };
  const farHeard: string[] = [];
  const server = await world.server({ machines: { box: { definition } } });
  const alice = await world.peer('alice');
  const bob = await world.peer('bob', { record: (line) => void farHeard.push(line) });
  await world.get(alice.create('box', { instance: 'one' }));
  const near = new RelationalMirror(await world.get(alice.watch('one')));
  const far = new RelationalMirror(await world.get(bob.watch('one')));
  return { world, server, near, far, farHeard };
}

test('[REL-27] a final handler at an authority asks what is active behind its own step, whatever has followed', async () => {
  const seen: string[] = [];
  const { world, near } = await setting({
    WordState: ({ is, machine }: Final) => {
      seen.push(`Word ${is('Word')} ${is('Loud')} ${is('Safe')}`);
      machine.remove('Loud');
    },
    LoudEnd: ({ is }: Final) => void seen.push(`Loud ${is('Loud')} ${is('Word')}`),
  });
  await world.get(Promise.all([near.add(['Word', 'Loud']), near.add('Safe'), near.remove('Word')]));
  expect(seen).toEqual(['Word true true false', 'Loud false false']);
});

describe('[REL-28] readers are told args', () => {
  test('that every state called makes public, and of one’s own', async () => {
    const { world, near, far } = await setting();
    const told: unknown[] = [];
    const own: unknown[] = [];
    far.tracers.add({ transitionEnd: ({ args }) => void told.push(args) });
    near.tracers.add({ transitionEnd: ({ args }) => void own.push(args) });
    const text = { text: 'hi', from: 'me', key: 7 };
    await world.get(near.add('Word', text));
    await world.get(near.add('Loud', text));
    await world.get(near.add('Safe', text));
    await world.get(near.add(['Word', 'Safe'], text));
    await world.get(near.add(['Word', 'Loud'], text));
    await world.get(near.remove('Safe', text));
    await world.get(near.add('Word', 'words alone'));
    expect(told).toEqual([{ text: 'hi', from: 'me' }, text, undefined, undefined, { text: 'hi', from: 'me' }, undefined, undefined]);
    expect(own).toEqual([...Array<object>(6).fill(text), 'words alone']);
  });

  test('and never a byte of the others', async () => {
    const { world, near, farHeard } = await setting({
      SlowState: () => {
        throw new Error('the password is xyzzy');
      },
    });
    await world.get(near.add('Safe', { secret: 'plugh' }));
    await world.get(near.add('Word', { text: 'aloud', secret: 'plugh' }));
    await world.get(near.add('Slow'));
    await world.advance(1_000);
    const text = farHeard.join('\n');
    expect(text).toContain('aloud');
    expect(text).not.toContain('plugh');
    expect(text).not.toContain('xyzzy');
  });
});

describe('[REL-29] at an authority an asynchronous final handler', () => {
  test('that ends in time is nothing to anybody', async () => {
    let end = (): void => undefined;
    const { world, near } = await setting({ SlowState: () => new Promise<void>((resolve) => (end = resolve)) });
    await world.get(near.add('Slow'));
    await world.advance(9_000);
    end();
    await world.advance(60_000);
    expect([near.is('Slow'), near.is('Exception')]).toEqual([true, false]);
  });

  test('that does not is given up after ten seconds: taken back, Exception, and three seconds without mutations', async () => {
    const { world, near, far } = await setting({ SlowState: () => new Promise(() => undefined) });
    await world.get(near.add('Slow'));
    expect(await world.get(near.add('Behind'))).toBe(EXECUTED);
    await world.advance(9_999);
    expect(far.is('Slow')).toBe(true);
    await world.advance(1);
    expect([far.is('Slow'), far.is(['Exception', 'ErrHandlerTimeout', 'Behind']), far.err]).toEqual([
      false,
      true,
      { name: 'LockstepError' },
    ]);
    expect(await world.get(near.remove('Behind'))).toBe(CANCELLED);
    expect(await world.refusal(near.mirror.submit({ type: 'relational.add', states: ['Safe'] } as never))).toBe('BACKING_OFF');
    await world.advance(3_000);
    expect(await world.get(near.remove('Behind'))).toBe(EXECUTED);
    expect([near.time(), near.mirror.digest]).toEqual([far.time(), far.mirror.digest]);
  });
});

describe('[REL-30] on a mirror', () => {
  test('the queue is one’s own: what waits, what will be, when one has had its turn, when all have', async () => {
    const { world, near, far } = await setting({ LoudEnter: () => false });
    world.network('alice').cut();
    const made = near.add('Word');
    const refused = near.add('Loud');
    const turns: string[] = [];
    void near.whenQueue(made).then(() => turns.push('word'));
    void near.whenQueue(refused).then(() => turns.push('loud'));
    void near.whenQueueEnds().then(() => turns.push('all'));
    expect([near.queueLength, near.isQueued('add', 'Word'), near.isQueued('add', 'Safe'), near.willBe('Loud'), far.queueLength]).toEqual([
      2,
      true,
      false,
      true,
      0,
    ]);
    await world.settle();
    expect(turns).toEqual([]);
    world.network('alice').mend();
    await world.advance(30_000);
    expect(turns.sort()).toEqual(['all', 'loud', 'word']);
    expect([await made, await refused, near.queueLength]).toEqual([EXECUTED, CANCELLED, 0]);
    await near.whenQueueEnds();
  });

  test('who waits for a turn is told when the face ends first, and when the signal is aborted', async () => {
    const { world, near } = await setting();
    world.network('alice').cut();
    const aborter = new AbortController();
    const made = near.add('Word');
    const aborted = near.whenQueue(made, { signal: aborter.signal });
    const closed = near.whenQueue(made);
    aborter.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    near.dispose();
    expect(await world.refusal(closed)).toBe('CLOSED');
    world.network('alice').mend();
    await world.advance(30_000);
    expect(await world.get(made)).toBe(EXECUTED);
  });

  test('errors are added, and told as far as they are public; eval is refused', async () => {
    const { world, near, far } = await setting();
    await world.get(near.addErrState('ErrHandlerTimeout', new TypeError('too long')));
    expect([near.err, far.err, far.is('ErrHandlerTimeout')]).toEqual([{ error: 'too long', name: 'TypeError' }, undefined, true]);
    await world.get(near.addErr(new RangeError('far out')));
    expect([near.err, far.err, far.tick('Exception')]).toEqual([{ error: 'far out', name: 'RangeError' }, { name: 'RangeError' }, 3]);
    await expect(near.eval(() => undefined)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  test('tracers hear own mutations when they are handed over, all confirmed ones, and the end', async () => {
    const { world, near, far } = await setting({ LoudEnter: () => false });
    const log: unknown[] = [];
    const show = ({ type, states }: Mutation): string => `${type} ${states.join()}`;
    far.tracers.add({
      mutationQueued: (mutation, place) => void log.push(['queued', show(mutation), place]),
      transitionEnd: (mutation, isAccepted, time) => void log.push([show(mutation), isAccepted, time[far.names.indexOf('Word')]]),
      queueEnd: () => void log.push('queue end'),
      dispose: () => void log.push('disposed'),
    });
    await world.get(far.add('Word'));
    await world.get(far.add('Loud'));
    await world.get(near.add('Safe'));
    far.dispose();
    expect(log).toEqual([
      ['queued', 'relational.add Word', 1],
      ['relational.add Word', true, 1],
      'queue end',
      ['queued', 'relational.add Loud', 1],
      ['relational.add Loud', false, 1],
      'queue end',
      ['relational.set Safe,Word', true, 1],
      'disposed',
    ]);
  });
});
