// The gate for frames in the json encoding: text becomes typed messages, or a LockstepError and nothing else. Behind it every parameter
// of every method, every result and every notification has the type that wire.ts gives it. docs/PROTOCOL.md describes the bytes.

import { CODES, type ErrorCode, LockstepError } from '../core/errors.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { Operation } from '../core/patch.ts';
import type { InstanceState } from '../core/state.ts';
import type { Cause, EffectRecord, Status, Step, TimerChange, ChildChange, DelayedEvent } from '../core/step.ts';
import type { ChildStart } from '../core/request.ts';
import { isInstanceId, isName } from './identity.ts';
import type { InspectRecord } from './inspect/protocol.ts';
import type { Frame } from './link.ts';
import {
  either,
  finite,
  flag,
  isRecord,
  list,
  matching,
  nothing,
  object,
  oneOf,
  optional,
  plainJson,
  type Shape,
  shown,
  text,
  tuple,
  whole,
} from './shape.ts';
import { LIMITS } from './wire.ts';
import type {
  DivergenceRecord,
  Expectation,
  HelloParams,
  HelloResult,
  ImageDescription,
  InstanceDescription,
  InstanceSummary,
  Limits,
  MachineDescription,
  Methods,
  Notifications,
  PeerInfo,
  SendResult,
  StepDifference,
  Traced,
  TraceRecord,
  WatchResult,
} from './wire.ts';

export type RequestId = number | string;
export type Message =
  | { readonly kind: 'request'; readonly id: RequestId; readonly method: string; readonly params: unknown }
  | { readonly kind: 'notice'; readonly method: string; readonly params: unknown }
  | { readonly kind: 'answer'; readonly id: RequestId; readonly result: unknown }
  /** `id` is null when the other side could not read the request. */
  | { readonly kind: 'refusal'; readonly id: RequestId | null; readonly error: LockstepError };

// ── Frames ───────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Header {
  /** A peer, "#authority/room", or "" for the relay. */
  readonly address: string;
  readonly body: string;
}

/** @throws LockstepError MALFORMED when there is no header, TOO_LARGE. */
export function readHeader(frame: Frame, sizeMax: number = LIMITS.frameSize): Header {
  if (typeof frame !== 'string')
    throw new LockstepError('MALFORMED', `a binary frame of ${frame.byteLength} bytes, expected text in the json encoding`);
  if (frame.length > sizeMax) throw new LockstepError('TOO_LARGE', `a frame of ${frame.length} characters, at most ${sizeMax} are taken`);
  const end = frame.indexOf('\n');
  if (end < 0) throw new LockstepError('MALFORMED', 'a frame without a line break, expected an address, "\\n" and a body');
  return { address: frame.slice(0, end), body: frame.slice(end + 1) };
}

/** Broken messages of one body that are answered: the rest would cost more to refuse than to send. */
const REFUSED_MAX = 32;
/** Characters of a request's id, which its answer repeats. */
const ID_MAX = 128;

/**
 * The messages of a body, in order. One that is broken does not spoil the others: it becomes a refusal for its sender (the first 32 of a
 * body; more are left out).
 * @throws LockstepError MALFORMED when the body is not JSON.
 */
export function readBody(body: string): readonly (Message | LockstepError)[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (error) {
    throw new LockstepError('MALFORMED', `a body of ${body.length} characters that is not JSON`, { cause: error });
  }
  if (!Array.isArray(parsed)) return [readMessage(parsed)];
  if (parsed.length === 0) return [new LockstepError('BAD_REQUEST', 'expected at least one message in the array, found none')];
  let refused = 0;
  return parsed.map(readMessage).filter((message) => !(message instanceof LockstepError) || ++refused <= REFUSED_MAX);
}

function readMessage(value: unknown): Message | LockstepError {
  if (!isRecord(value)) return new LockstepError('BAD_REQUEST', `expected a JSON-RPC 2.0 message, found ${shown(value)}`);
  const { id, method, params, jsonrpc } = value;
  if (jsonrpc !== '2.0') return new LockstepError('BAD_REQUEST', `jsonrpc: expected "2.0", found ${shown(jsonrpc)}`);
  const hasId = (typeof id === 'string' && id.length <= ID_MAX) || (typeof id === 'number' && Number.isFinite(id));
  if (typeof method === 'string') {
    if (hasId) return { kind: 'request', id, method, params };
    if (id !== undefined)
      return new LockstepError(
        'BAD_REQUEST',
        `method ${shown(method)}: expected a number or a string of at most ${ID_MAX} characters as id, found ${shown(id)}`,
      );
    return { kind: 'notice', method, params };
  }
  if (hasId && Object.hasOwn(value, 'result')) return { kind: 'answer', id, result: value['result'] };
  if ((hasId || id === null) && isRecord(value['error'])) return { kind: 'refusal', id, error: readError(value['error']) };
  const fields = Object.keys(value).slice(0, 8).map(shown).join(', ');
  return new LockstepError('BAD_REQUEST', `expected a method (a text), or an id with a result or an error; found ${fields}`);
}

function readError(error: Readonly<Record<string, unknown>>): LockstepError {
  const data = error['data'];
  const named = isRecord(data) ? data['code'] : undefined;
  const message = typeof error['message'] === 'string' ? error['message'] : 'no message';
  return new LockstepError(codeOf(named, error['code']), message);
}

/** By name; by number for peers that only know JSON-RPC. */
function codeOf(name: unknown, rpc: unknown): ErrorCode {
  const codes = Object.keys(CODES) as ErrorCode[];
  return codes.find((code) => code === name) ?? codes.find((code) => CODES[code].rpc === rpc) ?? 'INTERNAL';
}

export function encodeRequest(id: RequestId, method: string, params: unknown): string {
  return `{"jsonrpc":"2.0","id":${encodeId(id)},"method":"${method}","params":${JSON.stringify(params)}}`;
}

export function encodeNotice<N extends keyof Notifications>(method: N, params: Notifications[N]): string {
  return `{"jsonrpc":"2.0","method":"${method}","params":${JSON.stringify(params)}}`;
}

export function encodeAnswer(id: RequestId, result: unknown): string {
  return `{"jsonrpc":"2.0","id":${encodeId(id)},"result":${JSON.stringify(result)}}`;
}

/** A finite number is its own JSON text. */
function encodeId(id: RequestId): string {
  return typeof id === 'number' ? String(id) : JSON.stringify(id);
}

export function encodeRefusal(id: RequestId | null, error: LockstepError): string {
  const { rpc, retryable } = CODES[error.code];
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code: rpc, message: error.message, data: { code: error.code, retryable } } });
}

// ── Shapes of wire.ts ────────────────────────────────────────────────────────────────────────────────────────────

const json: Shape<Json> = (value) => (value === undefined ? 'expected plain JSON, found nothing' : plainJson(value));
const name = matching(isName, 'a name (letters, digits and _ . : ~ @ -, at most 128)');
const instance = matching(isInstanceId, 'an instance name, `name` or `peer/name`');
const hash = text(64);
const digest = matching((value) => /^[0-9a-f]{16}$/.test(value), '16 hex digits');
const longText = text(LIMITS.frameSize);
const event: Shape<EventObject> = (value) => {
  if (!isRecord(value)) return `expected an event object, found ${shown(value)}`;
  if (typeof value['type'] !== 'string' || value['type'] === '') return `type: expected an event type, found ${shown(value['type'])}`;
  return plainJson(value);
};
const status = oneOf<Status>('active', 'done', 'error', 'stopped');
const history = list(tuple<readonly [number, readonly number[]]>(2, whole(), list(whole())));
const delayed = object<DelayedEvent>({ id: longText, to: longText, event });
const timers: Shape<readonly TimerChange[]> = list(
  either(
    object<{ timer: number; due: number; send?: DelayedEvent }>({ timer: whole(), due: finite, send: optional(delayed) }),
    object<{ timer: number; due: null }>({ timer: whole(), due: nothing }),
  ),
);
const child = { id: longText, src: longText, input: optional(json), sync: optional(oneOf(true)), systemId: optional(longText) };
const children: Shape<readonly ChildChange[]> = list(
  either(
    object<{ start: ChildStart }>({ start: object<ChildStart>(child) }),
    either(object<{ stop: string }>({ stop: longText }), object<{ ended: string }>({ ended: longText })),
  ),
);
const clocks: Shape<readonly number[]> = (value) => {
  const problem = list(whole())(value);
  return (
    problem ?? ((value as readonly number[]).length % 2 === 0 ? undefined : 'expected pairs of a state and its ticks, found an odd count')
  );
};
const pointer = matching((value) => value === '' || value.startsWith('/'), 'a JSON pointer');
const operation: Shape<Operation> = either(
  object<{ op: 'add' | 'replace'; path: string; value: Json }>({ op: oneOf('add', 'replace'), path: pointer, value: json }),
  object<{ op: 'remove'; path: string }>({ op: oneOf('remove'), path: pointer }),
) as Shape<Operation>;
const patch = list(operation);
const more = object<Partial<Pick<Step, 'history' | 'status' | 'output' | 'error' | 'timers' | 'children' | 'ids'>>>({
  history: optional(history),
  status: optional(status),
  output: optional(json),
  error: optional(longText),
  timers: optional(timers),
  children: optional(children),
  ids: optional(whole()),
});
const difference = tuple<StepDifference>(5, whole(1), whole(), whole(), clocks, patch, optional(more));
const state = object<InstanceState>({
  status,
  clocks: list(whole()),
  history,
  context: json,
  timers: list(tuple<InstanceState['timers'][number]>(2, whole(), finite, optional(delayed))),
  children: optional(list(object<ChildStart & { readonly ended?: true }>({ ...child, ended: optional(oneOf(true)) }))),
  ids: optional(whole()),
  output: optional(json),
  error: optional(longText),
});
const expectation = object<Expectation>({ seq: optional(whole()), state: optional(json) });
const kind = oneOf<PeerInfo['kind']>('server', 'browser', 'node', 'tool');
const peer = text(64);
const info = object<PeerInfo>({ peer, name: text(), kind, hosts: flag, eval: flag });
const limits = object<Limits>(
  Object.fromEntries(Object.keys(LIMITS).map((limit) => [limit, whole(1)])) as { [K in keyof Limits]: Shape<number> },
);
const cause = object<Cause>({ peer, n: whole(), event, seed: whole() });
const step = object<Step>({
  instance,
  epoch: whole(),
  seq: whole(1),
  at: finite,
  cause,
  ignored: optional(oneOf(true)),
  clocks,
  history,
  status: optional(status),
  output: optional(json),
  error: optional(longText),
  patch,
  host: list(json),
  timers,
  children: optional(children),
  ids: optional(whole()),
  effects: list(object<EffectRecord>({ fn: whole(), name: longText })),
  digest: optional(digest),
});
const traced = object<TraceRecord>({ kind: oneOf('step'), peer, machine: name, image: hash, step });
const divergence = object<DivergenceRecord>({
  kind: oneOf('divergence'),
  peer,
  instance,
  image: hash,
  seq: whole(),
  ours: digest,
  theirs: digest,
  good: object({ seq: whole(), state }),
  steps: list(difference),
});
/** What the message says is between the program and whoever reads it. */
const told = object<InspectRecord>({ kind: oneOf('inspect'), peer, n: whole(1), at: finite, message: json });
/** By its kind, so that what is wrong with it is said of that kind. */
const record: Shape<Traced> = (value) => {
  const kind = isRecord(value) ? value['kind'] : undefined;
  return kind === 'inspect' ? told(value) : kind === 'divergence' ? divergence(value) : traced(value);
};
const summary = { instance, machine: name, image: hash, epoch: whole(), seq: whole(), status: text(), value: json };

const PARAMS: { readonly [M in keyof Methods]: Shape<Methods[M]['params']> } = {
  hello: object<HelloParams>({
    versions: list(whole()),
    encodings: list(text()),
    secret: text(),
    name: text(),
    kind,
    hosts: flag,
    eval: flag,
    presence: flag,
    key: optional(text()),
  }),
  define: object<Methods['define']['params']>({ machine: name, definition: optional(json), image: optional(longText) }),
  create: object<Methods['create']['params']>({ machine: name, instance: optional(instance), input: optional(json) }),
  get: either(object<{ instance: string }>({ instance }), object<{ image: string }>({ image: hash })),
  list: object<Methods['list']['params']>({ after: optional(instance), limit: optional(whole(1)), machine: optional(name) }),
  delete: object({ instance }),
  watch: object<Methods['watch']['params']>({ instance, from: optional(object({ epoch: whole(), seq: whole(), digest })) }),
  unwatch: object({ room: whole() }),
  send: tuple<Methods['send']['params']>(3, instance, whole(1), event, optional(expectation)),
  trace: object<Methods['trace']['params']>({ on: flag, backlog: optional(whole()) }),
  eval: object({ source: longText }),
};

const RESULTS: { readonly [M in keyof Methods]: Shape<Methods[M]['result']> } = {
  hello: object<HelloResult>({
    version: whole(),
    encoding: oneOf('json'),
    peer,
    server: either(peer, nothing),
    session: whole(),
    now: finite,
    limits,
    peers: list(info),
  }),
  define: object({ machine: name, image: hash }),
  create: object({ instance, epoch: whole(), seq: whole() }),
  get: either(object<InstanceDescription>({ ...summary, state, digest }), object<ImageDescription>({ image: hash, bytes: longText })),
  list: object({
    machines: list(object<MachineDescription>({ machine: name, image: hash })),
    instances: list(object<InstanceSummary>(summary)),
    more: flag,
  }),
  delete: object({ instance }),
  watch: object<WatchResult>({
    room: whole(),
    who: whole(),
    machine: name,
    image: hash,
    epoch: whole(),
    steps: optional(list(difference)),
    snapshot: optional(object({ seq: whole(), state })),
    digest,
    last: whole(),
  }),
  unwatch: object({ room: whole() }),
  send: tuple<SendResult>(2, oneOf('stepped', 'ignored'), whole(1)),
  trace: object({ room: either(whole(), nothing), steps: list(either(traced, told)) }),
  eval: object({ text: longText }),
};

const NOTICES: { readonly [N in keyof Notifications]: Shape<Notifications[N]> } = {
  step: tuple<Notifications['step']>(2, whole(), list(difference), optional(digest), optional(whole())),
  moved: object<Notifications['moved']>({ room: whole(), reason: oneOf('deleted', 'epoch') }),
  trace: list(record),
  presence: object({ joined: list(info), left: list(peer) }),
  admit: tuple<Notifications['admit']>(2, whole(), peer),
  expel: tuple<Notifications['expel']>(2, whole(), peer),
  undeliverable: tuple<Notifications['undeliverable']>(1, text()),
  lagging: list(text()),
};

/** @throws LockstepError BAD_PARAMS with the path to what is wrong. */
export function readParams<M extends keyof Methods>(method: M, params: unknown): Methods[M]['params'] {
  return checked(`params of ${method}`, PARAMS[method], params);
}

/** @throws LockstepError BAD_PARAMS: the authority answered something else than its method promises. */
export function readResult<M extends keyof Methods>(method: M, result: unknown): Methods[M]['result'] {
  return checked(`result of ${method}`, RESULTS[method], result);
}

/** @throws LockstepError BAD_PARAMS */
export function readNotice<N extends keyof Notifications>(method: N, params: unknown): Notifications[N] {
  return checked(`params of ${method}`, NOTICES[method], params);
}

export function isNotice(method: string): method is keyof Notifications {
  return Object.hasOwn(NOTICES, method);
}

function checked<T>(what: string, shape: Shape<T>, value: unknown): T {
  const problem = shape(value);
  if (problem !== undefined) throw new LockstepError('BAD_PARAMS', `${what}: ${problem}`);
  return value as T;
}
