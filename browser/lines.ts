// A tab's end of its lines: links whose frames pass through an exchange, wherever that is just now. When another one takes over, what was
// open ends as a lost link does, and what was being dialled is dialled again.                                          (TAB-1, TAB-4)

import { LockstepError } from '../core/errors.ts';
import { Arrivals } from '../peer/arrivals.ts';
import { CLOSE_GOING_AWAY, type Frame, type Link, type LinkEvents } from '../peer/link.ts';
import type { TabPlatform } from './platform.ts';
import type { FromTab, ToTab } from './tab-messages.ts';

/** Milliseconds to wait for somebody to hold the socket, and for the socket. */
const DIAL_TIMEOUT_MS = 10_000;
/** Characters after which a tab says that it has taken them. */
const TAKE_SIZE = 65_536;

interface Dialling {
  readonly resolve: (link: Link) => void;
  readonly reject: (error: LockstepError) => void;
  readonly cancelTimeout: () => void;
}

export class Lines {
  readonly #post: (message: FromTab) => void;
  readonly #platform: Pick<TabPlatform, 'timer'>;
  readonly #dialling = new Map<number, Dialling>();
  readonly #open = new Map<number, Line>();
  #newest = 0;

  /** @param post to the exchange, if there is one. */
  constructor(post: (message: FromTab) => void, platform: Pick<TabPlatform, 'timer'>) {
    this.#post = post;
    this.#platform = platform;
  }

  get isIdle(): boolean {
    return this.#dialling.size === 0 && this.#open.size === 0;
  }

  /** @throws LockstepError UNREACHABLE */
  dial(): Promise<Link> {
    return new Promise((resolve, reject) => {
      const line = ++this.#newest;
      const late = new LockstepError('UNREACHABLE', `no socket within ${DIAL_TIMEOUT_MS} ms`);
      const cancelTimeout = this.#platform.timer(DIAL_TIMEOUT_MS, () => {
        this.#dialling.delete(line);
        this.#post({ kind: 'close', line, code: CLOSE_GOING_AWAY, reason: '' });
        reject(late);
      });
      this.#dialling.set(line, { resolve, reject, cancelTimeout });
      this.#post({ kind: 'dial', line });
    });
  }

  receive(message: ToTab): void {
    if (message.kind === 'frame') return this.#open.get(message.line)?.receive(message.frame);
    if (message.kind === 'closed') return this.#ended(message.line, message.code, message.reason);
    const dialling = this.#dialling.get(message.line);
    if (dialling === undefined) {
      // Given up meanwhile.
      if (message.kind === 'dialled') this.#post({ kind: 'close', line: message.line, code: CLOSE_GOING_AWAY, reason: '' });
      return;
    }
    dialling.cancelTimeout();
    this.#dialling.delete(message.line);
    if (message.kind === 'failed') return dialling.reject(new LockstepError(message.code, message.message));
    const line = new Line(message.line, this.#post, () => this.#open.delete(message.line));
    this.#open.set(message.line, line);
    dialling.resolve(line);
  }

  /** Nobody is at the other end any more. */
  end(reason: string): void {
    for (const line of [...this.#open.keys()]) this.#ended(line, CLOSE_GOING_AWAY, reason);
  }

  /** Nor will anyone be. */
  fail(reason: string): void {
    this.end(reason);
    for (const { cancelTimeout, reject } of this.#dialling.values()) {
      cancelTimeout();
      reject(new LockstepError('UNREACHABLE', reason));
    }
    this.#dialling.clear();
  }

  /** Another exchange is there. */
  renew(): void {
    this.end('another one holds the socket now');
    for (const line of this.#dialling.keys()) this.#post({ kind: 'dial', line });
  }

  #ended(number: number, code: number, reason: string): void {
    const line = this.#open.get(number);
    this.#open.delete(number);
    line?.ended(code, reason);
  }
}

class Line implements Link {
  /** Nothing is held back in the tab. */
  readonly bufferedBytes = 0;
  readonly #number: number;
  readonly #post: (message: FromTab) => void;
  readonly #forget: () => void;
  readonly #arrivals = new Arrivals();
  #taken = 0;

  constructor(number: number, post: (message: FromTab) => void, forget: () => void) {
    this.#number = number;
    this.#post = post;
    this.#forget = forget;
  }

  open(events: LinkEvents): void {
    this.#arrivals.open({
      frame: (frame) => {
        events.frame(frame);
        this.#took(frame);
      },
      closed: (code, reason) => events.closed(code, reason),
    });
  }

  send(frame: Frame): void {
    if (!this.#arrivals.isClosed) this.#post({ kind: 'frame', line: this.#number, frame });
  }

  close(code: number, reason: string): void {
    if (this.#arrivals.isClosed) return;
    this.#arrivals.stop();
    this.#forget();
    this.#post({ kind: 'close', line: this.#number, code, reason });
    // Not within the caller's own turn: closing a link never calls back into whoever closes it.
    queueMicrotask(() => this.#arrivals.end(code, reason));
  }

  receive(frame: Frame): void {
    this.#arrivals.frame(frame);
  }

  ended(code: number, reason: string): void {
    if (!this.#arrivals.isClosed) this.#arrivals.end(code, reason);
  }

  /** Tells the other side now and then how much was read: it holds back what this tab does not get to. */
  #took(frame: Frame): void {
    this.#taken += frame.length;
    if (this.#taken < TAKE_SIZE || this.#arrivals.isClosed) return;
    this.#post({ kind: 'took', line: this.#number, size: this.#taken });
    this.#taken = 0;
  }
}
