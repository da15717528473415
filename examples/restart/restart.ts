// The program of docs/server.md: what was answered is there after a restart, and what was sent meanwhile arrives.

import { mkdtempSync } from 'node:fs';
import { connect, serve } from 'lockstep/server';
import { assign, createMachine } from 'xstate';

const counter = createMachine({
  id: 'counter',
  context: { count: 0 },
  on: { add: { actions: assign({ count: ({ context }) => context.count + 1 }) } },
});
const options = { machines: { counter }, data: mkdtempSync('/tmp/lockstep-') };

const first = await serve({ ...options, port: 0 });
await first.create('counter', 'visits');
const client = await connect(first.url);
const visits = await client.watch('visits', counter);
console.log(await visits.submit({ type: 'add' }));
await first.close();

const answer = visits.submit({ type: 'add' });
console.log(visits.standing, visits.getSnapshot().context);

const second = await serve({ ...options, port: Number(new URL(first.url).port) });
console.log(await answer, visits.standing, visits.getSnapshot().context);
await client.close();
await second.close();
