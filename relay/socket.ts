// WebSockets as links: the only file that knows ws. What a socket is to be sent in one turn of the event loop leaves in one system call
// (turn.ts), and a room's frame is encoded once for all its members: that is most of what a fan-out costs. Nothing is compressed (small
// messages do not shrink and each socket would pay for its own window).

import type { IncomingMessage, Server } from 'node:http';
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import type { RawData } from 'ws';
import { CODES, type ErrorCode, LockstepError } from '../core/errors.ts';
import { Arrivals } from '../peer/arrivals.ts';
import { CLOSE_PROTOCOL } from '../peer/link.ts';
import type { Dial, Frame, Link, LinkEvents } from '../peer/link.ts';
import { LIMITS, SUBPROTOCOL } from '../peer/wire.ts';
import { Deadlines } from './deadlines.ts';
import { nodeEnvironment } from './environment.ts';
import type { Gate } from './gate.ts';
import type { SharedFrame, SharingLink } from './neighbour.ts';
import { Outlet } from './turn.ts';

/** A character is at most three bytes of UTF-8 for each unit that `length` counts; the header that a relay adds has room too. */
const payloadBytesMax = (frameSize: number): number => frameSize * 3 + 1_024;
/** Milliseconds for the other side to answer our close before the socket is cut. */
const CLOSE_TIMEOUT_MS = 2_000;
/** Milliseconds from dialing to an open socket. */
const DIAL_TIMEOUT_MS = 10_000;
/** Bytes of a close frame's reason: RFC 6455, section 5.5. */
const REASON_BYTES_MAX = 123;
/** RFC 6455, section 7.4.1: what the library says of a message over its limit. */
const CLOSE_TOO_BIG = 1009;
/** Pings without an answer after which a socket is dead. */
const MISSED_PINGS_MAX = 2;
/** Characters of a refused upgrade's body. */
const REFUSAL_MAX = 4_096;

export interface SocketServerOptions {
  readonly http: Server;
  readonly gate: Gate;
  /** @param path of the request's URL, without its query. */
  readonly accept: (link: Link, path: string) => void;
  readonly pingMs?: number;
  readonly frameSize?: number;
}

/** Takes the WebSocket upgrades of an HTTP server. @returns a function that ends it: no more upgrades, and what is open is cut. */
export function serveSockets(options: SocketServerOptions): () => void {
  const { http, gate, accept } = options;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: payloadBytesMax(options.frameSize ?? LIMITS.frameSize),
    WebSocket: socketOf(options.frameSize ?? LIMITS.frameSize),
    // A client that offers none speaks plain JSON-RPC, or ours without saying so; one that offers only others does not come this far.
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  const upgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    const refusal = gate.refusal({ host: request.headers.host, origin: request.headers.origin });
    const offered = request.headers['sec-websocket-protocol'];
    if (refusal !== undefined) refuseUpgrade(stream, new LockstepError('FORBIDDEN', refusal));
    else if (offered !== undefined && !offered.split(',').some((name) => name.trim() === SUBPROTOCOL))
      refuseUpgrade(stream, new LockstepError('BAD_VERSION', `this relay speaks ${SUBPROTOCOL}, found ${offered.slice(0, 100)}`));
    else
      server.handleUpgrade(request, stream, head, (socket) => {
        accept(new SocketLink(socket, stream, { isMasking: false }), (request.url ?? '/').split('?', 1)[0]!);
        socket.on('pong', answered);
        answerPings(socket, stream);
      });
  };
  /** Pings that sockets have not answered. */
  let unanswered = new Map<WebSocket, number>();
  function answered(this: WebSocket): void {
    unanswered.delete(this);
  }
  const pings = setInterval(() => {
    const before = unanswered;
    unanswered = new Map();
    for (const socket of server.clients) {
      const count = before.get(socket) ?? 0;
      unanswered.set(socket, count + 1);
      if (count >= MISSED_PINGS_MAX) socket.terminate();
      else if (socket.readyState === WebSocket.OPEN) socket.ping();
    }
  }, options.pingMs ?? LIMITS.pingMs);
  pings.unref();
  http.on('upgrade', upgrade);
  return () => {
    clearInterval(pings);
    http.off('upgrade', upgrade);
    for (const socket of server.clients) socket.terminate();
    server.close();
  };
}

/** Of pings whose answers would only wait to be read, the newest one is answered when there is room: RFC 6455, section 5.5.3. (RELAY-26) */
function answerPings(socket: WebSocket, stream: Duplex): void {
  let owed: Buffer | undefined;
  const drained = (): void => {
    const ping = owed;
    owed = undefined;
    if (ping !== undefined && socket.readyState === WebSocket.OPEN) socket.pong(ping);
  };
  socket.on('ping', (ping) => {
    if (!stream.writableNeedDrain) return socket.pong(ping);
    if (owed === undefined) stream.once('drain', drained);
    // Not the chunk that it came in.
    owed = Buffer.from(ping);
  });
}

/** How a process reaches a relay at `url` (`ws:` or `wss:`; `http:` and `https:` mean the same). @param options `isPlain`: whoever is there speaks another protocol. @throws LockstepError BAD_PARAMS when it is no such URL. */
export function dial(url: string, options: { readonly frameSize?: number; readonly isPlain?: boolean } = {}): Dial {
  const target = url.replace(/^http/, 'ws');
  const address = URL.canParse(target) ? new URL(target) : undefined;
  if (address === undefined || !/^wss?:$/.test(address.protocol))
    throw new LockstepError('BAD_PARAMS', `expected the URL of a relay, ws:, wss:, http: or https:, found "${url}"`);
  const frameSize = options.frameSize ?? LIMITS.frameSize;
  const protocols = options.isPlain === true ? [] : [SUBPROTOCOL];
  const settings = {
    perMessageDeflate: false,
    maxPayload: payloadBytesMax(frameSize),
    ...(target.startsWith('ws:') ? { createConnection: connectPlain } : {}),
  };
  return () =>
    new Promise<Link>((resolve, reject) => {
      const unreachable = (error: unknown): void => {
        const reason = error instanceof Error ? error.message : String(error);
        reject(new LockstepError('UNREACHABLE', `no relay at ${target}: ${reason}`, { cause: error }));
      };
      let socket: WebSocket;
      try {
        socket = new (socketOf(frameSize))(address, protocols, settings);
      } catch (error) {
        unreachable(error);
        return;
      }
      const giveUp = (): void => {
        unreachable(new Error(`no answer within ${DIAL_TIMEOUT_MS} ms`));
        socket.terminate();
      };
      dials.add(giveUp);
      let link: SocketLink | undefined;
      // Here and not on `open`: frames may come with the very bytes that end the handshake.
      socket.on('upgrade', (response) => {
        link = new SocketLink(socket, response.socket, { isMasking: true });
      });
      socket.on('open', () => {
        dials.delete(giveUp);
        if (link === undefined) unreachable(new Error('the handshake left no stream'));
        else resolve(link);
      });
      socket.on('unexpected-response', (_, response) => {
        readRefusal(response).then((refusal) => {
          if (refusal === undefined)
            unreachable(new Error(`it answered HTTP ${response.statusCode ?? 'without a status'}, expected a WebSocket`));
          else reject(refusal);
          socket.terminate();
        }, unreachable);
      });
      socket.on('error', (error) => {
        dials.delete(giveUp);
        unreachable(error);
      });
    });
}

/** With nothing but its address: a stream copies all that it is made with, and the library hands it the whole request. */
function connectPlain(request: unknown): Socket {
  const { host, port } = request as TcpNetConnectOpts;
  return connect({ host, port });
}

/** What gives a dial up that takes too long. */
const dials = new Deadlines<() => void>(nodeEnvironment, DIAL_TIMEOUT_MS, (giveUp) => giveUp());

/** What a relay says when it does not take a socket: a code and a sentence as JSON. Undefined when it is somebody else. */
async function readRefusal(response: IncomingMessage): Promise<LockstepError | undefined> {
  let text = '';
  response.setEncoding('utf8');
  for await (const part of response) {
    text += String(part);
    if (text.length > REFUSAL_MAX) return undefined;
  }
  try {
    const { error } = JSON.parse(text) as { readonly error?: { readonly code?: unknown; readonly message?: unknown } };
    const code = Object.keys(CODES).find((each) => each === error?.code) as ErrorCode | undefined;
    return code === undefined ? undefined : new LockstepError(code, String(error?.message));
  } catch {
    return undefined; // A web page, for instance.
  }
}

/** By frame size: with a class for each socket the engine would find nothing twice, and every call on one would be slow. */
const socketClasses = new Map<number, typeof WebSocket>();

/** Sockets that say in our own words what the library would say with a number. */
function socketOf(frameSize: number): typeof WebSocket {
  let its = socketClasses.get(frameSize);
  if (its === undefined) {
    its = class extends WebSocket {
      override close(code?: number, reason?: string | Buffer): void {
        if (code === CLOSE_TOO_BIG) super.close(CLOSE_PROTOCOL, `TOO_LARGE: a frame has at most ${frameSize} characters, found more`);
        else super.close(code, reason);
      }
    };
    socketClasses.set(frameSize, its);
  }
  return its;
}

class SocketLink implements SharingLink {
  readonly #socket: WebSocket;
  readonly #isMasking: boolean;
  readonly #outlet: Outlet;
  readonly #arrivals = new Arrivals();

  /** @param options `isMasking`: it is a client's, whose frames are masked one by one (RFC 6455, section 5.3). */
  constructor(socket: WebSocket, stream: Duplex, options: { readonly isMasking: boolean }) {
    this.#socket = socket;
    this.#isMasking = options.isMasking;
    this.#outlet = new Outlet(stream);
    const arrivals = this.#arrivals;
    socket.on('message', (data, isBinary) => {
      arrivals.frame(isBinary ? bytes(data) : bytes(data).toString());
    });
    socket.on('close', (code, reason) => {
      this.#arrivals.end(code, reason.toString());
    });
    // The library closes a socket after an error; `close` tells.
    socket.on('error', () => undefined);
  }

  open(events: LinkEvents): void {
    this.#arrivals.open(events);
  }

  get bufferedBytes(): number {
    return this.#outlet.bufferedBytes;
  }

  send(frame: Frame): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    // A client says at once what a turn made it say.
    if (this.#isMasking) this.#outlet.writeSoon(encodeFrame(frame, true));
    else this.#outlet.write(encodeFrame(frame, false));
  }

  /** Servers do not mask, so one encoding fits every socket. */
  sendShared(shared: SharedFrame, mayRest: boolean): void {
    if (this.#isMasking) this.send(shared.frame);
    else if (this.#socket.readyState === WebSocket.OPEN)
      this.#outlet.writeSoon((shared.prepared ??= encodeFrame(shared.frame, false)), mayRest ? shared.rest : undefined);
  }

  close(code: number, reason: string): void {
    if (this.#arrivals.isClosed) return;
    this.#arrivals.stop();
    this.#outlet.flush();
    this.#socket.close(code, shorten(reason));
    setTimeout(() => {
      this.#socket.terminate();
    }, CLOSE_TIMEOUT_MS).unref();
    // The other side may be the one that does not read: whoever closes does not wait for it.
    setImmediate(() => {
      this.#arrivals.end(code, reason);
    });
  }
}

// ── Bytes ────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * A whole message in one frame: RFC 6455, section 5.2. The library holds nothing back, so writing beside it keeps the order.
 *   byte 0   1 0 0 0 opcode(4)       FIN, no extensions; opcode 1 = text, 2 = binary
 *   byte 1   isMasked(1) length(7)   126: the length is in 2 bytes, 127: in 8 bytes after it
 *   4 bytes  the mask, in a client's frames: what follows is XORed with it, over and over
 */
function encodeFrame(frame: Frame, isMasked: boolean): Uint8Array {
  const isText = typeof frame === 'string';
  const size = isText ? Buffer.byteLength(frame) : frame.byteLength;
  const lengthSize = size < 126 ? 0 : size < 65_536 ? 2 : 8;
  const start = 2 + lengthSize + (isMasked ? 4 : 0);
  const encoded = Buffer.allocUnsafe(start + size);
  encoded[0] = 0x80 | (isText ? 1 : 2);
  encoded[1] = (isMasked ? 0x80 : 0) | (lengthSize === 0 ? size : lengthSize === 2 ? 126 : 127);
  if (lengthSize === 2) encoded.writeUInt16BE(size, 2);
  if (lengthSize === 8) encoded.writeBigUInt64BE(BigInt(size), 2);
  if (isText) encoded.write(frame, start);
  else encoded.set(frame, start);
  if (isMasked) mask(encoded, start);
  return encoded;
}

/** With a mask that nobody can foretell (section 10.3), written in front of `start`. */
function mask(encoded: Buffer, start: number): void {
  encoded.writeUInt32BE(nodeEnvironment.random() >>> 0, start - 4);
  for (let at = start; at < encoded.length; at++) encoded[at]! ^= encoded[start - 4 + ((at - start) & 3)]!;
}

function bytes(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

/** At most as long as a close frame's reason may be, and still whole characters. */
function shorten(reason: string): string {
  let short = reason.slice(0, REASON_BYTES_MAX);
  while (Buffer.byteLength(short) > REASON_BYTES_MAX) short = short.slice(0, -1);
  return short;
}

function refuseUpgrade(stream: Duplex, { code, message }: LockstepError): void {
  const body = JSON.stringify({ error: { code, message } });
  stream.on('error', () => undefined); // It may be gone before it hears us.
  stream.end(
    `HTTP/1.1 ${code === 'FORBIDDEN' ? '403 Forbidden' : '400 Bad Request'}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
