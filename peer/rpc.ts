// JSON-RPC 2.0 both ways with one remote: the only door to json-rpc-2.0. Most requests go through the library; `call` and the methods
// served at once (`send`, `watch`) go beside it, without a promise per message: the library costs two to three times plain JSON there,
// and an answer must keep its place among the steps that follow it. On the wire both are the same JSON-RPC.

import {
  createJSONRPCErrorResponse,
  createJSONRPCSuccessResponse,
  JSONRPCClient,
  JSONRPCErrorException,
  JSONRPCServer,
} from 'json-rpc-2.0';
import { CODES, LockstepError } from '../core/errors.ts';
import { encodeRequest, type RequestId } from './codec-json.ts';
import type { Environment } from './environment.ts';
import { shown } from './shape.ts';

/** Called exactly once: with what came back, or with why nothing will. */
export type Answered = (error: LockstepError | undefined, result: unknown) => void;

/** Who asked, and the way back. */
export interface Asker {
  answer(id: RequestId, result: unknown): void;
  refuse(id: RequestId | null, error: LockstepError): void;
}

/** The methods that a peer serves, for all of its sessions. */
export class Service<Caller extends Asker> {
  readonly #server: JSONRPCServer<Caller>;
  readonly #atOnce = new Map<string, (params: unknown, caller: Caller, id: RequestId) => void>();
  readonly #report: (error: unknown) => void;

  /** @param report gets what handlers throw that is no LockstepError: a bug of ours, which callers see as INTERNAL. */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
    this.#server = new JSONRPCServer({ errorListener: () => undefined });
    this.#server.mapErrorToJSONRPCErrorResponse = (id, error: unknown) => {
      const { code, message, retryable } = this.#known(error);
      return createJSONRPCErrorResponse(id, CODES[code].rpc, message, { code, retryable });
    };
  }

  /** A method that may take its time. */
  serve(method: string, handler: (params: unknown, caller: Caller) => unknown): void {
    this.#server.addMethod(method, handler);
  }

  /** A method of the hot path: its handler sees to it that the caller gets one answer or refusal for `id`. */
  serveAtOnce(method: string, handler: (params: unknown, caller: Caller, id: RequestId) => void): void {
    this.#atOnce.set(method, handler);
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
    const response = await this.#server.receive({ jsonrpc: '2.0', id, method, params }, caller);
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

function tooLarge(method: string): LockstepError {
  return new LockstepError('TOO_LARGE', `a request ${method} that does not fit a frame`);
}

/** The asking side of one conversation. */
export class Rpc {
  readonly #environment: Environment;
  readonly #timeoutMs: () => number;
  readonly #post: (message: string) => boolean;
  readonly #client: JSONRPCClient;
  /** Calls beside the library that wait for their answer. */
  readonly #calls = new Map<RequestId, Answered>();
  /** Cancels the timeouts of library requests. */
  readonly #timers = new Map<RequestId, () => void>();
  #nextId = 1;

  constructor(options: {
    readonly environment: Environment;
    readonly timeoutMs: () => number;
    readonly post: (message: string) => boolean;
  }) {
    this.#environment = options.environment;
    this.#timeoutMs = options.timeoutMs;
    this.#post = options.post;
    this.#client = new JSONRPCClient(
      (request: { readonly id: RequestId; readonly method: string; readonly params: unknown }) => this.#send(request),
      () => this.#nextId++,
    );
  }

  /** @throws LockstepError the code that the remote answered; TIMEOUT; what `close` was given. */
  async request(method: string, params: unknown): Promise<unknown> {
    try {
      return await this.#client.request(method, params);
    } catch (error) {
      throw error instanceof JSONRPCErrorException ? errorOf(error) : error;
    }
  }

  /** The hot path: no promise and no timer; whoever calls watches the time. */
  call(method: string, params: unknown, answered: Answered): void {
    const id = this.#nextId++;
    this.#calls.set(id, answered);
    if (!this.#post(encodeRequest(id, method, params))) this.receive(id, tooLarge(method), undefined);
  }

  #send({ id, method, params }: { readonly id: RequestId; readonly method: string; readonly params: unknown }): void {
    const timeoutMs = this.#timeoutMs();
    const expire = (): void => this.receive(id, new LockstepError('TIMEOUT', `no answer to ${method} within ${timeoutMs} ms`), undefined);
    this.#timers.set(id, this.#environment.timer(timeoutMs, expire));
    if (!this.#post(encodeRequest(id, method, params))) this.receive(id, tooLarge(method), undefined);
  }

  /** An answer or a refusal has come; one to a question that is not open is dropped. */
  receive(id: RequestId, error: LockstepError | undefined, result: unknown): void {
    const answered = this.#calls.get(id);
    if (answered !== undefined) {
      this.#calls.delete(id);
      answered(error, result);
      return;
    }
    this.#timers.get(id)?.();
    if (!this.#timers.delete(id)) return;
    this.#client.receive(
      error === undefined
        ? createJSONRPCSuccessResponse(id, result)
        : createJSONRPCErrorResponse(id, CODES[error.code].rpc, error.message, { error }),
    );
  }

  /** Fails everything that waits for an answer. */
  close(error: LockstepError): void {
    for (const id of [...this.#timers.keys(), ...this.#calls.keys()]) this.receive(id, error, undefined);
  }
}

/** Our own errors travel through the library in `data`. */
function errorOf(error: { readonly message: string; readonly data?: unknown }): LockstepError {
  const data = error.data as { readonly error?: unknown; readonly code?: unknown } | undefined;
  if (data?.error instanceof LockstepError) return data.error;
  const code = Object.keys(CODES).find((each) => each === data?.code) as keyof typeof CODES | undefined;
  return new LockstepError(code ?? 'INTERNAL', error.message);
}
