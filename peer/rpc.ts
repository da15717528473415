// The asking side of JSON-RPC 2.0, with one remote: questions by number until they are answered, or their time is up.

import { LockstepError } from '../core/errors.ts';
import { encodeRequest, type RequestId } from './codec-json.ts';
import type { Environment } from './environment.ts';

/** Called with what came back, or with why nothing will. */
export type Answered = (error: LockstepError | undefined, result: unknown) => void;

export class Rpc {
  readonly #environment: Environment;
  readonly #timeoutMs: () => number;
  readonly #post: (message: string) => boolean;
  /** What waits for its answer. */
  readonly #calls = new Map<RequestId, Answered>();
  /** Questions that were given up, and may have arrived. */
  #givenUp: Map<RequestId, Answered> | undefined;
  #nextId: number;

  /** @param options `first`: the number of the first question, 1 unless given. `givenUp`: those of the session before, which asks no more. */
  constructor(options: {
    readonly first?: number;
    readonly givenUp?: Map<RequestId, Answered> | undefined;
    readonly environment: Environment;
    readonly timeoutMs: () => number;
    readonly post: (message: string) => boolean;
  }) {
    this.#environment = options.environment;
    this.#timeoutMs = options.timeoutMs;
    this.#post = options.post;
    this.#nextId = options.first ?? 1;
    this.#givenUp = options.givenUp;
  }

  /** Those that are given up later are in it as well. */
  get givenUp(): Map<RequestId, Answered> {
    return (this.#givenUp ??= new Map());
  }

  /** The number of the next question. */
  get nextId(): number {
    return this.#nextId;
  }

  /** @throws LockstepError the code that the remote answered; TIMEOUT; what `close` was given. */
  request(method: string, params: unknown): Promise<unknown> {
    const timeoutMs = this.#timeoutMs();
    return new Promise((resolve, reject) => {
      const id = this.#nextId;
      const expire = (): void => this.receive(id, new LockstepError('TIMEOUT', `no answer to ${method} within ${timeoutMs} ms`), undefined);
      const cancel = this.#environment.timer(timeoutMs, expire);
      this.call(method, params, (error, result) => {
        cancel();
        if (error === undefined) resolve(result);
        else reject(error);
      });
    });
  }

  /** The hot path: no promise and no timer; whoever calls watches the time. An answer that comes although it was given up is told as well. */
  call(method: string, params: unknown, answered: Answered): void {
    const id = this.#nextId++;
    this.#calls.set(id, answered);
    if (!this.#post(encodeRequest(id, method, params)))
      this.receive(id, new LockstepError('TOO_LARGE', `a request ${method} that does not fit a frame`), undefined);
  }

  /** An answer or a refusal has come; one to a question that is not open is dropped. */
  receive(id: RequestId, error: LockstepError | undefined, result: unknown): void {
    const answered = this.#calls.get(id) ?? this.#givenUp?.get(id);
    if (answered === undefined) return;
    this.#calls.delete(id);
    this.#givenUp?.delete(id);
    answered(error, result);
  }

  /** Fails everything that waits for an answer. */
  close(error: LockstepError): void {
    const calls = [...this.#calls];
    this.#calls.clear();
    for (const [id, answered] of calls) this.givenUp.set(id, answered);
    for (const [, answered] of calls) answered(error, undefined);
  }
}
