// What effects send to their own instance while it is handed over, and afterwards: it arrives where the instance is, once.

import { describe, expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { LockstepError } from '../../core/errors.ts';
import type { Peer, PeerOptions } from '../../peer/peer.ts';
import { SendingOn } from '../../peer/sending-on.ts';
import { MemoryJournal, TestEnvironment } from '../../peer/testing.ts';
import { HeldJournal, World } from '../support/world.ts';

interface Named {
  readonly type: string;
  readonly name: string;
}

/** A cliff: what it is told comes back from an effect, at once or when the test says so. */
function cliffMachine(later: (() => void)[]) {
  const echoOf = (event: unknown): Named => ({ type: 'ECHO', name: (event as Named).name });
  return setup({
    types: {} as { context: { heard: string[] }; events: Named },
    actions: {
      answer: ({ self, event }) => self.send(echoOf(event)),
      answerLater: ({ self, event }) => void later.push(() => self.send(echoOf(event))),
    },
  }).createMachine({
    id: 'cliff',
    context: { heard: [] },
    on: {
      CALL: { actions: 'answer' },
      WHISPER: { actions: 'answerLater' },
      ECHO: { actions: assign({ heard: ({ context, event }) => [...context.heard, event.name] }) },
    },
  });
}

/** alice orders a cliff; bob may order it too; carol watches. */
async function cliff() {
  const world = new World();
  const later: (() => void)[] = [];
  const definition = cliffMachine(later);
  const journals = { alice: new HeldJournal(new MemoryJournal()), bob: new HeldJournal(new MemoryJournal()) };
  const orderer = (name: string, options: Partial<PeerOptions>): Promise<Peer> =>
    world.peer(name, { machines: { cliff: { definition } }, trusts: () => true, ...options });
  const alice = await orderer('alice', { journal: journals.alice });
  const bob = await orderer('bob', { journal: journals.bob });
  const carol = await world.peer('carol');
  const a = await world.get(alice.host('cliff', 'cliff'));
  const b = await world.get(bob.watch('alice/cliff', definition));
  const c = await world.get(carol.watch('alice/cliff', definition));
  const heard = (): readonly string[] => c.getSnapshot().context.heard;
  return { world, alice, bob, a, b, c, later, heard, journals, orderer };
}

test('[TOPO-15] what an effect sends while its instance is handed over goes along, and is taken first', async () => {
  const { world, alice, a, b, c, heard, journals } = await cliff();
  journals.alice.isHolding = true;
  c.send({ type: 'CALL', name: 'hello' });
  await world.settle();
  const handing = alice.handOver('alice/cliff', 'bob');
  c.send({ type: 'CALL', name: 'again' });
  await world.settle();
  journals.alice.release();
  await world.get(handing);
  await world.advance(1_000);
  expect(heard()).toEqual(['hello', 'again']);
  expect([b.digest, a.digest, c.seq]).toEqual([c.digest, c.digest, 5]);
  const { steps } = (await journals.bob.read('alice/cliff'))!;
  expect(steps.map(({ seq, cause }) => [seq, cause.peer, cause.event.type]).slice(-3)).toEqual([
    [3, 'bob', 'ECHO'],
    [4, 'carol', 'CALL'],
    [5, 'bob', 'ECHO'],
  ]);
});

test('[TOPO-15] where it stays it is taken there, once', async () => {
  const { world, alice, c, heard, journals } = await cliff();
  journals.alice.isHolding = true;
  c.send({ type: 'CALL', name: 'hello' });
  await world.settle();
  const handing = alice.handOver('alice/cliff', 'bob');
  await world.settle();
  world.network('bob').cut();
  journals.alice.release();
  expect(await world.refusal(handing)).not.toBe('nothing was refused');
  world.network('bob').mend();
  await world.advance(60_000);
  expect(heard()).toEqual(['hello']);
  expect((await journals.alice.read('alice/cliff'))!.steps).toHaveLength(3);
});

test('[TOPO-7] one that gives way takes no more steps, also when what it was about to write cannot be written', async () => {
  const { world, alice, bob, a, b, c, later, journals } = await cliff();
  const codeOf = ({ code }: { readonly code: string }): string => code;
  await world.get(bob.standBy(b));
  await world.get(c.submit({ type: 'WHISPER', name: 'late' }));
  journals.alice.isHolding = true;
  a.send({ type: 'CALL', name: 'not written' });
  await world.settle();
  const handed = alice.handOver('alice/cliff', 'bob').catch(codeOf);
  await world.settle();
  await world.get(bob.takeOver('alice/cliff'));
  const steps: unknown[] = [];
  alice.tracer.listen((record) => void (record.kind === 'step' && record.peer === 'alice' && steps.push(record.step)));
  later[0]!();
  journals.alice.failHeld();
  await world.advance(40_000);
  expect([await handed, steps]).toEqual(['STORAGE', []]);
  expect([a.seq, a.digest]).toEqual([b.seq, b.digest]);
});

test('[TOPO-15] it is in the journal of the other one until that one has heard that the instance is its own', async () => {
  const { world, alice, bob, c, heard, journals, orderer } = await cliff();
  journals.alice.isHolding = true;
  c.send({ type: 'CALL', name: 'hello' });
  await world.settle();
  const handing = alice.handOver('alice/cliff', 'bob');
  await world.settle();
  journals.bob.isHolding = true;
  journals.alice.release();
  await world.settle();
  journals.alice.isHolding = true;
  journals.bob.release();
  await world.settle();
  await world.get(bob.close());
  await orderer('bob', { journal: journals.bob });
  expect((await journals.bob.read('alice/cliff'))?.checkpoint?.untold).toEqual([{ type: 'ECHO', name: 'hello' }]);
  journals.alice.release();
  await world.get(handing);
  await world.advance(30_000);
  expect([heard(), c.standing, (await journals.bob.read('alice/cliff'))?.checkpoint?.untold]).toEqual([['hello'], 'confirmed', undefined]);
});

test.each([
  ['while the other one writes it down', true],
  ['when it has gone', false],
])('[TOPO-15] what an effect sends %s is sent after it, once', async (_when, isUnderWay) => {
  const { world, alice, c, later, heard, journals } = await cliff();
  c.send({ type: 'WHISPER', name: 'late' });
  await world.settle();
  journals.bob.isHolding = isUnderWay;
  const handing = alice.handOver('alice/cliff', 'bob');
  await world.settle();
  if (isUnderWay) for (const send of later) send();
  journals.bob.release();
  await world.get(handing);
  world.network('alice').cut();
  if (!isUnderWay) for (const send of later) send();
  await world.settle();
  world.network('alice').mend();
  await world.advance(30_000);
  expect([heard(), c.seq, c.standing]).toEqual([['late'], 3, 'confirmed']);
});

test('[TOPO-15] what the next authority cannot write down is sent to it again, once and in its order', async () => {
  const { world, alice, c, later, heard, journals } = await cliff();
  for (const name of ['first', 'second']) c.send({ type: 'WHISPER', name });
  await world.settle();
  await world.get(alice.handOver('alice/cliff', 'bob'));
  journals.bob.isHolding = true;
  for (const send of later) send();
  await world.settle();
  journals.bob.failHeld();
  await world.settle();
  expect(heard()).toEqual([]);
  await world.advance(30_000);
  expect([heard(), c.seq, c.standing]).toEqual([['first', 'second'], 5, 'confirmed']);
});

describe('an event that is sent after its instance', () => {
  /** @param answers to one event after the other; what comes after them is taken. */
  function sendingOn(answers: readonly LockstepError['code'][]) {
    const environment = new TestEnvironment({ seed: 1 });
    const asked: string[] = [];
    const reported: unknown[] = [];
    let held = 0;
    const sending = new SendingOn({
      environment,
      report: (_level, message, error) => void reported.push([message, (error as LockstepError).code]),
      watch: async () => {
        held++;
        return {
          submit: async ({ type }) => {
            const code = answers[asked.length];
            asked.push(type);
            if (code !== undefined) throw new LockstepError(code, 'refused');
          },
          stop: () => void held--,
        };
      },
    });
    return { environment, sending, asked, reported, held: () => held };
  }

  test('[TOPO-15] is sent again while it is refused for now, and before those behind it', async () => {
    const { environment, sending, asked, reported, held } = sendingOn(['STORAGE', 'STALE']);
    for (const type of ['A', 'B']) sending.send('alice/cliff', { type });
    await environment.advance(60_000);
    expect([asked, reported, held()]).toEqual([['A', 'A', 'A', 'B'], [], 0]);
  });

  test('[TOPO-15] is given up when it is refused for good, or too often, and the next one goes on', async () => {
    const { environment, sending, asked, reported, held } = sendingOn(['FORBIDDEN', ...Array<'STORAGE'>(20).fill('STORAGE')]);
    for (const type of ['A', 'B', 'C']) sending.send('alice/cliff', { type });
    await environment.advance(600_000);
    const lost = (type: string): string => `"${type}" of an effect has not reached alice/cliff, which was handed over`;
    expect(reported).toEqual([
      [lost('A'), 'FORBIDDEN'],
      [lost('B'), 'STORAGE'],
    ]);
    expect([asked.join(''), held()]).toEqual([`A${'B'.repeat(20)}C`, 0]);
  });

  test('[TOPO-15] keeps no process alive that closes its peer', async () => {
    const { environment, sending, asked } = sendingOn(['STORAGE']);
    sending.send('alice/cliff', { type: 'A' });
    await environment.settle();
    sending.close();
    await environment.advance(60_000);
    expect(asked).toEqual(['A']);
  });
});
