// The network of a simulated world: sockets to one relay, each with its own delays, so that what comes over different ones is reordered.
// A socket can lose frames of rooms, repeat frames, hold back what its reader does not take, go deaf without a word, and break.

import { CLOSE_GOING_AWAY, type Frame, type Link, type LinkEvents } from '../../peer/link.ts';
import { LockstepError } from '../../core/errors.ts';
import type { TestEnvironment } from '../../peer/testing.ts';
import type { Random } from '../support/random.ts';
import { readFrame } from './frames.ts';

/** What the world does to frames: chances in a thousand, and milliseconds. */
export interface Weather {
  slowMs: number;
  lost: number;
  repeated: number;
  /** Of a thousand dials, how many fail. */
  unreachable: number;
}

export interface NetworkEvents {
  /** A frame reached the peer's end, or left it. */
  heard(socket: Socket, frame: Frame): void;
  said(socket: Socket, frame: Frame): void;
  /** Characters that wait at the relay's end of a socket. */
  buffered(size: number): void;
}

export interface NetworkOptions {
  readonly environment: TestEnvironment;
  readonly dice: Random;
  readonly weather: Weather;
  readonly events: NetworkEvents;
  /** From so many buffered characters on the relay drops frames of rooms. */
  readonly lagSize: number;
}

interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** Both ends of one connection. */
export class Socket {
  readonly owner: string;
  readonly options: NetworkOptions;
  readonly near: End;
  readonly far: End;
  /** Whether frames of rooms may be missing on it, for a reason that the protocol is to cope with. */
  isExcused = false;
  /** Nothing arrives any more, and nobody is told. */
  isDeaf = false;

  constructor(owner: string, options: NetworkOptions) {
    this.owner = owner;
    this.options = options;
    this.near = new End(this, true);
    this.far = new End(this, false);
  }

  /** Both ends hear that it broke. */
  reset(): void {
    this.near.broke();
    this.far.broke();
  }

  get isOver(): boolean {
    return this.near.isClosed && this.far.isClosed;
  }
}

export class End implements Link {
  readonly #socket: Socket;
  readonly #isNear: boolean;
  #events: LinkEvents | undefined;
  /** On its way to this end, in order. */
  #arriving: { readonly item: Frame | Closing; readonly at: number }[] = [];
  #isArmed = false;
  #isHeld = false;
  isClosed = false;

  constructor(socket: Socket, isNear: boolean) {
    this.#socket = socket;
    this.#isNear = isNear;
  }

  get #other(): End {
    return this.#isNear ? this.#socket.far : this.#socket.near;
  }

  /** What the other end has not taken, while it takes nothing. */
  get bufferedBytes(): number {
    const other = this.#other;
    if (!other.#isHeld) return 0;
    let size = 0;
    for (const { item } of other.#arriving) if (typeof item === 'string' || item instanceof Uint8Array) size += item.length;
    if (size >= this.#socket.options.lagSize) this.#socket.isExcused = true;
    return size;
  }

  /** The reader takes nothing until it is let go. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (!isHeld) this.#arm();
  }

  open(events: LinkEvents): void {
    this.#events = events;
    this.#arm();
  }

  send(frame: Frame): void {
    if (this.isClosed) return;
    const { dice, weather, events } = this.#socket.options;
    if (this.#isNear) events.said(this.#socket, frame);
    if (!this.#isNear && isOfRoom(frame) && dice.chance(weather.lost / 1_000) && isStep(frame)) {
      this.#socket.isExcused = true;
      return;
    }
    this.#other.#arrive(frame);
    const isHello = typeof frame === 'string' && frame.includes('"method":"hello"');
    if (!isHello && dice.chance(weather.repeated / 1_000)) this.#other.#arrive(frame);
    if (!this.#isNear) events.buffered(this.bufferedBytes);
  }

  close(code: number, reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#arriving = [];
    this.#socket.options.environment.defer(() => this.#events?.closed(code, reason));
    this.#other.#arrive({ code, reason });
  }

  broke(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#arriving = [];
    this.#socket.options.environment.defer(() => this.#events?.closed(CLOSE_GOING_AWAY, 'the socket broke'));
  }

  /** The process at this end is gone: it hears nothing. */
  abandon(): void {
    this.isClosed = true;
    this.#arriving = [];
  }

  #arrive(item: Frame | Closing): void {
    if (this.isClosed || this.#socket.isDeaf) return;
    const { dice, environment, weather } = this.#socket.options;
    const at = Math.max(environment.now() + dice.below(weather.slowMs + 1), this.#arriving.at(-1)?.at ?? 0);
    this.#arriving.push({ item, at });
    this.#arm();
  }

  #arm(): void {
    const [first] = this.#arriving;
    if (this.#isArmed || this.#isHeld || this.#events === undefined || first === undefined) return;
    this.#isArmed = true;
    const { environment } = this.#socket.options;
    environment.timer(first.at - environment.now(), () => {
      this.#isArmed = false;
      this.#hand();
    });
  }

  /** Everything whose time has come, in order. */
  #hand(): void {
    const now = this.#socket.options.environment.now();
    while (!this.isClosed && !this.#isHeld && !this.#socket.isDeaf) {
      const first = this.#arriving[0];
      if (first === undefined || first.at > now) break;
      this.#arriving.shift();
      const { item } = first;
      if (typeof item === 'string' || item instanceof Uint8Array) {
        if (this.#isNear) this.#socket.options.events.heard(this.#socket, item);
        this.#events?.frame(item);
      } else {
        this.isClosed = true;
        this.#events?.closed(item.code, item.reason);
      }
    }
    if (!this.#socket.isDeaf) this.#arm();
  }
}

/** From a relay, what an authority said in a room. */
const isOfRoom = (frame: Frame): boolean => readFrame(frame).address.startsWith('#');

/**
 * A frame of a room that the next one makes up for. The digest of a room that falls quiet, and the next number of a room, have no next one:
 * nothing loses them alone.
 */
const isStep = (frame: Frame): boolean =>
  !readFrame(frame).messages.some(({ method, params }) => isQuiet(method, params as readonly unknown[]));

/** `step` without steps, `seen` without a difference; and what says that a room goes on under another number, or not at all. */
function isQuiet(method: string | undefined, params: readonly unknown[]): boolean {
  if (method === 'moved') return true;
  const told = method === 'step' ? params[1] : method === 'seen' ? params[3] : undefined;
  return Array.isArray(told) && told.length === 0;
}

export class Network {
  readonly options: NetworkOptions;
  readonly #attach: (link: Link) => void;
  readonly #sockets = new Set<Socket>();
  /** Peers that cannot reach the relay now. */
  readonly cutOff = new Set<string>();

  /** @param attach takes the relay's end of each new socket. */
  constructor(options: NetworkOptions, attach: (link: Link) => void) {
    this.options = options;
    this.#attach = attach;
  }

  async dial(owner: string): Promise<Link> {
    const { dice, weather } = this.options;
    if (this.cutOff.has(owner) || dice.chance(weather.unreachable / 1_000))
      throw new LockstepError('UNREACHABLE', `the simulated network does not let ${owner} through`);
    const socket = new Socket(owner, this.options);
    this.#sockets.add(socket);
    this.#attach(socket.far);
    return socket.near;
  }

  of(owner?: string): readonly Socket[] {
    for (const socket of this.#sockets) if (socket.isOver) this.#sockets.delete(socket);
    return [...this.#sockets].filter((socket) => owner === undefined || socket.owner === owner);
  }
}
