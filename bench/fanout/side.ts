// What one system brings to the fanout bench: a server, a writer and readers of one document of 10 KB in which one number changes. Each
// runs in a process of its own (process.ts); what is charged is the server's.

import type { AddressInfo } from 'node:net';

export interface Side {
  /** Says its URL when it listens, and serves until it is told to end. */
  server(): Promise<void>;
  writer(url: string): Promise<Writer>;
  /** Tells `audience` of every update that it hears after the first state. */
  reader(url: string, audience: Reader): Promise<void>;
}

export interface Writer {
  /** Resolves when the writer has heard its own update. */
  write(): Promise<unknown>;
}

/** What it is called wherever it needs a name. */
export const INSTANCE = 'board';

export interface Document {
  readonly total: number;
  readonly rows: readonly string[];
}

/** 10 KB as JSON. `total` is what changes. */
export const DOCUMENT: Document = { total: 0, rows: Array.from({ length: 90 }, (_, i) => `${i}`.padStart(110, '.')) };

/** Counts what one reader heard. */
export class Reader {
  #count: number;
  #waiting: { readonly count: number; readonly resolve: () => void } | undefined;
  /** When each update arrived, in ms of the machine's clock; kept from the first `note` on. */
  times: number[] | undefined;

  /** @param count updates that are in the first state which it hears. */
  constructor(count: number) {
    this.#count = count;
  }

  /** Updates so far. */
  reached(count: number): void {
    if (this.times !== undefined) for (const at = now(); this.#count < count; this.#count++) this.times.push(at);
    this.#count = count;
    if (this.#waiting === undefined || this.#waiting.count > count) return;
    this.#waiting.resolve();
    this.#waiting = undefined;
  }

  more(count: number): void {
    this.reached(this.#count + count);
  }

  heard(count: number): Promise<void> {
    if (this.#count >= count) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting = { count, resolve }));
  }
}

/** Ms of a clock that all processes of this machine share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Of a server that listens on a port of this machine. */
export function urlOf(address: AddressInfo | string | null, scheme = 'ws'): string {
  return `${scheme}://127.0.0.1:${(address as AddressInfo).port}`;
}

/** Writes that wait for their own echo, in order. */
export class Echoes {
  readonly #waiting: (() => void)[] = [];

  wait(send: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      send();
    });
  }

  heard(count: number): void {
    for (const resolve of this.#waiting.splice(0, count)) resolve();
  }
}
