// The REPL at the end of a pipe: `lockstep repl --json`, one command per line in, one JSON object per line out.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CLI } from './server-process.ts';

type Line = Readonly<Record<string, unknown>>;

export class ReplProcess {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly lines: Line[] = [];
  /** Answers to commands, in order. */
  readonly #answers: ((line: Line) => void)[] = [];

  constructor(url: string) {
    this.#process = spawn(process.execPath, [CLI, 'repl', url, '--json']);
    createInterface(this.#process.stdout).on('line', (text) => {
      const line = JSON.parse(text) as Line;
      this.lines.push(line);
      if ('command' in line) this.#answers.shift()?.(line);
    });
  }

  /** Types a command. @returns what the REPL prints for it. */
  run(command: string): Promise<Line> {
    const answer = new Promise<Line>((resolve) => this.#answers.push(resolve));
    this.#process.stdin.write(`${command}\n`);
    return answer;
  }

  /** Ends the pipe. @returns the exit code. */
  end(): Promise<number | null> {
    const gone = new Promise<number | null>((resolve) => this.#process.once('exit', resolve));
    this.#process.stdin.end();
    return gone;
  }
}
