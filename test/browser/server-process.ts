// A real server for the tests in Chromium: `lockstep serve` as a process of its own, that can be killed and started again on the same data.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const CLI = path.join(ROOT, 'build/dist/cli.js');
const PAGES = path.join(ROOT, 'build/pages/index.html');

export class ServerProcess {
  readonly #data = mkdtempSync(path.join(tmpdir(), 'lockstep-browser-'));
  readonly #env: Readonly<Record<string, string>>;
  readonly #args: readonly string[];
  #process: ChildProcess | undefined;
  /** 0 until the system has chosen one; the same from then on. */
  #port = 0;

  /** @param env besides DATA and PORT. @param args of `lockstep serve`. */
  constructor(env: Readonly<Record<string, string>> = {}, args: readonly string[] = []) {
    for (const built of [CLI, PAGES])
      if (!existsSync(built)) throw new Error(`${built} is not there: npm test builds it, or npm run build`);
    this.#env = env;
    this.#args = args;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Resolves when it listens. @throws when it ends first, with what it said. */
  async start(): Promise<this> {
    const child = spawn(process.execPath, [CLI, 'serve', ...this.#args], {
      env: { ...process.env, ...this.#env, HOST: '127.0.0.1', PORT: String(this.#port), DATA: this.#data },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`lockstep serve ended with ${code}: ${said}`)));
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const port = /at http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
        if (port === undefined) return;
        this.#port = Number(port);
        resolve();
      });
    });
    return this;
  }

  /** kill -9: no goodbye, nothing written that was not. Resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Ends it and forgets its data. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#data, { recursive: true, force: true });
  }
}
