// A tab's way to the socket through a SharedWorker. Should the worker's process die, the browser makes another, and every tab dials again.
//                                                                                                                       (TAB-1, TAB-4)

import type { Link } from '../peer/link.ts';
import { Lines } from './lines.ts';
import { browserPlatform } from './platform.ts';
import type { FromWorker, ToWorker } from './tab-messages.ts';
import type { Way, WayOptions } from './way.ts';

export class SharedWay implements Way {
  readonly #options: WayOptions;
  readonly #failed: () => void;
  readonly #lines: Lines;
  readonly #silence = new AbortController();
  #port: MessagePort | undefined;

  /** @param failed there is no worker to be had: its script does not load, or a policy forbids it. */
  constructor(options: WayOptions, failed: () => void) {
    this.#options = options;
    this.#failed = failed;
    this.#lines = new Lines((message) => this.#post(message), browserPlatform);
    this.#join();
  }

  dial(): Promise<Link> {
    return this.#lines.dial();
  }

  leave(): void {
    this.#silence.abort();
    this.#lines.fail('this page left');
    this.#port?.close();
  }

  #join(): void {
    const worker = new SharedWorker(new URL('./tabs-worker.ts', import.meta.url), { type: 'module', name: 'lockstep' });
    worker.onerror = () => {
      this.leave();
      this.#failed();
    };
    const { port } = worker;
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (this.#port !== port) return;
      if (data.kind === 'welcome') this.#outlive(data.lock);
      else this.#lines.receive(data);
    };
    this.#post({ kind: 'join', tab: this.#options.tab, url: this.#options.url });
  }

  /** Whoever gets the worker's lock knows that it is gone. */
  #outlive(lock: string): void {
    navigator.locks
      .request(lock, { signal: this.#silence.signal, mode: 'shared' }, () => {
        this.#join();
        this.#lines.renew();
        this.#options.again();
      })
      .catch(() => undefined); // This page left first.
  }

  #post(message: ToWorker): void {
    this.#port?.postMessage(message);
  }
}
