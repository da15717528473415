// Reads lines, runs them one after another, writes what comes of them. On a terminal with a prompt, completion, history and colours; from
// a pipe plain, or one JSON object per line. Streams are arguments: a test may hand in its own.

import type { Interface } from 'node:readline';
import { createInterface } from 'node:readline';
import { LockstepError } from '../../core/errors.ts';
import { complete } from './complete.ts';
import { colourPaint, formatError, formatNotice, formatResult, plainPaint, type Paint } from './format.ts';
import type { Notice } from './result.ts';
import type { ReplSession } from './session.ts';

export interface LoopOptions {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly isTerminal: boolean;
  readonly json: boolean;
  /** Run these instead of reading lines. */
  readonly commands: readonly string[];
  /** Newest first; only used on a terminal. */
  readonly history: readonly string[];
  readonly historyChanged: (history: readonly string[]) => void;
}

const HISTORY_MAX = 1_000;
const CLEAR_LINE = '\r\u001b[K';

export class Loop {
  readonly #options: LoopOptions;
  readonly #paint: Paint;
  #readline: Interface | undefined;
  /** Whether the prompt stands on the last line of the terminal. */
  #isPrompting = false;
  #hasFailed = false;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#paint = options.isTerminal && !options.json ? colourPaint : plainPaint;
  }

  /** What happened by itself. */
  notice(notice: Notice): void {
    this.#write(this.#options.json ? JSON.stringify({ notice: notice.kind, ...withoutKind(notice) }) : formatNotice(notice, this.#paint));
  }

  /** Runs until `quit` or the end of the input. @returns the exit code: 1 when a command failed. On a terminal the person has seen it: 0. */
  async run(session: ReplSession): Promise<0 | 1> {
    const { commands, isTerminal } = this.#options;
    if (commands.length > 0) await this.#runAll(session, commands);
    else if (isTerminal) await this.#converse(session);
    else await this.#runAll(session, createInterface({ input: this.#options.input, crlfDelay: Infinity }));
    return this.#hasFailed && (commands.length > 0 || !isTerminal) ? 1 : 0;
  }

  async #runAll(session: ReplSession, lines: Iterable<string> | AsyncIterable<string>): Promise<void> {
    for await (const line of lines) if (!(await this.#runLine(session, line))) return;
  }

  /** @returns whether to go on. */
  async #runLine(session: ReplSession, line: string): Promise<boolean> {
    try {
      const done = await session.run(line);
      if (done === undefined) return true;
      const { command, result } = done;
      if (this.#options.json) this.#write(JSON.stringify({ command: command.command, ok: true, ...withoutKind(result) }));
      else if (result.kind !== 'bye') this.#write(formatResult(result, this.#paint));
      return result.kind !== 'bye';
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
      this.#hasFailed = true;
      const command = line.trim().split(/\s/, 1)[0];
      const { code, message, retryable } = error;
      this.#write(
        this.#options.json ? JSON.stringify({ command, ok: false, error: { code, message, retryable } }) : formatError(error, this.#paint),
      );
      return true;
    }
  }

  #converse(session: ReplSession): Promise<void> {
    const { input, output, history, historyChanged } = this.#options;
    const readline = createInterface({
      input,
      output,
      terminal: true,
      history: [...history],
      historySize: HISTORY_MAX,
      removeHistoryDuplicates: true,
      completer: (line: string) => complete(line, session.names),
    });
    this.#readline = readline;
    readline.on('history', historyChanged);
    session.refreshNames().catch(() => undefined); // Completion then has fewer names to offer.
    return new Promise((resolve) => {
      let running = Promise.resolve(true);
      readline.on('line', (line) => {
        this.#isPrompting = false;
        running = running.then(async (goesOn) => {
          if (!goesOn) return false;
          const next = await this.#runLine(session, line);
          if (next) this.#prompt(session);
          else readline.close();
          return next;
        });
      });
      readline.on('close', () => {
        this.#isPrompting = false;
        void running.then(() => resolve());
      });
      this.#prompt(session);
    });
  }

  #prompt(session: ReplSession): void {
    this.#readline?.setPrompt(`${this.#paint('dim', session.attachedName)}> `);
    this.#isPrompting = true;
    this.#readline?.prompt();
  }

  #write(text: string): void {
    if (text === '') return;
    const { output } = this.#options;
    if (!this.#isPrompting) {
      output.write(`${text}\n`);
      return;
    }
    output.write(`${CLEAR_LINE}${text}\n`);
    this.#readline?.prompt(true);
  }
}

function withoutKind<T extends { readonly kind: string }>({ kind: _, ...rest }: T): Omit<T, 'kind'> {
  return rest;
}
