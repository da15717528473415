// The REPL's session in a world of its own: a server, a tab that hosts, and the REPL's peer, over links in memory.

import { PassThrough } from 'node:stream';
import { beforeEach, expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import type { Peer } from '../../peer/peer.ts';
import { formatNotice, formatResult, plainPaint } from '../../tools/repl/format.ts';
import { Loop, type LoopOptions } from '../../tools/repl/loop.ts';
import { ReplSession } from '../../tools/repl/session.ts';
import { testCore } from '../support/core.ts';
import { World } from '../support/world.ts';

let world: World;
let server: Peer;
let tab: Peer;
let session: ReplSession;
let notices: string[];
const files: Record<string, string> = {};

beforeEach(async () => {
  world = new World();
  server = await world.server({ acceptsDefinitions: true });
  tab = await world.peer('tab-1', { name: 'Ann', kind: 'browser', evaluate: (source) => `ran ${source}` });
  tab.machines.add('door', { definition: world.door });
  await world.get(server.create('door', { instance: 'front' }));
  await world.get(tab.host('back', 'door'));
  notices = [];
  session = await sessionFor((text) => notices.push(text));
});

async function sessionFor(notice: (text: string) => void): Promise<ReplSession> {
  return new ReplSession({
    peer: await world.peer('secret-of-repl', { name: 'repl', kind: 'tool', hosts: false }),
    core: await testCore(),
    environment: world.environment,
    readFile: async (path) => {
      const text = files[path];
      if (text === undefined) throw new LockstepError('BAD_PARAMS', `${path} cannot be read`);
      return text;
    },
    notice: (each) => notice(formatNotice(each, plainPaint)),
  });
}

/** What the line prints, or `CODE`. */
async function run(line: string): Promise<string> {
  try {
    const done = await world.get(session.run(line));
    return done === undefined ? '' : formatResult(done.result, plainPaint);
  } catch (error) {
    if (error instanceof LockstepError) return error.code;
    throw error;
  }
}

test('[TOOL-4] peers, ls and inspect tell what is where', async () => {
  expect(await run('peers')).toMatch(
    /^\* +\S+ +server +server +hosts\n +tab-1 +browser +Ann +hosts, eval\n +secret-of-repl +tool +repl +this one$/,
  );
  expect(await run('ls')).toMatch(/machines\n {2}door +[0-9a-f]{16}\ninstances\n {2}front +door +seq 1 +active +closed$/);
  expect(await run('ls Ann')).toContain('tab-1/back');
  const inspected = await run('inspect front');
  expect(inspected).toMatch(
    /status +active\nvalue +closed\ncontext +\{"opened":0,"names":\[\],"note":null\}\nseq +1 \(epoch \d+\)\ndigest +[0-9a-f]{16}\nclocks +door\.closed 1\ntimers +none$/,
  );
});

test('[TOOL-4] send is answered with its place in the order; context, timers and clocks follow', async () => {
  expect(await run('send front OPEN')).toBe('stepped front seq 2');
  expect(await run('send front NAME {"name": "Ann B"}')).toBe('stepped front seq 3');
  expect(await run('send front NAME {"name": ""}')).toBe('ignored front seq 4');
  const inspected = await run('inspect front');
  expect(inspected).toContain('"names":["Ann B"]');
  expect(inspected).toMatch(/timers +xstate\.after\.5000\.door\.open at /);
  expect(await run('time front open')).toBe('front open 1 active');
  expect(await run('time front closed')).toBe('front closed 2 inactive');
});

test('[TOOL-4] after use, bare names belong to that peer', async () => {
  expect(await run('use Ann')).toBe('attached to Ann (tab-1)');
  expect(await run('ls')).toContain('tab-1/back');
  expect(await run('send back OPEN')).toBe('stepped tab-1/back seq 2');
  expect(await run('time back open')).toContain('active');
  expect(await run('create door side {"opened": 7}')).toBe('created tab-1/side seq 1');
  expect(await run('inspect side')).toContain('"opened":7');
  expect(await run('delete side')).toBe('deleted tab-1/side');
  expect(await run('inspect side')).toBe('UNKNOWN_INSTANCE');
  expect(await run('use server')).toBe(`attached to server (${server.id!})`);
  expect(await run('send back OPEN')).toBe('UNKNOWN_INSTANCE');
  expect(await run('send tab-1/back CLOSE')).toBe('stepped tab-1/back seq 3');
});

test('[TOOL-4] watch prints changes by anyone until unwatch; a deletion is told', async () => {
  expect(await run('watch front')).toBe('watching front seq 1 closed {"opened":0,"names":[],"note":null}');
  const other = await world.get(tab.watch('front'));
  other.send({ type: 'OPEN' });
  await world.settle();
  expect(notices).toEqual(['front seq 2 closed → open /opened=1']);
  expect(await run('send front CLOSE')).toBe('stepped front seq 3');
  expect(notices.slice(1)).toEqual(['front seq 3 open → closed']);
  expect(await run('unwatch front')).toBe('no longer watching front');
  expect(await run('unwatch front')).toBe('BAD_PARAMS');
  await run('send front OPEN');
  expect(notices).toHaveLength(2);
  await run('watch front');
  await run('delete front');
  expect(notices.at(-1)).toMatch(/^front is gone/);
});

test('[TOOL-4] wait ends when the state matches, or in TIMEOUT', async () => {
  const waiting = session.run('wait front open 3s');
  await world.settle();
  const other = await world.get(tab.watch('front'));
  other.send({ type: 'OPEN' });
  expect((await world.get(waiting))?.result).toMatchObject({ kind: 'reached', instance: 'front', seq: 2, value: 'open' });
  expect(await run('wait front "open" 1ms')).toContain('is open');
  const late = session.run('wait front closed 3s');
  const refused = late.catch((error: unknown) => error);
  await world.settle();
  await world.advance(3_000);
  expect(await world.get(refused)).toMatchObject({ code: 'TIMEOUT', message: 'front is still "open" after 3000 ms, expected "closed"' });
  expect(await run('wait front nowhere')).toBe('BAD_PARAMS');
});

test('[TOOL-4] define publishes a file; what is wrong with it is said', async () => {
  files['lamp.json'] = JSON.stringify({ id: 'lamp', initial: 'off', states: { off: { on: { PRESS: 'on' } }, on: {} } });
  files['broken.json'] = '{';
  files['wrong.json'] = JSON.stringify({ id: 'w', initial: 'nowhere', states: { a: {} } });
  expect(await run('define lamp lamp.json')).toMatch(/^defined lamp image [0-9a-f]{16}$/);
  expect(await run('create lamp desk')).toBe('created desk seq 1');
  expect(await run('send desk PRESS')).toBe('stepped desk seq 2');
  expect(await run('define lamp nothing.json')).toBe('BAD_PARAMS');
  expect(await run('define lamp broken.json')).toBe('BAD_DEFINITION');
  expect(await run('define lamp wrong.json')).toBe('BAD_DEFINITION');
});

test('[TOOL-4] eval runs where a peer opted in, and is refused elsewhere', async () => {
  expect(await run('eval Ann 1 + 1')).toBe('ran 1 + 1');
  expect(await run('eval server 1 + 1')).toBe('FORBIDDEN');
});

test('[TOOL-4] trace prints every step of the attached peer, and stops', async () => {
  expect(await run('trace on')).toBe(`trace of ${server.id!} is on`);
  const other = await world.get(tab.watch('front'));
  other.send({ type: 'OPEN' });
  other.send({ type: 'NAME', name: '' });
  await world.settle();
  expect(notices.map((line) => line.replace(/^\S+ /, ''))).toEqual([
    'front#2 OPEN from Ann.1 -closed +open /opened=1 effects ring',
    'front#3 NAME from Ann.2 ignored',
  ]);
  expect(await run('trace')).toContain('is off');
  other.send({ type: 'CLOSE' });
  await world.settle();
  expect(notices).toHaveLength(2);
});

test('[TOOL-4] unknown names and wrong arguments get their codes, and the session goes on', async () => {
  const codes: string[] = [];
  for (const line of [
    'use nobody',
    'inspect nothing',
    'send nothing OPEN',
    'send front NOTHING',
    'send front OPEN 5',
    'create nothing',
    'create door front',
    'delete nothing',
    'trace maybe',
    'frobnicate',
    'help nothing',
  ]) {
    codes.push(`${line}: ${await run(line)}`);
  }
  expect(codes).toEqual([
    'use nobody: UNKNOWN_PEER',
    'inspect nothing: UNKNOWN_INSTANCE',
    'send nothing OPEN: UNKNOWN_INSTANCE',
    'send front NOTHING: UNKNOWN_EVENT',
    'send front OPEN 5: BAD_PARAMS',
    'create nothing: UNKNOWN_MACHINE',
    'create door front: EXISTS',
    'delete nothing: UNKNOWN_INSTANCE',
    'trace maybe: BAD_PARAMS',
    'frobnicate: UNKNOWN_METHOD',
    'help nothing: UNKNOWN_METHOD',
  ]);
  expect(await run('send front OPEN')).toBe('stepped front seq 2');
});

test('[TOOL-4] an authority that does not answer ends in TIMEOUT, not in a script that hangs', async () => {
  await run('watch front');
  world.network('secret-of-repl').cut();
  const sent = session.run('send front OPEN').catch((error: unknown) => error);
  await world.advance(10_000);
  expect(await world.get(sent)).toMatchObject({ code: 'TIMEOUT' });
});

test('[TOOL-1] completion offers the names of the attached peer, and events and states of instances that were met', async () => {
  await run('ls');
  await run('inspect front');
  expect(session.names.instances).toEqual(['front']);
  expect(session.names.machines).toEqual(['door']);
  expect(session.names.peers).toEqual(expect.arrayContaining(['server', 'Ann', 'tab-1']));
  expect(session.names.events('front')).toEqual(expect.arrayContaining(['OPEN', 'CLOSE', 'NAME']));
  expect(session.names.events('front').every((type) => !type.startsWith('xstate.'))).toBe(true);
  expect(session.names.states('front')).toEqual(['door.closed', 'door.open', 'door.gone']);
  await run('use Ann');
  expect(session.names.instances).toEqual(['back']);
});

// ── The loop ─────────────────────────────────────────────────────────────────────────────────────────────────────

async function pipe(lines: string, options: Partial<LoopOptions> = {}): Promise<{ readonly code: number; readonly printed: string }> {
  const input = new PassThrough();
  const output = new PassThrough();
  let printed = '';
  output.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const loop = new Loop({
    input,
    output,
    isTerminal: false,
    json: false,
    commands: [],
    history: [],
    historyChanged: () => undefined,
    ...options,
  });
  input.end(lines);
  const running = loop.run(session);
  let isDone = false;
  void running.then(() => (isDone = true));
  while (!isDone) {
    await world.settle();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { code: await running, printed };
}

test('[TOOL-3] a pipe runs line by line, goes on after a failure, and says so in its exit code', async () => {
  expect(await pipe('# a comment\n\nsend front OPEN\nsend nothing OPEN\nsend front CLOSE')).toEqual({
    code: 1,
    printed: expect.stringMatching(/^stepped front seq 2\nUNKNOWN_INSTANCE .*\nstepped front seq 3\n$/),
  });
  expect(await pipe('send front OPEN\nquit\nsend front CLOSE')).toEqual({ code: 0, printed: 'stepped front seq 4\n' });
  expect(await pipe('')).toEqual({ code: 0, printed: '' });
});

test('[TOOL-3] --json prints one object per command, whatever comes of it', async () => {
  const { code, printed } = await pipe('send front OPEN\nsend front\nquit\n', { json: true });
  expect(code).toBe(1);
  expect(
    printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    { command: 'send', ok: true, instance: 'front', event: 'OPEN', outcome: 'stepped', seq: 2 },
    {
      command: 'send',
      ok: false,
      error: { code: 'BAD_PARAMS', message: 'send needs EVENT: send INSTANCE EVENT [JSON]', retryable: false },
    },
    { command: 'quit', ok: true },
  ]);
});

test('[TOOL-3] commands given as arguments run instead of the input', async () => {
  expect(await pipe('send front CLOSE\n', { commands: ['send front OPEN', 'time front open'] })).toEqual({
    code: 0,
    printed: 'stepped front seq 2\nfront open 1 active\n',
  });
});

test('[TOOL-17] mutations of relational machines, waiting for several states, and what is shown of them', async () => {
  const gate = {
    dialect: 'relational',
    id: 'gate',
    states: { Open: { remove: 'Shut' }, Shut: { remove: 'Open' }, Lit: {}, Locked: { require: 'Shut' } },
    handlers: { LockedEnter: ({ args }: { args: { key?: number } | null }) => args?.key === 42 },
  };
  server.machines.add('gate', { definition: gate });
  await world.get(server.create('gate', { instance: 'west' }));
  const waiting = session.run('when west Open,-Lit');
  expect(await run('add west Lit,Shut')).toBe('executed west seq 2 Lit Shut');
  expect(await run('add west Locked {"key": 1}')).toBe('cancelled west seq 3 Lit Shut');
  expect(await run('add west Locked {"key": 42}')).toBe('executed west seq 4 Lit Locked Shut');
  expect(await run('set west Open')).toBe('executed west seq 5 Open');
  expect((await world.get(waiting))?.result).toMatchObject({ kind: 'reached', seq: 5, value: ['Open'] });
  expect(await run('when west Open,-Lit')).toBe('west seq 5 is Open');
  expect(await run('toggle west Lit')).toBe('executed west seq 6 Lit Open');
  expect(await run('remove west Lit,Open')).toBe('executed west seq 7 nothing');
  expect(await run('inspect west')).toMatch(
    /status +active\nactive +nothing\nseq +7 \(epoch \d+\)\ndigest +\w+\nclocks +Exception 0, Lit 4, Locked 2, Open 2, Shut 2\ntimers +none$/,
  );
  await run('trace on');
  await run('add west Open');
  expect(notices.at(-1)).toMatch(/west#8 relational\.add Open from repl\.\d+ \+Open$/);
  const late = session.run('when west Locked 3s').catch((error: unknown) => (error as LockstepError).message);
  await world.advance(3_000);
  expect(await world.get(late)).toBe('west is still {"Open":{}} after 3000 ms, expected Locked');
  const refusals = [
    'add west',
    'add west Nobody',
    'add west -Lit',
    'add west Lit,,Open',
    'when west Nobody',
    'add front Open',
    'when west Open soon',
  ];
  for (const line of refusals) expect([line, await run(line)]).toEqual([line, 'BAD_PARAMS']);
});
