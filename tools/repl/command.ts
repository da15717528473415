// `lockstep repl [URL]`: options, streams and the history file, read once and handed on. What is typed is for session.ts, how for loop.ts.

import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LockstepError } from '../../core/errors.ts';
import { nodeEnvironment } from '../../relay/environment.ts';
import { connect } from '../../server/connect.ts';
import { loadCore } from '../../server/core-file.ts';
import { formatError, plainPaint } from './format.ts';
import { Loop } from './loop.ts';
import { parseLine } from './parse.ts';
import { ReplSession } from './session.ts';
import { helpText } from './table.ts';

export const name = 'repl';
export const summary = 'talk to machines wherever they run: read, send, watch, wait';

const DEFAULT_URL = 'ws://127.0.0.1:7400';
const HISTORY_FILE = join(homedir(), '.lockstep_history');
/** Milliseconds until a URL where nobody answers is given up. */
const CONNECT_TIMEOUT_MS = 10_000;

const USAGE = `lockstep repl [URL] [--json] [-c COMMAND]…

Attaches to the server at URL (${DEFAULT_URL} unless given), and through its relay to any tab or process that is connected.
Without -c it reads commands from the terminal, or one per line from a pipe; then it exits with 1 if any of them failed.

  -c, --command COMMAND  run this and exit; may be given several times
  --json                 print one JSON object per command
  -h, --help             this text

Commands:
${helpText()}
`;

/** @returns the exit code: 1 when a command failed or nobody answers, 2 when the arguments are wrong. */
export async function run(args: readonly string[]): Promise<number> {
  let options: ReturnType<typeof readArguments>;
  try {
    options = readArguments(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  try {
    return await talk(options);
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error;
    process.stderr.write(`${formatError(error, plainPaint)}\n`);
    return 1;
  }
}

interface Options {
  readonly url: string;
  readonly json: boolean;
  readonly help: boolean;
  readonly commands: readonly string[];
}

/** @throws Error naming what is wrong. */
function readArguments(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false }, command: { type: 'string', short: 'c', multiple: true, default: [] } },
  });
  const [url = DEFAULT_URL, ...rest] = positionals;
  if (rest.length > 0) throw new Error(`one URL is expected, found "${rest.join(' ')}" besides`);
  if (!/^(wss?|https?):\/\//.test(url)) throw new Error(`"${url}" is no URL of a server: expected ws://, wss://, http:// or https://`);
  for (const command of values.command) parseLine(command);
  return { url, json: values.json, help: values.help, commands: values.command };
}

async function talk({ url, json, commands }: Options): Promise<number> {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && commands.length === 0;
  const core = await loadCore();
  const peer = await withinTime(connect(url, { name: 'repl', kind: 'tool', hosts: false }), url);
  const loop = new Loop({
    input: process.stdin, output: process.stdout, isTerminal, json, commands,
    history: isTerminal ? readHistory() : [], historyChanged: isTerminal ? writeHistory : () => undefined,
  });
  const readText = async (path: string): Promise<string> => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      throw new LockstepError('BAD_PARAMS', `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  };
  const session = new ReplSession({ peer, core, environment: nodeEnvironment, readFile: readText, notice: (notice) => loop.notice(notice) });
  if (isTerminal) process.stdout.write(`${url}: ${peer.peers().length} peers. Type help for what can be done here.\n`);
  try {
    return await loop.run(session);
  } finally {
    await session.close();
  }
}

/** A peer keeps trying for ever; a person or a script at a wrong address should not. */
async function withinTime<T extends { close(): Promise<void> }>(connecting: Promise<T>, url: string): Promise<T> {
  let cancel: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = nodeEnvironment.timer(CONNECT_TIMEOUT_MS, () => reject(new LockstepError('UNREACHABLE', `nobody answers at ${url}; npm start, or lockstep serve, runs a server`)));
  });
  try {
    return await Promise.race([connecting, late]);
  } finally {
    cancel();
  }
}

function readHistory(): string[] {
  try {
    return readFileSync(HISTORY_FILE, 'utf8').split('\n').filter((line) => line !== '');
  } catch {
    return []; // The first time there is none.
  }
}

function writeHistory(history: readonly string[]): void {
  try {
    writeFileSync(HISTORY_FILE, `${history.join('\n')}\n`, { mode: 0o600 });
  } catch {
    return; // A home that cannot be written to costs the history, nothing else.
  }
}
