// The REPL as a person has it: under a pseudo terminal, with a prompt, Tab, arrows, colours, and events that come while a line is being typed.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { door } from '../../examples/door/door.machine.ts';
import { MemoryJournal, serve, type Server } from '../../server/index.ts';
import type { Mirror } from '../../peer/mirror.ts';
import { CLI } from '../support/command.ts';
import { KEYS, Screen, Terminal } from '../support/terminal.ts';

let server: Server;
let front: Mirror;
let home: string;
let terminal: Terminal | undefined;

beforeAll(async () => {
  if (!existsSync('/usr/bin/script')) throw new Error('these tests need `script` (util-linux, Debian package bsdutils) at /usr/bin/script');
  home = mkdtempSync(join(tmpdir(), 'lockstep-terminal-'));
  server = await serve({ port: 0, journal: new MemoryJournal(), machines: { door } });
  await server.create('door', 'front');
  front = await server.peer.watch('front');
});

afterEach(() => terminal?.kill());

afterAll(async () => {
  await server.close();
  rmSync(home, { recursive: true });
});

async function sit(): Promise<Terminal> {
  terminal = new Terminal([process.execPath, CLI, 'repl', server.url], { HOME: home });
  await terminal.endsWith('server>');
  return terminal;
}

test('[TOOL-16] a prompt greets, Tab completes commands, instances and events, colours are on, ctrl-D ends with 0', async () => {
  const at = await sit();
  expect(at.screen.lines()).toEqual([`${server.url}: 2 peers. Type help for what can be done here.`, 'server>']);
  // What there is is asked for when Tab is pressed: events and states of an instance that was not met before too.
  at.type(`time front door.cl${KEYS.tab}`);
  await at.endsWith('server> time front door.closed');
  at.type(KEYS.ctrlC);
  await at.endsWith('server>');
  at.type(`insp${KEYS.tab}`);
  await at.endsWith('server> inspect');
  at.type(`fr${KEYS.tab}`);
  await at.endsWith('server> inspect front');
  at.type(KEYS.enter);
  await at.shows('value    closed');
  await at.endsWith('server>');
  at.type(`sen${KEYS.tab}`);
  await at.endsWith('server> send');
  at.type(`fr${KEYS.tab}`);
  await at.endsWith('server> send front');
  at.type(`op${KEYS.tab}`);
  await at.endsWith('server> send front open');
  at.type(KEYS.enter);
  await at.shows('stepped front seq 2');
  expect(at.raw).toContain('\u001b[32mstepped\u001b[0m front seq 2');
  at.type(`frobnicate${KEYS.enter}`);
  await at.shows('UNKNOWN_METHOD no command "frobnicate"; try help');
  expect(at.raw).toContain('\u001b[31mUNKNOWN_METHOD\u001b[0m');
  await at.endsWith('server>');
  at.type(KEYS.ctrlD);
  expect(await at.ended).toBe(0);
  expect(at.screen.lines().slice(-2)).toEqual(['server>', '']);
});

test('[TOOL-16] two Tabs list what fits', async () => {
  const at = await sit();
  at.type(`un${KEYS.tab}`);
  await at.endsWith('server> unwatch');
  at.type(`${KEYS.ctrlC}wa${KEYS.tab}`);
  await at.endsWith('server> wa');
  at.type(KEYS.tab);
  await at.until((lines) => lines.some((line) => /^watch +wait/.test(line)) && lines.at(-1) === 'server> wa', 'watch and wait');
  at.type(`${KEYS.ctrlC}${KEYS.ctrlD}`);
  expect(await at.ended).toBe(0);
});

test('[TOOL-16] arrows bring earlier lines back, from the last session too', async () => {
  let at = await sit();
  at.type(`peers${KEYS.enter}`);
  await at.shows(/^\* +server/);
  await at.endsWith('server>');
  at.type(`ls${KEYS.enter}`);
  await at.shows('instances');
  await at.endsWith('server>');
  at.type(KEYS.up);
  await at.endsWith('server> ls');
  at.type(KEYS.up);
  await at.endsWith('server> peers');
  at.type(KEYS.down);
  await at.endsWith('server> ls');
  at.type(`${KEYS.ctrlC}quit${KEYS.enter}`);
  expect(await at.ended).toBe(0);
  expect(readFileSync(join(home, '.lockstep_history'), 'utf8').split('\n').slice(0, 3)).toEqual(['quit', 'ls', 'peers']);
  at = await sit();
  at.type(KEYS.up + KEYS.up);
  await at.endsWith('server> ls');
});

test('[TOOL-16] what happens meanwhile stands above the line being typed, however long that is, and the cursor stays in its place', async () => {
  const at = await sit();
  const begin = front.getSnapshot().value === 'open' ? 'close' : 'open';
  const end = begin === 'open' ? 'close' : 'open';
  at.type(`watch front${KEYS.enter}`);
  await at.shows(/^watching front seq \d+/);
  await at.endsWith('server>');
  at.type('send front');
  await at.endsWith('server> send front');
  await front.submit({ type: begin, by: 'Ann' });
  const change = `front seq ${front.seq} ${end === 'open' ? 'open' : 'closed'} → `;
  let lines = await at.until((each) => each.at(-2)?.startsWith(change) === true && each.at(-1) === 'server> send front', change);
  expect(lines.filter((line) => line.startsWith('server> send'))).toHaveLength(1);

  // Two rows and a bit, with the cursor moved back to the first row.
  const long = ` ${begin} {"by":"${'x'.repeat(170)}"}`;
  at.type(long + KEYS.left.repeat(171));
  const typed = `server> send front${long}`;
  const rows = [typed.slice(0, 80), typed.slice(80, 160), typed.slice(160)];
  await at.until((each) => each.slice(-3).join() === rows.join(), 'a long line');
  await front.submit({ type: end, by: 'Bob' });
  lines = await at.until(
    (each) => each.some((line) => line.startsWith(`front seq ${front.seq} `)) && each.slice(-3).join() === rows.join(),
    'both',
  );
  expect(lines.slice(-5, -3).join('\n')).toContain(`front seq ${front.seq} `);
  // What is typed now goes to where the cursor was.
  at.type('y');
  const changed = `${typed.slice(0, -171)}y${typed.slice(-171)}`;
  await at.until((each) => each.slice(-3).join('') === changed, changed);
  at.type(`${KEYS.ctrlC}${KEYS.ctrlD}`);
  expect(await at.ended).toBe(0);
});

test('[TOOL-16] what is typed while a command runs is there when it is done', async () => {
  const at = await sit();
  const other = front.getSnapshot().value === 'open' ? 'closed' : 'open';
  at.type(`wait front ${other} 20s${KEYS.enter}`);
  await at.endsWith('');
  at.type('peers');
  await at.endsWith('peers');
  await front.submit({ type: other === 'open' ? 'open' : 'close' });
  const lines = await at.endsWith('server> peers');
  expect(lines.at(-2)).toBe(`front seq ${front.seq} is ${other}`);
  at.type(KEYS.enter);
  await at.shows(/^\* +server/);
});

test('[TOOL-16] ctrl-C gives up the line; on an empty one, and while a command runs, it leaves with 0', async () => {
  let at = await sit();
  at.type('send front nonsense');
  await at.endsWith('server> send front nonsense');
  at.type(KEYS.ctrlC);
  await at.endsWith('server>');
  at.type(KEYS.ctrlC);
  expect(await at.ended).toBe(0);
  at = await sit();
  const never = front.getSnapshot().value === 'open' ? 'closed' : 'open';
  at.type(`wait front ${never} 10m${KEYS.enter}`);
  await at.endsWith('');
  at.type(KEYS.ctrlC);
  expect(await at.ended).toBe(0);
});

test('[TOOL-16] the screen of these tests does what terminals do', () => {
  const screen = new Screen(5);
  screen.write('abcdefg\r\n\u001b[31mred\u001b[0m\u001b[1A\u001b[1GX\u001b[');
  screen.write('0Kz\n\r\u001b[0J!');
  expect(screen.lines()).toEqual(['abcde', 'Xz', '!']);
});
