// `lockstep check` as a person and as a CI job meet it: files in, paragraphs or JSON out, and the exit code.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { command } from '../../tools/check/command.ts';
import { positionOf } from '../../tools/check/position.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-check-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  return path;
}

async function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const hear = (where: 'out' | 'err') => (text: unknown) => {
    said[where] += String(text);
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(hear('out')),
    vi.spyOn(process.stderr, 'write').mockImplementation(hear('err')),
  ];
  try {
    return { code: await command.run(args), ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

const clean = file('clean.json', { id: 'clean', initial: 'a', states: { a: { on: { GO: 'b' } }, b: { on: { BACK: 'a' } } } });
const stuck = file('stuck.json', {
  id: 'stuck',
  initial: 'a',
  states: {
    a: { on: { GO: [{ guard: 'isReady', target: 'b' }] }, after: { patience: 'a' }, invoke: { src: 'worker', onDone: 'a' } },
    b: {},
    c: {},
  },
});

test('[CHECK-13] JSON with expressions is computed with, what it only names gets stand-ins; a relational machine is one', async () => {
  const expression = (text: string): object => ({ '@expr': text });
  const shop = file('shop.json', {
    id: 'shop',
    '@exprLang': 'lockstep',
    initial: 'open',
    context: { total: 0 },
    states: {
      open: {
        on: {
          ADD: { guard: expression('context.total < 3'), context: { total: expression('context.total + 1') }, actions: { type: 'ring' } },
          LEAVE: { guard: { type: 'isAllowed' }, target: 'gone' },
        },
      },
      gone: { type: 'final' },
    },
  });
  expect(await run('--json', shop)).toMatchObject({ code: 0, out: expect.stringContaining('"configurations":8') });
  const gate = file('gate.json', { id: 'gate', dialect: 'relational', states: { Open: { remove: 'Shut' }, Shut: { remove: 'Open' } } });
  expect(await run(gate)).toMatchObject({ code: 0, out: expect.stringContaining('gate') });
});

test('[CHECK-9] exit codes: clean, findings, not checked; one file that fails keeps no other from being checked', async () => {
  expect(await run(clean)).toMatchObject({ code: 0, out: `clean (${clean}): clean in 2 configurations\n` });
  expect((await run(stuck)).code).toBe(1);
  const none = join(folder, 'none.json');
  const failed = await run(none, clean);
  expect(failed).toMatchObject({ code: 2, out: expect.stringContaining('clean in 2') as string });
  expect(failed.err).toMatch(/none\.json: BAD_DEFINITION .*cannot be read/);
  expect(await run(file('list.json', []))).toMatchObject({ code: 2 });
  expect(await run('--max', '1', clean)).toMatchObject({ code: 2, out: expect.stringContaining('NOT ALL') as string });
  await expect(run()).rejects.toThrow('needs files');
  await expect(run('--max', 'many', clean)).rejects.toThrow('"many"');
});

test('[CHECK-9] modules are checked like files, each of their machines', async () => {
  const module = file(
    'machines.mjs',
    `const machine = (states) => ({ config: { id: 'it', initial: 'a', states }, implementations: { guards: { ok: () => true } } });
     export const good = machine({ a: { type: 'final' } });
     export const bad = machine({ a: { on: { GO: { guard: 'ok', target: 'b' } } }, b: {} });`,
  );
  const { code, out } = await run('--json', module);
  const reports = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { findings: { kind: string }[] });
  expect(code).toBe(1);
  expect(reports.map(({ findings }) => findings.map(({ kind }) => kind))).toEqual([[], ['deadlock']]);
});

test('[CHECK-8] the report shows place, finding and way, guards answered', async () => {
  const { out } = await run(stuck);
  expect(out).toBe(
    `stuck (${stuck}): 2 findings in 2 configurations, 1 guard answered both ways
  unreachable  ${stuck}:23:10 /states/c: nothing leads to the state 'stuck.c'
  deadlock     ${stuck}:22:10 /states/b: nothing can happen in b, and the machine is not done
                 (start) → a
                 GO (isReady: yes) → b
`,
  );
});

test('[CHECK-10] a JSON report has positions, too', async () => {
  const { out } = await run('--json', stuck);
  expect(JSON.parse(out)).toMatchObject({ machine: 'stuck', findings: [{ position: '23:10' }, { position: '22:10' }] });
});

test('[CHECK-10] a pointer is found whatever the text looks like', () => {
  const text = '{"a": [1, {"b/c": "]}", "d" : {"e\\"": null}}],\n "a~": {}, "": 7}';
  expect(positionOf(text, '')).toBe('1:1');
  expect(positionOf(text, '/a')).toBe('1:7');
  expect(positionOf(text, '/a/0')).toBe('1:8');
  expect(positionOf(text, '/a/1/b~1c')).toBe('1:19');
  expect(positionOf(text, '/a/1/d/e"')).toBe('1:39');
  expect(positionOf(text, '/a~0')).toBe('2:8');
  expect(positionOf(text, '/')).toBe('2:16');
  expect(positionOf(text, '/b')).toBeUndefined();
  expect(positionOf(text, '/a/2')).toBeUndefined();
});
