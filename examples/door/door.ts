// The README's example: one door, a server and two clients in step. `npm run door` runs it.

import { connect, MemoryJournal, serve } from 'lockstep/server';
import { createMachine } from 'xstate';

const door = createMachine({
  id: 'door',
  initial: 'closed',
  states: { closed: { on: { open: 'opened' } }, opened: { on: { close: 'closed' } } },
});

const server = await serve({ machines: { door }, port: 0, journal: new MemoryJournal() });
await server.create('door', 'front');

const [mine, theirs] = await Promise.all([connect(server.url), connect(server.url)]);
const here = await mine.watch('front', door);
const there = await theirs.watch('front', door);

here.send({ type: 'open' });
console.log('here: ', here.getSnapshot().value, here.standing);
await there.when('opened');
console.log('there:', there.getSnapshot().value, there.standing);

await Promise.all([mine.close(), theirs.close()]);
await server.close();
