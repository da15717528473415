// `lockstep` as a process of its own, as built: started, waited for until it says what it is to say, and killed without a goodbye.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../../build/dist/cli.js', import.meta.url));

export class CommandProcess {
  readonly #process: ChildProcess;
  /** What it wrote to standard output and to standard error so far. */
  said = '';
  readonly #waiting = new Set<() => void>();

  constructor(...args: readonly string[]) {
    if (!existsSync(CLI)) throw new Error(`${CLI} is not built: npm run build`);
    this.#process = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const hear = (chunk: Buffer): void => {
      this.said += chunk.toString();
      for (const look of [...this.#waiting]) look();
    };
    this.#process.stdout!.on('data', hear);
    this.#process.stderr!.on('data', hear);
    this.#process.once('exit', () => {
      for (const look of [...this.#waiting]) look();
    });
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** @returns the first group of the pattern, once that was said. @throws when the process ends first, with what it said. */
  until(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(this.said);
        if (found === null && !this.hasEnded) return;
        this.#waiting.delete(look);
        if (found === null) reject(new Error(`lockstep ended before it said ${String(pattern)}: ${this.said}`));
        else resolve(found[1] ?? found[0]);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** kill -9 unless told otherwise. @returns the exit code, null after a signal that ended it. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (this.hasEnded) return this.#process.exitCode;
    const gone = new Promise<number | null>((resolve) => this.#process.once('exit', resolve));
    this.#process.kill(signal);
    return gone;
  }
}
