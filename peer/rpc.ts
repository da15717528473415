// The asking side of JSON-RPC 2.0, with one remote: questions by number until they are answered, or their time is up.

import { LockstepError } from '../core/errors.ts';
import { encodeRequest, type RequestId } from './codec-json.ts';
import type { Environment } from './environment.ts';
import type { Answered, Questions } from './questions.ts';

export interface RpcOptions {
  readonly environment: Environment;
  readonly questions: Questions;
  readonly timeoutMs: () => number;
}

export class Rpc {
  readonly #options: RpcOptions;
  readonly #post: (message: string) => boolean;
  /** What waits for its answer. */
  readonly #calls = new Map<RequestId, Answered>();

  constructor(options: RpcOptions, post: (message: string) => boolean) {
    this.#options = options;
    this.#post = post;
  }

  /** @throws LockstepError the code that the remote answered; TIMEOUT; what `close` was given. */
  request(method: string, params: unknown): Promise<unknown> {
    const timeoutMs = this.#options.timeoutMs();
    return new Promise((resolve, reject) => {
      const expire = (): void =>
        void this.receive(id, new LockstepError('TIMEOUT', `no answer to ${method} within ${timeoutMs} ms`), undefined);
      const cancel = this.#options.environment.timer(timeoutMs, expire);
      const id = this.call(method, params, (error, result) => {
        cancel();
        if (error === undefined) resolve(result);
        else reject(error);
      });
    });
  }

  /** The hot path: no promise and no timer; whoever calls watches the time. @returns the number of the question. */
  call(method: string, params: unknown, answered: Answered): number {
    const id = this.#options.questions.next++;
    this.#calls.set(id, answered);
    if (!this.#post(encodeRequest(id, method, params)))
      this.receive(id, new LockstepError('TOO_LARGE', `a request ${method} that does not fit a frame`), undefined);
    return id;
  }

  /** An answer or a refusal has come. @returns whether the question was open: nobody is told otherwise. */
  receive(id: RequestId, error: LockstepError | undefined, result: unknown): boolean {
    const answered = this.#calls.get(id);
    this.#calls.delete(id);
    answered?.(error, result);
    return answered !== undefined;
  }

  /** Fails everything that waits for an answer. */
  close(error: LockstepError): void {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const answered of calls) answered(error, undefined);
  }
}
