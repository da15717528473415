// foo's patience, on the test's clock.

import { expect, test } from 'vitest';
import { compileMachine } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import { LocalSystem } from '../../core/local.ts';
import { Machine } from '../../core/machine.ts';
import { foo } from '../../examples/foo-bar/foo.machine.ts';
import { TestEnvironment } from '../../peer/testing.ts';
import { testCore } from '../support/core.ts';

test('[WEB-7] foo says hello into a silence when somebody is there, once, and is bored after 15 s', async () => {
  const { bytes, symbols } = compileMachine(foo);
  const environment = new TestEnvironment();
  const actor = new LocalSystem(environment).start(Machine.load(await testCore(), bytes, bind(symbols, foo)));
  const log = (): unknown => (actor.getSnapshot().context as { log: { text: string }[] }).log.map(({ text }) => text);
  actor.send({ type: 'arrive', bar: 'x/bar' });
  await environment.advance(5_000);
  actor.send({ type: 'message', from: 'bar', text: '  ' });
  await environment.advance(4_999);
  expect(log()).toEqual([]);
  await environment.advance(1);
  expect(log()).toEqual(['hello']);
  await environment.advance(4_999);
  expect(actor.getSnapshot().matches('attentive')).toBe(true);
  await environment.advance(1);
  expect(actor.getSnapshot().matches('bored')).toBe(true);
  actor.send({ type: 'message', from: 'bar', text: 'hi' });
  expect(actor.getSnapshot().value).toEqual({ attentive: 'listening' });
});
