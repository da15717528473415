// `lockstep repl [URL]`: options, streams and the history file, read once and handed on. What is typed is for session.ts, how for loop.ts.

import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { LockstepError } from '../../core/errors.ts';
import type { Core } from '../../core/wasm.ts';
import type { Environment } from '../../peer/environment.ts';
import { Peer } from '../../peer/peer.ts';
import { binding } from '../../peer/binding.ts';
import { serving } from '../../peer/serving.ts';
import { nodeEnvironment } from '../../relay/environment.ts';
import { dial } from '../../relay/socket.ts';
import { loadCore } from '../../server/core-file.ts';
import { readUrl, readWords, UsageError, type Command } from '../command.ts';
import { Loop } from './loop.ts';
import { durationMs } from './parse.ts';
import { ReplSession } from './session.ts';
import { helpText } from './table.ts';

const DEFAULT_URL = 'ws://127.0.0.1:7400';
const HISTORY_FILE = join(homedir(), '.lockstep_history');

const USAGE = `lockstep repl [URL] [--json] [-c COMMAND]…

Attaches to the server at URL (${DEFAULT_URL} unless given), and through its relay to any tab or process that is connected.
Without -c it reads commands from the terminal, or one per line from a pipe; then it exits with 1 if any of them failed.

  -c, --command COMMAND  run this and exit; may be given several times
  --timeout TIME         how long to try to connect: 500ms, 10s (10s unless given)
  --json                 print one JSON object per command
  -h, --help             this text

Commands:
${helpText()}
`;

const OPTIONS = {
  json: { type: 'boolean' },
  timeout: { type: 'string', default: '10s' },
  command: { type: 'string', short: 'c', multiple: true },
} as const;

export const command: Command = {
  name: 'repl',
  summary: 'talks to machines wherever they run: read, send, watch, wait',
  usage: USAGE,
  run: async (args) => {
    const { values, positionals } = readWords(args, OPTIONS);
    const [url = DEFAULT_URL, ...rest] = positionals;
    if (rest.length > 0) throw new UsageError(`one URL is expected, found "${rest.join(' ')}" besides; -c COMMAND runs a command`);
    readUrl(url);
    const timeoutMs = durationOf(values.timeout);
    return talk({ url, timeoutMs, json: values.json === true, commands: values.command ?? [] });
  },
};

/** @throws UsageError when it is none. */
function durationOf(text: string): number {
  try {
    return durationMs(text);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

interface Options {
  readonly url: string;
  readonly timeoutMs: number;
  readonly json: boolean;
  readonly commands: readonly string[];
}

async function talk({ url, timeoutMs, json, commands }: Options): Promise<number> {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && commands.length === 0;
  const core = await loadCore();
  const peer = await attach(url, timeoutMs, core);
  const loop = new Loop({
    input: process.stdin,
    output: process.stdout,
    isTerminal,
    json,
    commands,
    history: isTerminal ? readHistory() : [],
    historyChanged: isTerminal ? writeHistory : () => undefined,
  });
  const readText = async (path: string): Promise<string> => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      throw new LockstepError('BAD_PARAMS', `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  };
  const session = new ReplSession({
    peer,
    core,
    environment: nodeEnvironment,
    readFile: readText,
    notice: (notice) => loop.notice(notice),
  });
  if (isTerminal) process.stdout.write(`${url}: ${peer.peers().length} peers. Type help for what can be done here.\n`);
  try {
    return await loop.run(session);
  } finally {
    await session.close();
  }
}

/** What keeps this process alive is its input and its socket, not what its peer may want to do later. */
const patientEnvironment: Environment = {
  ...nodeEnvironment,
  timer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

/**
 * A peer keeps trying for ever; a person or a script at a wrong address should not.
 * @throws LockstepError UNREACHABLE when nobody answers in time, and why the relay refuses this peer.
 */
async function attach(url: string, timeoutMs: number, core: Core): Promise<Peer> {
  const secret = randomBytes(24).toString('base64url');
  /** What came of dialing. */
  let reason = 'it takes long';
  const peer = new Peer({
    environment: patientEnvironment,
    core,
    serving,
    binding,
    dial: dial(url),
    secret,
    name: 'repl',
    kind: 'tool',
    hosts: false,
    report: (_level, _message, error) => {
      if (error instanceof LockstepError) reason = error.message;
    },
  });
  let cancel: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = nodeEnvironment.timer(timeoutMs, () =>
      reject(new LockstepError('UNREACHABLE', `nobody answers at ${url} (${reason}); npm start, or lockstep serve, runs a server`)),
    );
  });
  try {
    await Promise.race([peer.ready, late]);
    return peer;
  } catch (error) {
    await peer.close();
    throw error;
  } finally {
    cancel();
  }
}

function readHistory(): string[] {
  try {
    return readFileSync(HISTORY_FILE, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
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
