// Reads lines, runs them one after another, writes what comes of them. On a terminal with a prompt, completion, history and colours; from
// a pipe plain, or one JSON object per line. Streams are arguments: a test may hand in its own.

import type { AsyncCompleter, Interface } from 'node:readline';
import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline';
import { LockstepError } from '../../core/errors.ts';
import { complete, needsMachineOf } from './complete.ts';
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
/** Milliseconds that Tab waits for the peer to say what there is; then it offers what was known before. */
const COMPLETION_WAIT_MS = 500;

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
    const completer: AsyncCompleter = (line, done) => {
      void atMost(COMPLETION_WAIT_MS, ask(session, line)).then(() => {
        const [fitting, text] = complete(line, session.names);
        done(null, [fitting, text]);
      });
    };
    const readline = createInterface({
      input,
      output,
      terminal: true,
      history: [...history],
      historySize: HISTORY_MAX,
      removeHistoryDuplicates: true,
      completer,
    });
    this.#readline = readline;
    readline.on('history', historyChanged);
    return new Promise((resolve) => {
      let running = Promise.resolve(true);
      // ctrl-C gives up what is being typed; where nothing is, or while a command runs, it leaves.
      readline.on('SIGINT', () => {
        if (this.#isPrompting && readline.line !== '') {
          readline.write(null, { ctrl: true, name: 'e' });
          readline.write(null, { ctrl: true, name: 'u' });
          return;
        }
        readline.close();
        resolve();
      });
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
        // The shell's own prompt begins a line.
        if (this.#isPrompting) output.write('\n');
        this.#isPrompting = false;
        this.#readline = undefined;
        void running.then(() => resolve());
      });
      this.#prompt(session);
    });
  }

  #prompt(session: ReplSession): void {
    this.#readline?.setPrompt(`${this.#paint('dim', session.attachedName)}> `);
    this.#isPrompting = true;
    // Whatever was typed while the last command ran stays, and so does the cursor.
    this.#readline?.prompt(true);
  }

  #write(text: string): void {
    if (text === '') return;
    const { output } = this.#options;
    if (this.#readline === undefined) {
      output.write(`${text}\n`);
      return;
    }
    // What is being typed makes room, all rows of it. Readline goes up by as many rows before it draws its line again.
    const { rows } = this.#readline.getCursorPos();
    moveCursor(output, 0, -rows);
    cursorTo(output, 0);
    clearScreenDown(output);
    output.write(`${text}\n${'\n'.repeat(rows)}`);
    if (this.#isPrompting) this.#readline.prompt(true);
  }
}

function withoutKind<T extends { readonly kind: string }>({ kind: _, ...rest }: T): Omit<T, 'kind'> {
  return rest;
}

/** Brings the names up to date that could complete the line. */
async function ask(session: ReplSession, line: string): Promise<void> {
  const instance = needsMachineOf(line);
  if (instance === undefined) await session.refreshNames();
  else await session.machineOf(instance);
}

/** Resolves when the work is done, has failed, or is late: then there is less to offer, and nothing to tell. */
function atMost(waitMs: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, waitMs);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    work.then(done, done);
  });
}
