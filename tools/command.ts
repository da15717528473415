// What every command of `lockstep` is, and how commands read what they are told.

import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';

export interface Command {
  readonly name: string;
  /** One line for `lockstep --help`. */
  readonly summary: string;
  /** What `--help` and `-h` say. */
  readonly usage: string;
  /** @returns the exit code. @throws LockstepError, which is printed as one sentence with exit code 1; UsageError: exit code 2. */
  readonly run: (args: readonly string[]) => Promise<number>;
}

/** The command line says something that the command does not understand. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>;
type Arguments<Known extends Options> = Pick<
  ReturnType<typeof parseArgs<{ args: string[]; options: Known; strict: true; allowPositionals: true }>>,
  'values' | 'positionals'
>;

/** For a command that takes words besides its options. @throws UsageError for unknown or incomplete options. */
export function readWords<const Known extends Options>(args: readonly string[], options: Known): Arguments<Known> {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (error) {
    // Node's first sentence says what is wrong; the others speak of words that not every command takes.
    const [sentence] = (error instanceof Error ? error.message : String(error)).split(/\.\s/);
    throw new UsageError(sentence, { cause: error });
  }
}

/** For a command that takes options only. @throws UsageError as readWords, and for a word. */
export function readOptions<const Known extends Options>(args: readonly string[], options: Known): Arguments<Known>['values'] {
  const { values, positionals } = readWords(args, options);
  if (positionals.length > 0) throw new UsageError(`options are expected, found "${positionals.join(' ')}" besides`);
  return values;
}

/** @returns the URL as it was given. @throws UsageError when it is none that a socket can be opened to. */
export function readUrl(text: string): string {
  if (!/^(wss?|https?):\/\//.test(text) || !URL.canParse(text))
    throw new UsageError(`"${text}" is no URL of a server: expected ws://, wss://, http:// or https://`);
  return text;
}

/** @throws UsageError when it is no port. */
export function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new UsageError(`a port is a number from 0 to 65535, found "${text}"`);
  return port;
}

/** Milliseconds until a process that was asked to end is ended: whatever was answered is durable by then. */
const CLOSE_TIMEOUT_MS = 1_900;

/** Resolves when SIGINT or SIGTERM comes. Ask before saying that the process is there: from then on it is asked to end. */
export function stopSignal(): Promise<void> {
  return new Promise<void>((resolve) => {
    process.once('SIGINT', () => {
      resolve();
    });
    process.once('SIGTERM', () => {
      resolve();
    });
  });
}

/** Resolves with exit code 0 when the signal came and `close` is done; a second signal does not wait. */
export async function untilStopped(signal: Promise<void>, close: () => Promise<void>): Promise<number> {
  await signal;
  const leave = (): void => {
    process.exit(0);
  };
  process.once('SIGINT', leave);
  process.once('SIGTERM', leave);
  setTimeout(leave, CLOSE_TIMEOUT_MS).unref();
  await close();
  return 0;
}
