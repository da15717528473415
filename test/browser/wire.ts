// The wire between one tab and the server, in the hands of a test: an HTTP proxy that can be cut and mended, counts sockets, and can give
// pages another Content-Security-Policy.

import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

export class Wire {
  readonly #server: Server;
  readonly #target: URL;
  readonly #policy: string | undefined;
  readonly #sockets = new Set<Duplex>();
  #isUp = true;
  /** Whether pages are served; sockets may be cut alone. */
  #hasPages = true;

  private constructor(target: string, policy: string | undefined) {
    this.#target = new URL(target);
    this.#policy = policy;
    this.#server = createServer((asked, answer) => this.#forward(asked, answer));
    this.#server.on('upgrade', (asked, socket, head) => (this.#isUp ? this.#tunnel(asked, socket, head) : socket.destroy()));
    this.#server.on('connection', (socket) => !this.#hasPages && socket.destroy());
  }

  /** @param policy replaces the server's Content-Security-Policy. */
  static async lay(target: string, policy?: string): Promise<Wire> {
    const wire = new Wire(target, policy);
    await new Promise<void>((resolve) => wire.#server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Open WebSockets. */
  get socketCount(): number {
    return this.#sockets.size;
  }

  /** Every socket ends at once, without a close frame, and no new one opens. */
  cut(): void {
    this.#isUp = this.#hasPages = false;
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
  }

  mend(): void {
    this.#isUp = this.#hasPages = true;
  }

  /** Pages come again, sockets do not. */
  mendPages(): void {
    this.#hasPages = true;
  }

  remove(): void {
    this.cut();
    this.#server.close();
  }

  #forward(asked: IncomingMessage, answer: ServerResponse): void {
    const passed = request(
      new URL(asked.url ?? '/', this.#target),
      { method: asked.method, headers: { ...asked.headers, host: this.#target.host } },
      (response) => {
        const policy = this.#policy === undefined ? {} : { 'content-security-policy': this.#policy };
        answer.writeHead(response.statusCode ?? 502, { ...response.headers, ...policy });
        response.pipe(answer);
      },
    );
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  }

  #tunnel(asked: IncomingMessage, near: Duplex, head: Buffer): void {
    const far = connect(Number(this.#target.port), this.#target.hostname, () => {
      const headers = asked.rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
      far.write(`GET ${asked.url ?? '/'} HTTP/1.1\r\n${headers}\r\n`);
      far.write(head);
      near.pipe(far).pipe(near);
    });
    this.#sockets.add(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        other.destroy();
        this.#sockets.delete(near);
      });
    }
  }
}
