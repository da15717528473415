// The conversation with one remote peer, or with the relay itself: questions and answers both ways until it ends. What it says leaves
// with everything else of the turn (outbox.ts). A session lives as long as both ends are connected; what outlives it (event numbers,
// watches) belongs to mirrors and authorities.

import { LockstepError } from '../core/errors.ts';
import { encodeAnswerText, encodeRefusal, type Message, type Notice, readResult, type RequestId } from './codec-json.ts';
import type { Outbox } from './outbox.ts';
import type { Answered } from './questions.ts';
import { Rpc, type RpcOptions } from './rpc.ts';
import type { Asker, Load } from './service.ts';
import type { Methods, PeerId, WatchResult } from './wire.ts';

type State = { readonly state: 'open' } | { readonly state: 'closed'; readonly error: LockstepError };
const OPEN: State = { state: 'open' };

/** What a peer's sessions share. */
export interface SessionOptions extends RpcOptions {
  readonly outbox: Outbox;
  /** What a remote asks for. */
  readonly requested: (id: RequestId, method: string, params: unknown, session: Session) => void;
  /** Notifications that no request asked for. */
  readonly noticed: (session: Session, notice: Notice) => void;
  /** The link of a remote, as far as this peer knows: asked again for every watch. */
  readonly sessionOf: (remote: PeerId) => number | undefined;
}

interface SessionRoom {
  leave(session: Session): void;
}

export class Session implements Asker {
  readonly remote: PeerId;
  readonly #options: SessionOptions;
  /** Made for the first question: most remotes of a server are never asked anything. */
  #rpc: Rpc | undefined;
  #state: State = OPEN;
  readonly load: Load = { sends: 0, requests: 0 };
  /** Made for the first: most remotes of a page watch nothing there. */
  #rooms: Set<SessionRoom> | undefined;

  /** @param remote peer id; "" is the relay. */
  constructor(remote: PeerId, options: SessionOptions) {
    this.remote = remote;
    this.#options = options;
  }

  /** The rooms of instances that the remote watches here. */
  get rooms(): Set<SessionRoom> {
    return (this.#rooms ??= new Set());
  }

  get #asking(): Rpc {
    return (this.#rpc ??= new Rpc(this.#options, (message) => this.post(message)));
  }

  get isOpen(): boolean {
    return this.#state.state === 'open';
  }

  /** @throws LockstepError as the remote answered; TIMEOUT, CLOSED, UNREACHABLE; BAD_PARAMS when the answer is not what the method promises. */
  async request<M extends keyof Methods>(method: M, params: Methods[M]['params']): Promise<Methods[M]['result']> {
    if (this.#state.state === 'closed') throw this.#state.error;
    return readResult(method, await this.#asking.request(method, params));
  }

  /** `answered` is called before anything that the remote sent later is handled; twice where the answer comes although the session has ended. */
  watch(params: Methods['watch']['params'], answered: (error: LockstepError | undefined, result?: WatchResult) => void): void {
    if (this.#state.state === 'closed') return answered(this.#state.error);
    const session = this.#options.sessionOf(this.remote);
    const told: Answered = (error, result) => {
      if (error !== undefined) return answered(error);
      let read: WatchResult;
      try {
        read = readResult('watch', result);
      } catch (problem) {
        return answered(problem as LockstepError);
      }
      answered(undefined, read);
    };
    const id = this.#asking.call('watch', session === undefined ? params : { ...params, session }, told);
    if (session === undefined) this.#options.questions.keep(id, this.remote, told);
  }

  /** @param room it is about, in the packed encoding. @returns false when the message is too large for a frame. */
  post(message: string | Uint8Array, room?: number): boolean {
    const address = room === undefined ? this.remote : `${this.remote}#${room}`;
    if (!this.#options.outbox.fits(address, message)) return false;
    if (this.#state.state === 'open') this.#options.outbox.post(address, message);
    return true;
  }

  answer(id: RequestId, result: unknown): void {
    if (this.answerIfFits(id, JSON.stringify(result))) return;
    this.refuse(id, new LockstepError('TOO_LARGE', `the answer does not fit a frame of ${this.#options.outbox.frameSize} characters`));
  }

  /** @param result its JSON text. @returns false when the answer is too large for a frame: nothing was said then. */
  answerIfFits(id: RequestId, result: string): boolean {
    return this.post(encodeAnswerText(id, result));
  }

  refuse(id: RequestId | null, error: LockstepError): void {
    this.post(encodeRefusal(id, error));
  }

  receive(message: Message | LockstepError): void {
    if (this.#state.state === 'closed') return;
    if (message instanceof LockstepError) return this.refuse(null, message);
    switch (message.kind) {
      case 'request':
        return this.#options.requested(message.id, message.method, message.params, this);
      case 'answer':
        return this.#answered(message.id, undefined, message.result);
      case 'refusal':
        // Without an id it answers something of ours that was not readable: nothing here waits for it.
        if (message.id !== null) this.#answered(message.id, message.error, undefined);
        return;
      case 'notice':
        return this.#options.noticed(this, message);
    }
  }

  #answered(id: RequestId, error: LockstepError | undefined, result: unknown): void {
    const late = this.#options.questions.take(id, this.remote);
    if (!this.#asking.receive(id, error, result)) late?.(error, result);
  }

  /** Fails what waits for an answer and leaves all rooms; the session takes and says nothing more. */
  close(error: LockstepError): void {
    if (this.#state.state === 'closed') return;
    this.#state = { state: 'closed', error };
    this.#rpc?.close(error);
    for (const room of [...(this.#rooms ?? [])]) room.leave(this);
  }
}
