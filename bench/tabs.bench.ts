// What a hand-over costs: from the moment at which the tab that leads is closed to the moment at which the mirror of another tab is in step
// again, through a socket of its own, in Chromium without SharedWorkers. Beside it what the browser itself takes to give a lock to the next
// in its queue. Rounds of both in turns.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { type Effort, median, type Row } from './measure.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const CLI = 'build/dist/cli.js';

declare global {
  /** In the pages: when what is measured has happened, in milliseconds since the epoch. */
  var arrivedAt: number | undefined;
}

export async function run({ rounds }: Effort): Promise<Row[]> {
  if (!existsSync(CHROMIUM)) {
    console.warn(`tabs: no Chromium at ${CHROMIUM}; nothing is measured`);
    return [];
  }
  const data = mkdtempSync(join(tmpdir(), 'lockstep-bench-tabs-'));
  const server = spawn(process.execPath, [CLI, 'serve', '--data', data, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
  try {
    const url = await listening(server);
    const context = await browser.newContext();
    await context.addInitScript(() => Reflect.deleteProperty(globalThis, 'SharedWorker'));
    const ours: number[] = [];
    const bare: number[] = [];
    let leader = await openDoor(context, url);
    let holder = await openLock(context, url);
    for (let round = 0; round < rounds; round++) {
      const follower = await openDoor(context, url);
      ours.push(await handOver(leader, follower));
      leader = follower;
      const next = await openLock(context, url);
      bare.push(await handOver(holder, next));
      holder = next;
    }
    const value = median(bare);
    return [
      {
        name: 'tabs/handover',
        unit: 'ms, median, leader closed to follower in step',
        ours: median(ours),
        against: { 'bare Web Lock': { value, ratio: value / median(ours) } },
      },
    ];
  } finally {
    await browser.close();
    server.kill();
    rmSync(data, { recursive: true, force: true });
  }
}

function listening(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    server.once('exit', (code) => reject(new Error(`lockstep serve ended with ${code}: ${said}`)));
    server.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const url = / at (http:\S+)/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}

/** A tab with a mirror, which notes when it is back after it was cut off. */
async function openDoor(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${url}/door/`);
  await page.waitForFunction(() => 'lockstep' in globalThis);
  await page.evaluate(() => {
    interface Watched {
      readonly standing: string;
      onStanding(observer: (standing: string) => void): void;
    }
    const { front } = (globalThis as unknown as { readonly lockstep: { readonly mirrors: { readonly front: Watched } } }).lockstep.mirrors;
    front.onStanding((standing) => {
      if (standing !== 'offline') globalThis.arrivedAt = performance.timeOrigin + performance.now();
    });
  });
  return page;
}

/** A page that wants the lock and nothing else, and notes when it has it. */
async function openLock(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${url}/health`);
  await page.evaluate(() => {
    void navigator.locks.request('bare', () => {
      globalThis.arrivedAt = performance.timeOrigin + performance.now();
      return new Promise(() => undefined);
    });
  });
  return page;
}

/** Milliseconds. */
async function handOver(from: Page, to: Page): Promise<number> {
  await to.evaluate(() => (globalThis.arrivedAt = undefined));
  const began = performance.timeOrigin + performance.now();
  await from.close();
  const arrived = await to.waitForFunction(() => globalThis.arrivedAt, undefined, { polling: 20 });
  return ((await arrived.jsonValue()) ?? began) - began;
}
