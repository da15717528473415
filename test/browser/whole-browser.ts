// A Chromium with a profile on disk that a test can kill, as when the machine loses its power, and start again with the same profile.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { CHROMIUM, CHROMIUM_ARGS } from './tab.ts';

/** Milliseconds. */
const CONNECT_MS = 15_000;
const ATTEMPTS_MAX = 3;

export class WholeBrowser {
  readonly #profile = mkdtempSync(join(tmpdir(), 'lockstep-profile-'));
  #process: ChildProcess | undefined;
  #browser: Browser | undefined;

  /** @returns the context of the profile. On a busy machine a browser may take too long to answer; then another one is started. */
  async start(): Promise<BrowserContext> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#start();
      } catch (error) {
        await this.kill();
        if (attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  async #start(): Promise<BrowserContext> {
    const child = spawn(CHROMIUM, [...CHROMIUM_ARGS, '--headless=new', '--remote-debugging-port=0', `--user-data-dir=${this.#profile}`], {
      // A group of its own: Debian's launcher is a shell script.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    const endpoint = await new Promise<string>((resolve, reject) => {
      let said = '';
      child.once('exit', (code) => reject(new Error(`Chromium ended with ${code}: ${said}`)));
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const found = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    this.#browser = await chromium.connectOverCDP(endpoint, { timeout: CONNECT_MS });
    return this.#browser.contexts()[0]!;
  }

  /** kill -9 of all its processes. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid, 'SIGKILL');
    await gone;
    await this.#browser?.close().catch(() => undefined); // It is gone already.
  }

  /** Ends it and forgets its profile. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
