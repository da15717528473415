// The answering side of JSON-RPC 2.0: the methods that a peer serves, for all of its sessions. The only door to json-rpc-2.0. The methods
// served at once (`send`, `watch`) go beside it, without a promise per message: the library costs two to three times plain JSON there, and
// an answer must keep its place among the steps that follow it. On the wire both are the same JSON-RPC.

import { createJSONRPCErrorResponse, JSONRPCServer } from 'json-rpc-2.0';
import { CODES, LockstepError } from '../core/errors.ts';
import type { Answers } from './answers.ts';
import type { RequestId } from './codec-json.ts';
import { shown } from './shape.ts';
import { LIMITS } from './wire.ts';

/** What of one connection waits to be answered. */
export interface Load {
  /** Events. */
  sends: number;
  /** Everything else. */
  requests: number;
}

/** Who asked, and the way back. */
export interface Asker {
  readonly load: Load;
  /** It hears the room of the instance: a step there is the answer to its event. */
  readonly hearsSteps?: boolean;
  answer(id: RequestId, result: unknown): void;
  refuse(id: RequestId | null, error: LockstepError): void;
}

/** The methods that a peer serves, for all of its sessions. */
export class Service<Caller extends Asker> {
  readonly #server: JSONRPCServer<Caller>;
  readonly #atOnce = new Map<string, (params: unknown, caller: Caller, id: RequestId) => void>();
  readonly #noticed = new Map<string, (params: unknown, caller: Caller) => void>();
  readonly #report: (error: unknown) => void;
  readonly #answers: Answers;

  /** @param report gets what handlers throw that is no LockstepError: a bug of ours, which callers see as INTERNAL. */
  constructor(report: (error: unknown) => void, answers: Answers) {
    this.#report = report;
    this.#answers = answers;
    this.#server = new JSONRPCServer({ errorListener: () => undefined });
    this.#server.mapErrorToJSONRPCErrorResponse = (id, error: unknown) => {
      const known = this.#known(error);
      return createJSONRPCErrorResponse(id, CODES[known.code].rpc, known.message, known);
    };
  }

  /** A method that may take its time. */
  serve(method: string, handler: (params: unknown, caller: Caller) => unknown): void {
    this.#server.addMethod(method, (params, caller) => {
      this.#answers.admit(caller);
      const result = handler(params, caller);
      return result instanceof Promise
        ? result.then((late) => this.#answers.take(caller, late as unknown))
        : this.#answers.take(caller, result);
    });
  }

  /** A method of the hot path: its handler sees to it that the caller gets one answer or refusal for `id`. */
  serveAtOnce(method: string, handler: (params: unknown, caller: Caller, id: RequestId) => void): void {
    this.#atOnce.set(method, handler);
  }

  /** A notice of the hot path: nobody waits for an answer to its number. */
  serveNotice(method: string, handler: (params: unknown, caller: Caller) => void): void {
    this.#noticed.set(method, handler);
  }

  /** @throws LockstepError what is wrong with it; a notice that nobody serves is nothing. */
  notice(method: string, params: unknown, caller: Caller): void {
    this.#noticed.get(method)?.(params, caller);
  }

  handle(id: RequestId, method: string, params: unknown, caller: Caller): void {
    const atOnce = this.#atOnce.get(method);
    if (atOnce === undefined) {
      if (this.#server.hasMethod(method)) void this.#serve(id, method, params, caller);
      else caller.refuse(id, new LockstepError('UNKNOWN_METHOD', `no method ${shown(method)} is served here`));
      return;
    }
    try {
      atOnce(params, caller, id);
    } catch (error) {
      caller.refuse(id, this.#known(error));
    }
  }

  async #serve(id: RequestId, method: string, params: unknown, caller: Caller): Promise<void> {
    const { load } = caller;
    if (load.requests >= LIMITS.requestMax)
      return caller.refuse(
        id,
        new LockstepError('TOO_MANY', `${load.requests} requests wait for their answer, at most ${LIMITS.requestMax} may`),
      );
    load.requests++;
    const response = await this.#server.receive({ jsonrpc: '2.0', id, method, params }, caller);
    load.requests--;
    if (response === null) return;
    if (response.error === undefined) caller.answer(id, response.result);
    else caller.refuse(id, errorOf(response.error));
  }

  #known(error: unknown): LockstepError {
    if (error instanceof LockstepError) return error;
    this.#report(error);
    return new LockstepError('INTERNAL', 'a fault of this peer; its log has it');
  }
}

/** The library carries our own errors in `data`; one without is its own. */
function errorOf({ data, message }: { readonly data?: unknown; readonly message: string }): LockstepError {
  return data instanceof LockstepError ? data : new LockstepError('INTERNAL', message);
}
