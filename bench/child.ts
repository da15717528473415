// Measuring in a process of its own: a fresh heap can be read to the byte, and code that has run nothing else yet is compiled for what it runs.

import { spawnSync } from 'node:child_process';

/** Runs `child` of a bench file there. @returns what it printed last, as JSON. */
export function inChild(words: readonly string[], nodeFlags: readonly string[] = []): unknown {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...nodeFlags, process.argv[1]!, '--child', ...words], {
    encoding: 'utf8',
  });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  if (status !== 0 || last === '') throw new Error(`measuring ${words.join(' ')} failed: ${stderr}`);
  return JSON.parse(last);
}
