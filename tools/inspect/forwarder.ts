// A client of an inspector's relay (Stately's, or `lockstep inspect` elsewhere): sends it messages while it is there, keeps the newest while
// it is not, and tries again ever less often. A relay that does not read costs messages, never memory.

import type { Environment } from '../../peer/environment.ts';
import { backoffMs } from '../../peer/backoff.ts';
import type { InspectMessage } from '../../peer/inspect/protocol.ts';
import { CLOSE_NORMAL, type Dial, type Link } from '../../peer/link.ts';

/** As many as Stately's own clients keep. */
const WAITING_MAX = 200;
const BUFFERED_BYTES_MAX = 4_194_304;

export class Forwarder {
  readonly #environment: Environment;
  readonly #dial: Dial;
  #link: Link | undefined;
  #waiting: string[] = [];
  #attempts = 0;
  #isClosed = false;
  #cancel: () => void = () => undefined;

  constructor(options: { readonly environment: Environment; readonly dial: Dial }) {
    this.#environment = options.environment;
    this.#dial = options.dial;
    this.#connect();
  }

  send(message: InspectMessage): void {
    const text = JSON.stringify(message);
    if (this.#link !== undefined) {
      if (this.#link.bufferedBytes < BUFFERED_BYTES_MAX) this.#link.send(text);
      return;
    }
    this.#waiting.push(text);
    if (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
    this.#link?.close(CLOSE_NORMAL, 'the inspected program ends');
  }

  #connect(): void {
    this.#dial().then(
      (link) => this.#opened(link),
      () => this.#later(),
    );
  }

  #opened(link: Link): void {
    if (this.#isClosed) return link.close(CLOSE_NORMAL, 'the inspected program ends');
    this.#link = link;
    this.#attempts = 0;
    const closed = (): void => {
      this.#link = undefined;
      this.#later();
    };
    link.open({ frame: () => undefined, closed });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const text of waiting) link.send(text);
  }

  #later(): void {
    if (this.#isClosed) return;
    this.#cancel = this.#environment.timer(backoffMs(this.#environment, this.#attempts++), () => this.#connect());
  }
}
