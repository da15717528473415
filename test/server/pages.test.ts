// The page of the server against the code: its program runs and prints what it says, its tables are whole. And the one way of starting
// that only the command has: joining a relay that says no.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { format } from 'node:util';
import { expect, test, vi } from 'vitest';
import { LIMITS } from '../../peer/wire.ts';
import { relay } from '../../relay/index.ts';
import { command } from '../../tools/serve.ts';

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const page = read('docs/server.md');

test('[TIDY-7] the program of docs/server.md prints what the page says', async () => {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => void printed.push(format(...words)));
  await import('../../examples/restart/restart.ts');
  log.mockRestore();
  expect(printed).toHaveLength(3);
  expect(page).toContain(`\`\`\`\n${printed.join('\n')}\n\`\`\``);
  const source = read('examples/restart/restart.ts');
  expect(page).toContain(source.slice(source.indexOf('import')).trim());
});

test('[TIDY-7] the program of docs/views.md prints what the page says', async () => {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => void printed.push(format(...words)));
  await import('../../examples/table/table.ts');
  log.mockRestore();
  const views = read('docs/views.md');
  expect(printed).toHaveLength(3);
  expect(views).toContain(`\`\`\`\n${printed.join('\n')}\n\`\`\``);
  const source = read('examples/table/table.ts');
  expect(views).toContain(source.slice(source.indexOf('import')).trim());
});

/** Names of the properties of an interface, as its source has them. */
function properties(file: string, name: string): string[] {
  const body = new RegExp(`interface ${name} \\{\\n([\\s\\S]*?)\\n\\}`).exec(read(file))?.[1] ?? '';
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map((match) => match[1]!);
}

test('[TIDY-8] the page of the server names every option, and every limit with its value', () => {
  const first = page.split('\n').flatMap((line) => (line.startsWith('| `') ? [line.split(' | ')[0]!] : []));
  const names = new Set(first.flatMap((cell) => [...cell.matchAll(/`(\w+)[^`]*`/g)].map((match) => match[1]!)));
  const wanted = [
    ...properties('server/index.ts', 'ServeOptions'),
    ...properties('server/index.ts', 'Server'),
    ...properties('server/connect.ts', 'ConnectOptions'),
  ];
  expect(wanted.length).toBeGreaterThan(20);
  expect(wanted.filter((name) => !names.has(name))).toEqual([]);
  for (const [name, value] of Object.entries(LIMITS)) expect(page).toContain(`| \`${name}\` | ${value.toLocaleString('en-US')} |`);
});

test('[TIDY-10] the page for browsers shows a file that is type-checked, and every option of connect', () => {
  const browser = read('docs/browser.md');
  const source = read('examples/tab/tab.ts');
  expect(browser).toContain(`\`\`\`ts\n${source.slice(source.indexOf('import')).trim()}\n\`\`\``);
  // `npm test` type-checks what tsconfig.json includes.
  const { include } = JSON.parse(read('tsconfig.json')) as { readonly include: readonly string[] };
  expect(include).toContain('examples');
  const wanted = properties('browser/connect.ts', 'ConnectOptions');
  expect(wanted).toHaveLength(14);
  for (const name of wanted) expect(browser).toContain(`\n| \`${name}\` |`);
});

test('[SRV-21] a server that its relay refuses ends with a sentence, and listens no more', async () => {
  const far = await relay({ port: 0, key: 'right' });
  const data = mkdtempSync(path.join(tmpdir(), 'lockstep-refused-'));
  let said = '';
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true)),
    vi.spyOn(process.stderr, 'write').mockImplementation(() => true),
  ];
  try {
    const running = command.run(['--port', '0', '--host', '127.0.0.1', '--data', data, '--relay', far.url, '--key', 'wrong']);
    await expect(running).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'the key is not the key of this relay' });
  } finally {
    for (const spy of spies) spy.mockRestore();
    await far.close();
    rmSync(data, { recursive: true });
  }
  const url = / at (http:\S+)/.exec(said)![1]!;
  await expect(fetch(`${url}/health`)).rejects.toThrow();
});
