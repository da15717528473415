// A server that was started again tells tools what its machines did before.

import { afterEach, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { MemoryJournal } from '../../peer/memory.ts';
import { connect, serve, type ServeOptions } from '../../server/index.ts';

const lamp = createMachine({ id: 'lamp', initial: 'off', states: { off: { on: { PRESS: 'on' } }, on: { on: { PRESS: 'off' } } } });
const everybody = (): boolean => true;

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** What `act` does on a server over this journal, and what a tool that comes then sees of its trace. */
async function traceAfter(options: ServeOptions, act: (server: Awaited<ReturnType<typeof serve>>) => Promise<unknown>): Promise<string[]> {
  const server = await serve({ port: 0, ...options });
  endings.push(() => server.close());
  await act(server);
  const tool = await connect(server.url);
  endings.push(() => tool.close());
  const seen: string[] = [];
  await tool.trace('server', (record) => record.kind === 'step' && seen.push(`${record.step.instance} ${record.step.seq}`), 1_024);
  for (const end of endings.splice(0).reverse()) await end();
  return seen;
}

test('[TOOL-21] the trace of a server that was started again begins with the steps in its journal, by their clocks, and goes on', async () => {
  const options = { journal: new MemoryJournal(), machines: { lamp } };
  const first = ['hall 1', 'attic 1', 'attic 2', 'hall 2'];
  expect(
    await traceAfter(options, async ({ peer, create }) => {
      for (const name of ['hall', 'attic']) await create('lamp', name);
      for (const name of ['attic', 'hall']) await (await peer.watch(name, lamp)).submit({ type: 'PRESS' });
    }),
  ).toEqual(first);
  expect(await traceAfter(options, async ({ peer }) => (await peer.watch('attic', lamp)).submit({ type: 'PRESS' }))).toEqual([
    ...first,
    'attic 3',
  ]);
});

test('[TOOL-21] of a guarded instance nobody is told what it did before', async () => {
  const guarded = { machine: lamp, allowRead: everybody, allowWrite: everybody, views: { full: 'all' as const } };
  const options = { journal: new MemoryJournal(), machines: { lamp: guarded } };
  expect(await traceAfter(options, ({ create }) => create('lamp', 'hall'))).toEqual(['hall 1']);
  expect(await traceAfter(options, async ({ peer }) => (await peer.watch('hall', lamp)).submit({ type: 'PRESS' }))).toEqual(['hall 2']);
});
