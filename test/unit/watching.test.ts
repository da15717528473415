// How a mirror asks to be told, against an upstream that the test answers for: questions that end late must not be taken for later ones.

import { expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import type { Machine } from '../../core/machine.ts';
import { TestEnvironment } from '../../peer/testing.ts';
import type { Upstream, WatchAsked } from '../../peer/upstream.ts';
import { Watching } from '../../peer/watching.ts';
import type { WatchResult } from '../../peer/wire.ts';

function asked() {
  const questions: WatchAsked[] = [];
  const upstream: Pick<Upstream, 'environment' | 'watch' | 'stalled' | 'entered'> = {
    environment: new TestEnvironment(),
    watch: (_from, question) => void questions.push(question),
    stalled: () => undefined,
    entered: () => undefined,
  };
  const watching = new Watching(
    {
      id: 'front',
      epoch: 1,
      have: () => ({ epoch: 1, seq: 3, digest: '' }),
      machineOf: () => ({}) as Machine,
      entered: () => undefined,
      stepped: () => undefined,
      changed: () => undefined,
      cutOff: () => undefined,
      close: (error) => {
        throw error;
      },
    },
    upstream as Upstream,
    { isPatient: true, isHeld: false },
  );
  return { questions, watching };
}

test('[SYNC-8] a question that is still open when its mirror was told on another way stays unwanted, however many come after it', () => {
  const { questions, watching } = asked();
  watching.ask(true);
  const [first] = questions;
  watching.cutOff(false);
  watching.ask(true);
  questions[1]!.answered(undefined, { room: 1, epoch: 1, image: '' } as WatchResult);
  expect([watching.told?.room, first!.isWanted()]).toEqual([1, false]);
  for (let i = 0; i < 3; i++) {
    watching.ask(true);
    expect([first!.isWanted(), questions.at(-1)!.isWanted()]).toEqual([false, true]);
    questions.at(-1)!.answered(new LockstepError('CLOSED', 'the link broke'));
  }
});
