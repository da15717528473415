// A WebSocket that says exactly what a test says, and keeps what it hears until it is asked for it: a client written by hand.

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { SUBPROTOCOL } from '../../peer/wire.ts';

/** A JSON-RPC message as it came, with the address of its frame ('' is the relay; undefined: a frame without header). */
export interface Heard {
  readonly from: string | undefined;
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data: { readonly code: string; readonly retryable: boolean };
  };
}

export class RawSocket {
  readonly #socket: WebSocket;
  readonly #heard: Heard[] = [];
  readonly #waiting: ((heard: Heard) => void)[] = [];
  /** Resolves with code and reason when it is closed, by whomever. */
  readonly closed: Promise<readonly [code: number, reason: string]>;
  /** Of `hello`. */
  id = '';

  static async open(url: string): Promise<RawSocket> {
    const socket = new WebSocket(url.replace(/^http/, 'ws'), [SUBPROTOCOL], { perMessageDeflate: false });
    const raw = new RawSocket(socket);
    await once(socket, 'open');
    return raw;
  }

  /** Says hello as a peer; what it says from then on has headers. */
  static async greet(url: string, fields: Readonly<Record<string, unknown>> = {}): Promise<RawSocket> {
    const raw = await RawSocket.open(url);
    raw.say(hello(fields));
    const { result } = await raw.next();
    raw.id = (result as { peer: string }).peer;
    return raw;
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#hear(data.toString()));
    socket.on('error', () => undefined); // `closed` tells.
    this.closed = new Promise((resolve) => {
      socket.once('close', (code: number, reason: Buffer) => resolve([code, reason.toString()]));
    });
  }

  #hear(frame: string): void {
    const isPlain = frame.startsWith('{') || frame.startsWith('[');
    const end = frame.indexOf('\n');
    const body: unknown = JSON.parse(isPlain ? frame : frame.slice(end + 1));
    const from = isPlain ? undefined : frame.slice(0, end);
    for (const message of Array.isArray(body) ? (body as object[]) : [body as object]) {
      const heard = { from, ...message } as Heard;
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#heard.push(heard);
      else waiting(heard);
    }
  }

  say(frame: string | Uint8Array): void {
    this.#socket.send(frame);
  }

  /** The next message that was not taken yet. */
  next(): Promise<Heard> {
    const heard = this.#heard.shift();
    return heard === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(heard);
  }

  close(): void {
    this.#socket.close();
  }
}

export function hello(fields: Readonly<Record<string, unknown>> = {}): string {
  const params = {
    versions: [1],
    encodings: ['json'],
    secret: `raw ${Math.random()}`,
    name: 'raw',
    kind: 'node',
    hosts: false,
    eval: false,
    presence: false,
    ...fields,
  };
  return `\n${JSON.stringify({ jsonrpc: '2.0', id: 'hello', method: 'hello', params })}`;
}
