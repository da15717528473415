// The schema of a relational machine grows while it runs: at its authority, on mirrors that watch, and on those that were away.

import { expect, test } from 'vitest';
import { RelationalMachine } from '../../core/relational/local.ts';
import { CANCELLED, EXECUTED } from '../../core/relational/types.ts';
import { LockstepError } from '../../core/errors.ts';
import type { Journal, JournalEntry } from '../../peer/journal.ts';
import type { Peer } from '../../peer/peer.ts';
import type { Policy } from '../../peer/policy.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import { MemoryJournal } from '../../peer/testing.ts';
import { World } from '../support/world.ts';

const OLD = { Up: {}, Lamp: { remove: 'Dark' }, Dark: {} } as const;
const NAMES = ['Dark', 'Exception', 'Lamp', 'Up'];

const definitionOf = (states: object = OLD, names = NAMES, others: object = {}): object => ({
  dialect: 'relational',
  id: 'room',
  states,
  names,
  handlers: { LampEnter: () => true },
  ...others,
});
const grown = definitionOf({ ...OLD, Lamp: { remove: 'Dark', add: 'Warm' }, Warm: {} }, [...NAMES, 'Warm']);

/** Fails while it is told to. */
class FragileJournal extends MemoryJournal {
  fails = false;

  override async write(entries: readonly JournalEntry[]): Promise<void> {
    if (this.fails && entries.length > 0) throw new LockstepError('STORAGE', 'the disk is full');
    return super.write(entries);
  }
}

interface Setting {
  readonly world: World;
  readonly server: Peer;
  readonly own: RelationalMirror;
  /** Has the handlers. */
  readonly near: RelationalMirror;
  readonly far: RelationalMirror;
}

async function setting(journal: Journal = new MemoryJournal(), policy?: Policy, definition = definitionOf()): Promise<Setting> {
  const world = new World();
  const server = await world.server({ journal, machines: { room: { definition, ...(policy === undefined ? {} : { policy }) } } });
  const [alice, bob] = [await world.peer('alice'), await world.peer('bob')];
  const own = new RelationalMirror(await world.get(server.host('hall', 'room')));
  const look = policy === undefined ? {} : { view: 'whole' };
  const near = new RelationalMirror(await world.get(alice.watch('hall', definitionOf(), look)));
  const far = new RelationalMirror(await world.get(bob.watch('hall', undefined, look)));
  return { world, server, own, near, far };
}

test('[REL-39] a schema that grew at an authority reaches its mirrors: clocks stay, what waits goes on, new states are there', async () => {
  const { world, server, own, near, far } = await setting();
  await world.get(near.add(['Lamp', 'Up']));
  await world.get(near.remove('Up'));
  const told: string[] = [];
  for (const face of [near, far]) face.tracers.add({ schemaChange: (names) => void told.push(names.join(' ')) });
  const moves: unknown[] = [];
  far.onStep(({ before, after }) => void moves.push([before.length, after.length]));
  const signal = far.stateSignal('Lamp');
  const waits = [near.when('Up'), far.whenTicks('Up', 1), far.whenQuery((clock) => (clock as Record<string, number>)['Warm'] === 1)];
  const { epoch, seq } = far.mirror;
  server.machines.add('room', { definition: grown });
  await world.get(own.setSchema());
  await world.settle();
  expect(told).toEqual(Array(2).fill('Dark Exception Lamp Up Warm'));
  for (const face of [own, near, far])
    expect([face.version, face.time(), face.has('Warm'), face.is('Warm'), face.mirror.digest]).toEqual([
      5,
      [0, 0, 1, 2, 0],
      true,
      false,
      own.mirror.digest,
    ]);
  expect([far.mirror.epoch > epoch, far.mirror.seq, moves, signal.aborted]).toEqual([true, seq, [], false]);
  // The new relations hold from here on.
  await world.get(far.remove('Lamp'));
  expect(await world.get(near.add(['Lamp', 'Up']))).toBe(EXECUTED);
  await world.get(Promise.all(waits));
  expect([near.active, far.time(), far.mirror.digest]).toEqual([['Lamp', 'Up', 'Warm'], [0, 0, 3, 3, 1], near.mirror.digest]);
  expect(signal.aborted).toBe(true);
  // Asked again: nothing more happens.
  const now = far.mirror.epoch;
  await world.get(own.setSchema());
  expect(far.mirror.epoch).toBe(now);
});

test('[REL-39] a mirror that was away meanwhile resumes with the new schema, and its own mutations are made once', async () => {
  const { world, server, own, near, far } = await setting();
  await world.get(near.add('Lamp'));
  world.network('alice').cut();
  const queued = [near.toggle('Up'), near.remove('Lamp')];
  const warm = near.whenQuery((clock) => (clock as Record<string, number>)['Warm'] === 1);
  server.machines.add('room', { definition: grown });
  await world.get(own.setSchema());
  await world.get(far.toggle('Up'));
  await world.get(far.add(['Up', 'Warm'] as never));
  expect(() => near.is('Warm')).toThrow('no state');
  world.network('alice').mend();
  await world.advance(30_000);
  expect(await world.get(Promise.all(queued))).toEqual([EXECUTED, EXECUTED]);
  await world.get(warm);
  for (const face of [near, far, own]) expect(face.time()).toEqual([0, 0, 2, 2, 1]);
  expect(near.mirror.digest).toBe(far.mirror.digest);
});

test('[REL-39] what comes while a schema changes waits for it, and loses nothing', async () => {
  const { world, server, own, near, far } = await setting();
  server.machines.add('room', { definition: grown });
  const made = [
    own.toggle('Up'),
    near.toggle('Up'),
    own.setSchema(),
    far.toggle('Up'),
    own.toggle('Up'),
    own.setSchema(),
    near.toggle('Up'),
  ];
  await world.get(Promise.all(made));
  await world.settle();
  expect([own.tick('Up'), near.tick('Up'), far.tick('Up'), far.version]).toEqual([5, 5, 5, 5]);
  expect(new Set([own, near, far].map(({ mirror }) => mirror.digest)).size).toBe(1);
});

test('[REL-39] the journal keeps it: a server that comes back has the new schema, and knows what was sent before', async () => {
  const journal = new MemoryJournal();
  const { world, server, own, near } = await setting(journal);
  await world.get(near.add('Lamp'));
  server.machines.add('room', { definition: grown });
  await world.get(own.setSchema());
  await world.get(near.add('Up'));
  world.network('secret-of-the-server').cut();
  const kept = await journal.read('hall');
  expect([kept?.record.image, kept?.checkpoint?.seq, kept?.steps.map(({ seq }) => seq)]).toEqual([near.mirror.machine.hash, 2, [3]]);
  const again = new World();
  const back = await again.server({ journal, machines: { room: { definition: grown } } });
  const face = new RelationalMirror(await again.get(back.host('hall', 'room')));
  expect([face.version, face.time(), face.mirror.digest]).toEqual([5, [0, 0, 1, 1, 0], near.mirror.digest]);
  expect(await again.get(face.add('Warm'))).toBe(EXECUTED);
});

test('[REL-39] when it cannot be written, the instance goes on as it was, and later it can', async () => {
  const journal = new FragileJournal();
  const { world, server, own, near, far } = await setting(journal);
  server.machines.add('room', { definition: grown });
  await world.settle();
  journal.fails = true;
  expect(await world.refusal(own.setSchema())).toBe('STORAGE');
  journal.fails = false;
  expect([await world.get(near.add('Lamp')), far.version, far.time()]).toEqual([EXECUTED, 4, [0, 0, 1, 0]]);
  await world.get(own.setSchema());
  await world.settle();
  expect([far.version, far.time(), far.mirror.digest]).toEqual([5, [0, 0, 1, 0, 0], own.mirror.digest]);
});

test.each([
  ['without a state', definitionOf({ Up: {}, Lamp: {} }, ['Exception', 'Lamp', 'Up']), 'BAD_DEFINITION'],
  ['with a state in another place', definitionOf({ ...OLD, Warm: {} }, ['Warm', ...NAMES]), 'BAD_DEFINITION'],
  ['that is not longer', definitionOf({ ...OLD, Up: { multi: true } }), 'BAD_DEFINITION'],
  ['of another machine', definitionOf({ ...OLD, Warm: {} }, [...NAMES, 'Warm'], { id: 'hall' }), 'BAD_DEFINITION'],
  ['that forbids what is active', definitionOf({ ...OLD, Up: { remove: 'Lamp' }, Warm: {} }, [...NAMES, 'Warm']), 'EXPECTATION'],
  ['that requires what is not', definitionOf({ ...OLD, Up: { require: 'Warm' }, Warm: {} }, [...NAMES, 'Warm']), 'EXPECTATION'],
])('[REL-21] [REL-39] a schema %s is refused, and nothing changes', async (_, definition, code) => {
  const { world, server, own, near, far } = await setting();
  await world.get(near.add(['Lamp', 'Up']));
  const before = [far.mirror.epoch, far.mirror.seq, far.mirror.digest, far.names];
  server.machines.add('room', { definition });
  expect(await world.refusal(own.setSchema())).toBe(code);
  expect([far.mirror.epoch, far.mirror.seq, far.mirror.digest, far.names]).toEqual(before);
  expect(await world.get(near.remove('Up'))).toBe(EXECUTED);
});

test('[REL-21] what forbids what is active is refused for a machine that runs here, too', async () => {
  const { world, server, own } = await setting();
  const machine = new RelationalMachine(own.mirror.machine, { environment: world.environment });
  machine.add(['Lamp', 'Up']);
  const torn = server.machines.add('room', { definition: definitionOf({ ...OLD, Up: { remove: 'Lamp' }, Warm: {} }, [...NAMES, 'Warm']) });
  expect(() => machine.setSchema(torn)).toThrow("machine 'room': 'Up' is active and would remove 'Lamp', which is, too");
  const unmet = server.machines.add('room', {
    definition: definitionOf({ ...OLD, Up: { require: 'Warm' }, Warm: {} }, [...NAMES, 'Warm']),
  });
  expect(() => machine.setSchema(unmet)).toThrow("machine 'room': 'Up' is active and would require 'Warm', which is not");
  expect([machine.version, machine.active]).toEqual([4, ['Lamp', 'Up']]);
});

test('[VIEW-5] whoever is not let write sets no schema, and is not told why', async () => {
  const asked: unknown[] = [];
  const policy: Policy = {
    allowRead: () => true,
    allowWrite: (question) => {
      if (question.type !== 'schema') return true;
      asked.push(question);
      return (question.authContext as { peer: string }).peer === 'alice';
    },
    views: { whole: 'all' },
  };
  const { world, server, own, near, far } = await setting(new MemoryJournal(), policy);
  server.machines.add('room', { definition: grown, policy });
  expect(await world.refusal(far.setSchema())).toBe('FORBIDDEN');
  expect([own.version, asked]).toEqual([
    4,
    [
      {
        type: 'schema',
        machineInstanceName: 'hall',
        state: {},
        context: {},
        authContext: { auth: 'anonymous', peer: 'bob' },
      },
    ],
  ]);
  await world.get(near.setSchema());
  await world.settle();
  expect([own.version, near.version, far.version]).toEqual([5, 5, 5]);
});

test('[REL-39] mirrors of mirrors and take-overs follow', async () => {
  const { world, server, own, near, far } = await setting();
  const carol = await world.peer('carol', { trusts: () => true });
  await world.get(server.close());
  expect(near.mirror.standing).toBe('offline');
  const home = await world.peer('dora', { trusts: () => true, machines: { room: { definition: definitionOf() } } });
  const first = new RelationalMirror(await world.get(home.host('attic', 'room')));
  const second = await world.get(carol.watch(first.id));
  await world.get(carol.offer(second));
  const erik = await world.peer('erik');
  const leaf = new RelationalMirror(await world.get(erik.watch(first.id, undefined, { sources: ['carol'] })));
  await world.get(leaf.add('Lamp'));
  home.machines.add('room', { definition: grown });
  expect(await world.refusal(leaf.setSchema())).toBe('UNSUPPORTED');
  await world.get(first.setSchema());
  await world.advance(1_000);
  expect([leaf.version, leaf.time(), leaf.mirror.digest]).toEqual([5, [0, 0, 1, 0, 0], first.mirror.digest]);
  expect(await world.get(leaf.add('Warm'))).toBe(EXECUTED);
  expect([own.version, far.version]).toEqual([4, 4]);
  expect(await world.get(leaf.add('Dark'))).toBe(CANCELLED);
});
