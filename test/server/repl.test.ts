// The real command, as built, through a pipe, against a real server and a tab-like peer on real sockets.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { door } from '../../examples/door/door.machine.ts';
import type { Peer } from '../../peer/peer.ts';
import { connect, MemoryJournal, serve, type Server } from '../../server/index.ts';
import { CLI } from '../support/command.ts';

let server: Server;
let tab: Peer;
let directory: string;

beforeAll(async () => {
  if (!existsSync(CLI)) throw new Error(`${CLI} is not built: npm run build`);
  directory = mkdtempSync(join(tmpdir(), 'lockstep-repl-'));
  server = await serve({ port: 0, journal: new MemoryJournal(), machines: { door }, acceptsDefinitions: true });
  await server.create('door', 'front');
  tab = await connect(server.url, { name: 'Ann', kind: 'browser', machines: { door }, evaluate: (source) => `ran ${source}` });
  await tab.host('back', 'door');
});

afterAll(async () => {
  await tab.close();
  await server.close();
  rmSync(directory, { recursive: true });
});

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const repl = (input: string, ...args: readonly string[]): Promise<Ran> => lockstep(input, 'repl', ...args);

function lockstep(input: string, ...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], { stdio: 'pipe', env: { ...process.env, HOME: directory } });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.end(input);
  });
}

test('[TOOL-3] a script from a pipe drives a server, sees its changes, and exits with 0', async () => {
  const { code, out, err } = await repl(
    'watch front\nsend front open {"by": "Ann"}\nwait front open 5s\ntime front open\nsend front close\ninspect front\n',
    server.url,
  );
  expect(err).toBe('');
  expect(
    out
      .replaceAll(/\d{13}|[0-9a-f]{16}/g, '…')
      .trimEnd()
      .split('\n'),
  ).toEqual([
    'watching front seq 1 closed {"opened":0,"by":"nobody"}',
    'front seq 2 closed → open context={"opened":1,"by":"Ann"}',
    'stepped front seq 2',
    'front seq 2 is open',
    'front open 1 active',
    'front seq 3 open → closed /by="somebody"',
    'stepped front seq 3',
    'instance front',
    'machine  door',
    'image    …',
    'status   active',
    'value    closed',
    'context  {"opened":1,"by":"somebody"}',
    'seq      3 (epoch …)',
    'digest   …',
    'clocks   door.closed 3, door.open 2',
    'timers   none',
  ]);
  expect(code).toBe(0);
});

test('[TOOL-4] the same commands reach a tab through the relay', async () => {
  const { code, out } = await repl('use Ann\nls\nsend back open\nwait back open\neval Ann 6 * 7\n', server.url);
  const back = `${tab.id!}/back`;
  expect(out).toContain(`attached to Ann (${tab.id!})`);
  expect(out).toContain(`stepped ${back} seq 2`);
  expect(out).toContain(`${back} seq 2 is open`);
  expect(out).toContain('ran 6 * 7');
  expect((await tab.watch(back)).getSnapshot().value).toBe('open');
  expect(code).toBe(0);
});

test('[TOOL-3] what fails is told with its code; the rest is done; the exit code is 1', async () => {
  const { code, out } = await repl('send front nonsense\nsend nothing open\nfrobnicate\neval server 1\nls\n', server.url);
  expect(out).toContain('UNKNOWN_EVENT front takes no event "nonsense"; it takes open, lock, close, unlock');
  expect(out).toContain('UNKNOWN_INSTANCE ');
  expect(out).toContain('UNKNOWN_METHOD ');
  expect(out).toContain('FORBIDDEN ');
  expect(out).toMatch(/front +door +seq 3/);
  expect(code).toBe(1);
});

test('[TOOL-3] --json and -c serve scripts', async () => {
  const file = join(directory, 'lamp.json');
  writeFileSync(file, JSON.stringify({ id: 'lamp', initial: 'off', states: { off: { on: { PRESS: 'on' } }, on: {} } }));
  const { code, out } = await repl(
    '',
    server.url,
    '--json',
    '-c',
    `define lamp ${file}`,
    '-c',
    'create lamp desk',
    '-c',
    'send desk PRESS',
    '-c',
    'inspect desk',
  );
  const answers = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { command: string; ok: boolean; detail?: { value: unknown } });
  expect(answers.map(({ command, ok }) => [command, ok])).toEqual([
    ['define', true],
    ['create', true],
    ['send', true],
    ['inspect', true],
  ]);
  expect(answers[3]?.detail?.value).toBe('on');
  expect(code).toBe(0);
});

test('[TOOL-3] wrong arguments are explained with exit code 2, help with 0', async () => {
  expect(await repl('', 'nonsense')).toMatchObject({ code: 2, err: expect.stringContaining('"nonsense" is no URL of a server') });
  expect(await repl('', '--nonsense')).toMatchObject({ code: 2 });
  expect(await repl('', '--help')).toMatchObject({ code: 0, out: expect.stringContaining('send INSTANCE EVENT [JSON]') });
});

test.each(['serve', 'relay', 'repl', 'inspect', 'check', 'build'])('[TOOL-22] %s says with -h how it is asked', async (name) => {
  expect(await lockstep('', name, '-h')).toMatchObject({ code: 0, out: expect.stringMatching(`^lockstep ${name} `), err: '' });
  expect(await lockstep('', name, '--wat')).toEqual({ code: 2, out: '', err: "lockstep: Unknown option '--wat'\n" });
});

test.each(['serve', 'relay'])('[TOOL-22] %s takes no words', async (name) => {
  expect(await lockstep('', name, 'now')).toEqual({ code: 2, out: '', err: 'lockstep: options are expected, found "now" besides\n' });
});

test('[TOOL-22] help of a command is what the command says of itself', async () => {
  expect(await lockstep('', 'help', 'serve')).toEqual(await lockstep('', 'serve', '--help'));
  expect(await lockstep('', 'help', 'served')).toMatchObject({ code: 2, err: expect.stringContaining('no command "served"') });
});

test.each([
  [['serve', '--relay', 'nowhere', '--key', 'k'], '"nowhere" is no URL of a server'],
  [['serve', '--inspect', 'nowhere'], '"nowhere" is no URL of a server'],
  [['serve', '--pages', 'nowhere'], '"nowhere" is no folder'],
  [['serve', '--port', 'nowhere'], 'a port is a number from 0 to 65535, found "nowhere"'],
  [['repl', '--timeout', 'soon'], '"soon" is no duration'],
])('[TOOL-22] %j is not understood', async (args, sentence) => {
  expect(await lockstep('', ...args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(sentence) });
});

test('[TOOL-22] a folder that cannot be written, and a port that is in use, are named in one sentence with exit code 1', async () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  const machine = `export const lamp = { id: 'lamp', dialect: 'relational', states: { On: {} } };\n`;
  mkdirSync(join(directory, 'machines'));
  writeFileSync(join(directory, 'machines', 'lamp.mjs'), machine);
  const built = await lockstep('', 'build', '--out', file, join(directory, 'machines'));
  expect(built).toEqual({ code: 1, out: '', err: expect.stringMatching(/^lockstep: .*file cannot be written: EEXIST.*\n$/) });
  const { port } = new URL(server.url);
  for (const args of [['relay'], ['inspect', server.url], ['serve', '--data', directory]])
    expect(await lockstep('', ...args, '--port', port)).toEqual({
      code: 1,
      out: '',
      err: `lockstep: port ${port} of 127.0.0.1 is in use by another program; PORT chooses another\n`,
    });
});

test('[TOOL-3] where nobody answers the command ends by itself with 1, and says what came of dialing', async () => {
  const { code, err } = await repl('ls\n', 'ws://127.0.0.1:9', '--timeout', '300ms');
  expect(err).toMatch(/nobody answers at ws:\/\/127\.0\.0\.1:9 \(.*ECONNREFUSED/);
  expect(code).toBe(1);
});
