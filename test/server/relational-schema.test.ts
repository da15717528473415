// A schema that grows, and kill -9 behind it: SQLite, real sockets, faces of mirrors that outlive the server.

import { afterAll, expect, test } from 'vitest';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import { connect } from '../../server/connect.ts';
import { ServerProcess } from '../browser/server-process.ts';

const server = new ServerProcess({}, ['--define']);

afterAll(() => server.remove());

test(
  '[REL-39] kill -9 behind a schema that grew: the server comes back with it, and what waits on mirrors waits on',
  { timeout: 100_000 },
  async () => {
    await server.start();
    const [a, b] = [await connect(server.url), await connect(server.url)];
    const old = { dialect: 'relational', id: 'm', states: { A: {}, B: {} } };
    await a.define('m', { definition: old });
    await a.create('m', { instance: 'one' });
    const one = new RelationalMirror(await a.watch('one'));
    const two = new RelationalMirror(await b.watch('one'));
    await one.add(['A', 'B']);
    await one.remove('B');
    await a.define('m', { definition: { ...old, states: { ...old.states, C: { require: 'A' } }, names: ['A', 'B', 'Exception', 'C'] } });
    const waiting = two.whenQuery((clock) => (clock as Record<string, number>)['C'] === 1);
    await one.setSchema();
    await server.kill();
    await server.start();
    await one.add('C' as never);
    await waiting;
    await server.kill();
    await server.start();
    await two.add('B');
    const c = await connect(server.url);
    const three = new RelationalMirror(await c.watch('one'));
    expect([one.version, two.version, three.version, three.time(), three.mirror.digest === two.mirror.digest]).toEqual([
      4,
      4,
      4,
      [1, 3, 0, 1],
      true,
    ]);
    for (const peer of [a, b, c]) await peer.close();
  },
);
