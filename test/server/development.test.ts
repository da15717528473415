// What a program that is being developed hears about functions that differ from replica to replica: from its server, and from a client that
// predicts with its own copy, in the report and in the trace. In production nothing is watched.

import { afterEach, expect, test, vi } from 'vitest';
import { assign, createMachine } from 'xstate';
import { now, random } from '../../core/chance.ts';
import { MemoryJournal } from '../../peer/memory.ts';
import type { Traced } from '../../peer/wire.ts';
import { connect, serve } from '../../server/index.ts';

const CLOCK =
  "machine 'desk', guard \"isOpen\" at /on/ENTER/guard: Date.now(). Each replica gets another answer; now() of 'lockstep' comes with the event";

/** Who enters is let in by the clock of the wall; who knocks, by that of the event. */
function desk(): unknown {
  return createMachine(
    {
      id: 'desk',
      context: { entered: 0, at: 0 },
      on: {
        ENTER: { guard: 'isOpen', actions: assign({ entered: ({ context }) => context.entered + 1 }) },
        KNOCK: { actions: assign({ at: () => now() + Math.floor(random() * 6) * 0 }) },
      },
    },
    { guards: { isOpen: () => Date.now() > 0 } },
  );
}

const endings: (() => unknown)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const end of endings.splice(0).reverse()) await end();
});

interface Heard {
  readonly warnings: readonly string[];
  readonly impurities: readonly Traced[];
  readonly context: unknown;
}

/** A server and a client that sends three events. @returns what each of them heard. */
async function play(development?: boolean): Promise<{ readonly server: Heard; readonly client: Heard }> {
  const heard = (): { warnings: string[]; traced: Traced[] } => ({ warnings: [], traced: [] });
  const [atServer, atClient] = [heard(), heard()];
  const given = development === undefined ? {} : { development };
  const server = await serve({
    port: 0,
    journal: new MemoryJournal(),
    machines: { desk: desk() },
    report: (_level, message) => atServer.warnings.push(message),
    ...given,
  });
  endings.push(() => server.close());
  await server.create('desk', 'main');
  const machine = desk();
  const client = await connect(server.url, {
    machines: { desk: machine },
    report: (_level, message) => atClient.warnings.push(message),
    ...given,
  });
  endings.push(() => client.close());
  client.tracer.listen((record) => atClient.traced.push(record));
  // As a tool hears it, over the wire.
  await client.trace('server', (record) => atServer.traced.push(record));
  const mirror = await client.watch('main', machine);
  for (const type of ['KNOCK', 'ENTER', 'ENTER']) await mirror.submit({ type });
  // What the server told before this answer is here by then.
  await client.list();
  const told = ({ warnings, traced }: ReturnType<typeof heard>): Heard => ({
    warnings,
    impurities: traced.filter(({ kind }) => kind === 'impurity'),
    context: mirror.getSnapshot().context,
  });
  return { server: told(atServer), client: told(atClient) };
}

test('[DET-5] server and client that are being developed report an impure function once each, with machine, path and name', async () => {
  const { server, client } = await play();
  expect(server.warnings).toEqual([CLOCK]);
  expect(client.warnings).toEqual([CLOCK]);
  const impurity = { machine: 'desk', path: '/on/ENTER/guard', kind: 'guard', name: 'isOpen', uses: 'Date.now()' };
  expect(server.impurities).toEqual([{ kind: 'impurity', peer: 'server', impurity }]);
  expect(client.impurities).toEqual([{ kind: 'impurity', peer: expect.any(String) as string, impurity }]);
  expect(server.context).toMatchObject({ entered: 2 });
});

test.each<[how: string, environment: string, development: boolean | undefined]>([
  ['NODE_ENV is production', 'production', undefined],
  ['the program says so', 'test', false],
])('[DET-6] nothing is watched when %s', async (_how, environment, development) => {
  vi.stubEnv('NODE_ENV', environment);
  const { server, client } = await play(development);
  expect([server.warnings, client.warnings, server.impurities, client.impurities]).toEqual([[], [], [], []]);
  expect(server.context).toMatchObject({ entered: 2 });
});

test('[DET-6] a program may ask for it in production', async () => {
  vi.stubEnv('NODE_ENV', 'production');
  expect((await play(true)).server.warnings).toEqual([CLOCK]);
});
