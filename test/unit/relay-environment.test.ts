// When what a peer says leaves it: a client's before its turn ends, a server's with everything else of the turn.

import { expect, test } from 'vitest';
import type { Environment } from '../../peer/environment.ts';
import { Outbox } from '../../peer/outbox.ts';
import { clientEnvironment, nodeEnvironment } from '../../relay/environment.ts';

/** What left, and where the turn ended, when two messages were posted in one callback and the promise behind it. */
async function said(environment: Environment): Promise<readonly unknown[]> {
  const told: unknown[] = [];
  const outbox = new Outbox({ environment, frameSize: 1_000, deliver: (address, body) => told.push([address, body]) });
  await new Promise<void>((done) => {
    // In one callback of the event loop, as a socket has it.
    setTimeout(() => {
      setImmediate(() => {
        told.push('the turn ends');
        setImmediate(done);
      });
      void Promise.resolve().then(() => {
        outbox.post('a', '1');
        void Promise.resolve().then(() => outbox.post('a', '2'));
      });
    }, 0);
  });
  return told;
}

test('[RELAY-24] what a client says leaves together, before its turn ends', async () => {
  expect(await said(clientEnvironment)).toEqual([['a', '[1,2]'], 'the turn ends']);
});

test('[RELAY-24] what a server says leaves when its turn ends', async () => {
  expect(await said(nodeEnvironment)).toEqual(['the turn ends', ['a', '[1,2]']]);
});
