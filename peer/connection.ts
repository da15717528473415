// The link of a peer to its relay: dials, says hello, and dials again when the link is lost, at moments that a crowd of peers spreads
// over (full jitter). Frames come in through `events` and go out through the outbox; what they say is not its business.

import { assert, LockstepError } from '../core/errors.ts';
import { backoffMs } from './backoff.ts';
import { encodeRequest, type Message, readBody, readHeader, readResult } from './codec-json.ts';
import type { Environment } from './environment.ts';
import { roomAddress } from './identity.ts';
import { CLOSE_NORMAL, CLOSE_PROTOCOL, CLOSE_REPLACED, type Dial, type Frame, type Link } from './link.ts';
import { Outbox } from './outbox.ts';
import type { RoomNames } from './codec-packed.ts';
import type { BringPacked, Packed } from './packed.ts';
import { type Encoding, type HelloParams, type HelloResult, LIMITS, type Limits, type PeerId } from './wire.ts';

/** A link that lived this long makes the next wait start small again. */
const STABLE_MS = 10_000;
/** The only question to a relay. */
const HELLO_ID = 1;
/** Characters that the relay's header may add to a frame. */
const HEADER_MAX = 1_024;

type State =
  | { readonly state: 'dialing' }
  | {
      readonly state: 'greeting';
      readonly link: Link;
      readonly cancelTimeout: () => void;
      readonly packed: Packed | undefined;
    }
  | {
      readonly state: 'open';
      readonly link: Link;
      readonly hello: HelloResult;
      readonly since: number;
      readonly packed: Packed | undefined;
    }
  | { readonly state: 'waiting'; readonly cancel: () => void }
  | { readonly state: 'closed' };

export interface ConnectionEvents {
  /** A relay is about to be greeted that knew this peer before: what is asked of other peers now leaves with hello. @returns whether anything is. */
  resuming(): boolean;
  /** The relay answered hello: frames may go out. */
  opened(hello: HelloResult): void;
  /** The link is gone, whatever was under way. Only after `opened` or `resuming`. */
  lost(error: LockstepError): void;
  /** No link could be made, or the relay refused hello. Another attempt follows unless the error says it is of no use. */
  failed(error: LockstepError): void;
  /** Of one frame, from a peer; "" is the relay. */
  messages(sender: PeerId, messages: readonly (Message | LockstepError)[]): void;
}

/** Who listens to rooms. */
export interface RoomListener {
  /** @param address of the room, as the relay says it: `#authority/room`. */
  hear(address: string, message: Message | LockstepError): void;
}

export interface ConnectionOptions {
  readonly environment: Environment;
  readonly dial: Dial;
  readonly hello: HelloParams;
  readonly events: ConnectionEvents;
  readonly rooms: RoomListener;
  /** Without it the link speaks json. */
  readonly packed: BringPacked | undefined;
  /** What the numbers in a room of this peer's own stand for. */
  readonly names: (room: number) => RoomNames | undefined;
}

export class Connection {
  readonly outbox: Outbox;
  readonly #options: ConnectionOptions;
  /** Of the options: what each frame asks for is at hand. */
  readonly #rooms: RoomListener;
  #state: State = { state: 'waiting', cancel: () => undefined };
  #attempt = 0;
  /** Of the last hello: what the next one will most likely agree on. */
  #encoding: Encoding | undefined;
  /** Whether what is posted leaves with hello. */
  #isResuming = false;
  /** Whether anything did, on the link that is being greeted. */
  #hasResumed = false;
  /** Somebody with the same secret came later: the name is theirs until they leave it. Throwing them out in turn would go on for ever. */
  #yields = false;
  /** Of the last hello; known also while the link is down. */
  #self: PeerId | undefined;
  /** Rooms of our own that we listen to ourselves. */
  readonly ownRooms = new Set<number>();
  limits: Limits = LIMITS;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#rooms = options.rooms;
    this.outbox = new Outbox({
      environment: options.environment,
      frameSize: LIMITS.frameSize,
      deliver: (address, body) => this.#deliver(address, body),
    });
  }

  get self(): PeerId | undefined {
    return this.#self;
  }

  get isOpen(): boolean {
    return this.#state.state === 'open';
  }

  /** Whether other peers can be asked: also while `resuming` is told. */
  get canAsk(): boolean {
    return this.isOpen || this.#isResuming;
  }

  /** Whether to ask for packed rooms: the relay carries them, or did when it was last here. */
  get asksPacked(): boolean {
    if (this.#state.state === 'greeting') return this.#state.packed !== undefined && this.#encoding === 'packed';
    return this.packed !== undefined;
  }

  /** What the relay said last. For while the link is open. */
  hello(): HelloResult {
    assert(this.#state.state === 'open', 'the link is open');
    return this.#state.hello;
  }

  /** Dials now, whatever the wait: the user, or the platform, says that the network is back. */
  connect(): void {
    if (this.#state.state !== 'waiting') return;
    this.#state.cancel();
    this.#state = { state: 'dialing' };
    const { dial, packed } = this.#options;
    // What cannot be brought in is not offered to the relay.
    const brought = Promise.resolve(packed?.()).catch(() => undefined);
    dial().then(
      async (link) => this.#greet(link, await brought),
      (error: unknown) =>
        this.#failed(
          error instanceof LockstepError
            ? error
            : new LockstepError('UNREACHABLE', `no link to the relay: ${String(error)}`, { cause: error }),
        ),
    );
  }

  /** The packed encoding while the relay carries it. */
  get packed(): Packed | undefined {
    return this.#state.state === 'open' ? this.#state.packed : undefined;
  }

  /** Ends it for good. */
  close(): void {
    const state = this.#state;
    this.outbox.flush();
    this.#state = { state: 'closed' };
    if (state.state === 'waiting') state.cancel();
    if (state.state === 'greeting') state.cancelTimeout();
    if ('link' in state) state.link.close(CLOSE_NORMAL, '');
    if (state.state === 'open') this.#options.events.lost(new LockstepError('CLOSED', 'this peer was closed'));
  }

  #greet(link: Link, packed: Packed | undefined): void {
    if (this.#state.state !== 'dialing') return link.close(CLOSE_NORMAL, '');
    const { environment, hello } = this.#options;
    const expire = (): void => {
      const late = new LockstepError('TIMEOUT', `the relay did not answer hello within ${LIMITS.requestTimeoutMs} ms`);
      this.#breakOff(link, late);
    };
    this.#state = { state: 'greeting', link, packed, cancelTimeout: environment.timer(LIMITS.requestTimeoutMs, expire) };
    link.open({ frame: (frame) => this.#frame(link, frame), closed: (code, reason) => this.#closed(link, code, reason) });
    const encodings = packed === undefined ? hello.encodings : ['packed', ...hello.encodings];
    // What was posted until now was for no link.
    this.outbox.flush();
    this.#isResuming = this.#self !== undefined && !this.#yields;
    this.#hasResumed = this.#isResuming && this.#options.events.resuming();
    const said = { ...hello, encodings, yields: this.#yields || undefined, resumes: this.#hasResumed || undefined };
    link.send(`\n${encodeRequest(HELLO_ID, 'hello', said)}`);
    this.outbox.flush();
    this.#isResuming = false;
  }

  #greeted(link: Link, error: LockstepError | undefined, result: unknown): void {
    if (this.#state.state !== 'greeting') return;
    this.#state.cancelTimeout();
    const { packed } = this.#state;
    try {
      if (error !== undefined) throw error;
      const hello = readResult('hello', result);
      this.#state = {
        state: 'open',
        link,
        hello,
        since: this.#options.environment.now(),
        packed: hello.encoding === 'packed' ? packed : undefined,
      };
      this.#yields = false;
      this.#self = hello.peer;
      this.#encoding = hello.encoding;
      this.limits = hello.limits;
      this.outbox.frameSize = hello.limits.frameSize;
      this.#options.events.opened(hello);
    } catch (problem) {
      this.#breakOff(link, problem instanceof LockstepError ? problem : new LockstepError('INTERNAL', String(problem), { cause: problem }));
    }
  }

  #frame(link: Link, frame: Frame): void {
    const state = this.#state;
    if (!('link' in state) || state.link !== link) return;
    try {
      const packed = typeof frame === 'string' ? undefined : this.packed;
      if (packed !== undefined) {
        const read = packed.receivePacked(frame as Uint8Array, this.#options.names, this.limits.frameSize + HEADER_MAX);
        return this.#hand(read.address, read.messages);
      }
      const { address, body } = readHeader(frame, this.limits.frameSize + HEADER_MAX);
      if (state.state === 'greeting') {
        for (const message of readBody(body)) this.#greeting(link, message);
      } else {
        this.#hand(address, readable(body));
      }
    } catch (error) {
      // Only the relay writes headers; one that cannot be read means that the two of us do not speak the same protocol.
      this.#breakOff(link, error as LockstepError);
    }
  }

  /** Until hello is answered, its answer is all that can come; others belong to an earlier link of this peer. */
  #greeting(link: Link, message: Message | LockstepError): void {
    if (message instanceof LockstepError) return;
    if (message.kind === 'answer' && message.id === HELLO_ID) this.#greeted(link, undefined, message.result);
    if (message.kind === 'refusal' && message.id === HELLO_ID) this.#greeted(link, message.error, undefined);
  }

  /** @param address `peer`, `peer#room` (one of ours), or `#authority/room`. */
  #hand(address: string, messages: readonly (Message | LockstepError)[]): void {
    const hash = address.indexOf('#');
    if (hash === 0) for (const message of messages) this.#rooms.hear(address, message);
    else this.#options.events.messages(hash < 0 ? address : address.slice(0, hash), messages);
  }

  /** One frame of the outbox. What is addressed to ourselves takes the same road, without the relay. */
  #deliver(address: string, body: string | readonly Uint8Array[]): void {
    const state = this.#state;
    if (typeof body !== 'string') {
      if (state.state === 'open' && state.packed !== undefined) state.link.send(state.packed.packFrame(address, body));
      return;
    }
    if (address === this.#self && address !== '') return this.#hand(address, readable(body));
    if (address.startsWith('#') && this.#self !== undefined && this.ownRooms.has(Number(address.slice(1))))
      this.#hand(roomAddress(this.#self, address.slice(1)), readable(body));
    if (state.state === 'open' || (state.state === 'greeting' && this.#isResuming)) state.link.send(`${address}\n${body}`);
  }

  #breakOff(link: Link, error: LockstepError): void {
    link.close(CLOSE_PROTOCOL, `${error.code}: ${error.message}`.slice(0, 120));
    this.#end(link, error);
  }

  #closed(link: Link, code: number, reason: string): void {
    const text = `the link to the relay was closed (${code}${reason === '' ? '' : ` ${reason}`})`;
    this.#end(link, new LockstepError(code === CLOSE_REPLACED ? 'FENCED' : 'CLOSED', text));
  }

  #end(link: Link, error: LockstepError): void {
    const state = this.#state;
    if (!('link' in state) || state.link !== link) return;
    if (state.state === 'open' && this.#options.environment.now() - state.since >= STABLE_MS) this.#attempt = 0;
    if (state.state === 'greeting') {
      state.cancelTimeout();
      this.#failed(error);
      if (this.#hasResumed) this.#options.events.lost(error);
      return;
    }
    if (error.code === 'FENCED') this.#yields = true;
    this.#wait();
    this.#options.events.lost(error);
  }

  #failed(error: LockstepError): void {
    if (this.#state.state === 'closed') return;
    this.#wait();
    this.#options.events.failed(error);
  }

  #wait(): void {
    const { environment } = this.#options;
    const delayMs = backoffMs(environment, this.#attempt++);
    this.#state = { state: 'waiting', cancel: environment.timer(delayMs, () => this.connect()) };
  }
}

/** A body that is not JSON is its sender's fault: one refusal, and the link lives on. */
function readable(body: string): readonly (Message | LockstepError)[] {
  try {
    return readBody(body);
  } catch (error) {
    return [error as LockstepError];
  }
}
