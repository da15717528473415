// What `npm start` serves: the machines of the examples by name, the instances that the pages show, and what the server does besides.

import type { Server } from '../server/index.ts';
import { board } from './board/board.machine.ts';
import { door } from './door/door.machine.ts';
import { Company } from './foo-bar/company.ts';
import type { FooInput } from './foo-bar/foo.machine.ts';
import { RelationalCompany } from './foo-bar/relational/company.ts';

/** foo's patience in milliseconds can be set from outside; it counts when foo is made. */
const { FOO_HELLO_MS, FOO_BORED_MS } = process.env;

const company = new Company();
const relationalCompany = new RelationalCompany({
  helloAfterMs: 10_000,
  boredAfterMs: 15_000,
  ...patience('helloAfterMs', FOO_HELLO_MS),
  ...patience('boredAfterMs', FOO_BORED_MS),
});

export const machines = { board, door, foo: company.foo, 'relational-foo': relationalCompany.foo };

export const instances = {
  front: { machine: 'door' },
  'board:team': { machine: 'board', input: { title: 'Team' } },
  'board:garden': { machine: 'board', input: { title: 'Garden' } },
  foo: { machine: 'foo', input: { ...patience('helloAfterMs', FOO_HELLO_MS), ...patience('boredAfterMs', FOO_BORED_MS) } },
  'relational-foo': { machine: 'relational-foo' },
};

/** @returns what ends it. */
export async function start({ peer }: Server): Promise<() => void> {
  company.attend(peer, await peer.watch('foo'));
  await relationalCompany.attend(peer);
  return () => {
    company.leave();
    relationalCompany.leave();
  };
}

function patience(name: keyof FooInput, text: string | undefined): FooInput {
  return text === undefined || text === '' ? {} : { [name]: Number(text) };
}
