// The conversation with one remote peer, or with the relay itself: questions and answers both ways until it ends. What it says leaves
// with everything else of the turn (outbox.ts). A session lives as long as both ends are connected; what outlives it (event numbers,
// watches) belongs to mirrors and authorities.

import { LockstepError } from '../core/errors.ts';
import { encodeAnswerText, encodeRefusal, type Message, readResult, type RequestId } from './codec-json.ts';
import type { Environment } from './environment.ts';
import type { Outbox } from './outbox.ts';
import { type Answered, Rpc } from './rpc.ts';
import type { Asker, Load } from './service.ts';
import type { Methods, PeerId, WatchResult } from './wire.ts';

type State = { readonly state: 'open' } | { readonly state: 'closed'; readonly error: LockstepError };
const OPEN: State = { state: 'open' };

/** What a peer's sessions share. */
export interface SessionOptions {
  readonly environment: Environment;
  readonly outbox: Outbox;
  /** What a remote asks for. */
  readonly requested: (id: RequestId, method: string, params: unknown, session: Session) => void;
  readonly timeoutMs: () => number;
  /** What the session with a remote before this one asked on this link, and gave up. */
  readonly givenUp: (remote: PeerId) => Map<RequestId, Answered> | undefined;
  /** Notifications that no request asked for. */
  readonly noticed: (session: Session, method: string, params: unknown) => void;
  /** The link of a remote, as far as this peer knows: asked again for every watch. */
  readonly sessionOf: (remote: PeerId) => number | undefined;
}

interface SessionRoom {
  leave(session: Session): void;
}

export class Session implements Asker {
  readonly remote: PeerId;
  readonly #options: SessionOptions;
  readonly #firstQuestion: number;
  /** Made for the first question: most remotes of a server are never asked anything. */
  #rpc: Rpc | undefined;
  #state: State = OPEN;
  readonly load: Load = { sends: 0, requests: 0 };
  /** Made for the first: most remotes of a page watch nothing there. */
  #rooms: Set<SessionRoom> | undefined;

  /**
   * @param remote peer id; "" is the relay.
   * @param firstQuestion the number of its first question: above those of earlier sessions, whose answers may still be on their way.
   */
  constructor(remote: PeerId, firstQuestion: number, options: SessionOptions) {
    this.remote = remote;
    this.#firstQuestion = firstQuestion;
    this.#options = options;
  }

  /** The rooms of instances that the remote watches here. */
  get rooms(): Set<SessionRoom> {
    return (this.#rooms ??= new Set());
  }

  get #asking(): Rpc {
    const { environment, timeoutMs } = this.#options;
    const givenUp = this.#options.givenUp(this.remote);
    return (this.#rpc ??= new Rpc({ environment, timeoutMs, first: this.#firstQuestion, givenUp, post: (message) => this.post(message) }));
  }

  get givenUp(): Map<RequestId, Answered> | undefined {
    return this.#rpc?.givenUp;
  }

  get nextQuestion(): number {
    return this.#rpc?.nextId ?? this.#firstQuestion;
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
    this.#asking.call('watch', session === undefined ? params : { ...params, session }, (error, result) => {
      if (error !== undefined) return answered(error);
      let read: WatchResult;
      try {
        read = readResult('watch', result);
      } catch (problem) {
        return answered(problem as LockstepError);
      }
      answered(undefined, read);
    });
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
        return this.#asking.receive(message.id, undefined, message.result);
      case 'refusal':
        // Without an id it answers something of ours that was not readable: nothing here waits for it.
        if (message.id !== null) this.#asking.receive(message.id, message.error, undefined);
        return;
      case 'notice':
        return this.#options.noticed(this, message.method, message.params);
    }
  }

  /** Fails what waits for an answer and leaves all rooms; the session takes and says nothing more. */
  close(error: LockstepError): void {
    if (this.#state.state === 'closed') return;
    this.#state = { state: 'closed', error };
    this.#rpc?.close(error);
    for (const room of [...(this.#rooms ?? [])]) room.leave(this);
  }
}
