// A link over the browser's own WebSocket. Once it is closed, by either side, nothing more comes out of it: a browser may take a minute to
// admit that a cut network has closed a socket, so closing it here does not wait for that.

import { LockstepError } from '../core/errors.ts';
import { Arrivals } from '../peer/arrivals.ts';
import { CLOSE_NORMAL, type Frame, type Link, type LinkEvents } from '../peer/link.ts';
import { SUBPROTOCOL } from '../peer/wire.ts';

/** Milliseconds that a socket may take to open; a black hole of a network must not hold up the next attempt. */
const OPEN_TIMEOUT_MS = 10_000;
/** Bytes of a close reason that a WebSocket accepts. */
const REASON_SIZE_MAX = 123;
/** Close codes that a page may name; any other is its browser's to send. */
const OWN_CODE_MIN = 3000;

/** @throws LockstepError UNREACHABLE when no socket opens in time, or its other end does not speak the sub-protocol. */
export function dialSocket(url: string): Promise<Link> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    const fail = (why: string): void => {
      clearTimeout(timer);
      socket.onopen = socket.onclose = null;
      socket.close();
      reject(new LockstepError('UNREACHABLE', `no link to ${url}: ${why}`));
    };
    const timer = setTimeout(() => fail(`no answer within ${OPEN_TIMEOUT_MS} ms`), OPEN_TIMEOUT_MS);
    socket.onclose = ({ code }) => fail(`the socket was closed with ${code} before it opened`);
    socket.onopen = () => {
      clearTimeout(timer);
      resolve(new SocketLink(socket));
    };
  });
}

class SocketLink implements Link {
  readonly #socket: WebSocket;
  readonly #arrivals = new Arrivals();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) =>
      this.#arrivals.frame(typeof data === 'string' ? data : new Uint8Array(data));
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  open(events: LinkEvents): void {
    this.#arrivals.open(events);
  }

  send(frame: Frame): void {
    if (this.#arrivals.isClosed || this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(typeof frame === 'string' ? frame : new Uint8Array(frame));
  }

  close(code: number, reason: string): void {
    if (this.#arrivals.isClosed) return;
    this.#arrivals.stop();
    this.#socket.close(code === CLOSE_NORMAL || code >= OWN_CODE_MIN ? code : CLOSE_NORMAL, shorten(reason));
    // Not within the caller's own turn: closing a link never calls back into whoever closes it.
    queueMicrotask(() => this.#closed(code, reason));
  }

  #closed(code: number, reason: string): void {
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#arrivals.end(code, reason);
  }
}

function shorten(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  return bytes.length <= REASON_SIZE_MAX ? reason : new TextDecoder().decode(bytes.slice(0, REASON_SIZE_MAX)).replace(/\uFFFD+$/, '');
}
