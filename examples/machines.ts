// What `npm start` serves: the machines of the examples by name, and what the server does for them besides running them.

import type { Server } from '../server/index.ts';
import { door } from './door/door.machine.ts';
import { Company } from './foo-bar/company.ts';
import type { FooInput } from './foo-bar/foo.machine.ts';

const company = new Company();

export const machines = { door, foo: company.foo };

/**
 * Makes the instances that the pages show, unless the journal has them, and attends to foo. FOO_BORED_MS and FOO_HELLO_MS change foo's
 * patience, in milliseconds, when foo is made.
 * @returns what ends it.
 */
export async function start(server: Server): Promise<() => void> {
  await server.create('door', 'front');
  await server.create('foo', 'foo', { ...patience('boredAfterMs', process.env['FOO_BORED_MS']), ...patience('helloAfterMs', process.env['FOO_HELLO_MS']) });
  company.attend(server.peer, await server.peer.watch('foo'));
  return () => company.leave();
}

function patience(name: keyof FooInput, text: string | undefined): FooInput {
  return text === undefined || text === '' ? {} : { [name]: Number(text) };
}
