#!/usr/bin/env node
// The `lockstep` command: finds the command that is meant, and turns what goes wrong into one sentence and an exit code
// (1: it did not work; 2: it was not understood).

import { LockstepError } from '../core/errors.ts';
import { VERSION } from '../server/version.ts';
import { UsageError } from './command.ts';
import type { Command } from './command.ts';

/** Loaded when they are meant: a REPL needs no server. */
const COMMANDS: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  serve: () => import('./serve.ts'),
  relay: () => import('./relay.ts'),
  repl: () => import('./repl/command.ts'),
  inspect: () => import('./inspect/command.ts'),
  check: () => import('./check/command.ts'),
  build: () => import('./build/command.ts'),
};

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(rest[0] === undefined ? await help() : (await find(rest[0])).usage);
    return name === undefined ? 2 : 0;
  }
  const command = await find(name);
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(command.usage);
    return 0;
  }
  return command.run(rest);
}

/** @throws UsageError when there is none of that name. */
async function find(name: string): Promise<Command> {
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) throw new UsageError(`there is no command "${name}"; there are ${Object.keys(COMMANDS).join(', ')}`);
  return (await load()).command;
}

async function help(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  const lines = commands.map(({ command }) => `  ${command.name.padEnd(8)}${command.summary}`);
  return `lockstep ${VERSION}: one state machine, running in several places at once, always in step\n\n${lines.join('\n')}\n\nlockstep COMMAND --help says more.\n`;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof LockstepError || error instanceof UsageError)) throw error;
  process.stderr.write(`lockstep: ${error.message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
