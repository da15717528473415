// The gate for frames in the json encoding: text becomes typed messages, or a LockstepError and nothing else. Behind it every parameter
// of every method, every result and every notification has the type that wire.ts gives it. docs/PROTOCOL.md describes the bytes.

import { CODES, type ErrorCode, LockstepError } from '../core/errors.ts';
import { isFields } from '../core/fields.ts';
import type { Frame } from './link.ts';
import { checked, either, finite, flag, list, nothing, object, oneOf, optional, type Shape, shown, text, tuple, whole } from './shape.ts';
import {
  LIMITS,
  type HelloResult,
  type ImageDescription,
  type InstanceDescription,
  type InstanceSummary,
  type MachineDescription,
  type Methods,
  type MoveReason,
  type Notifications,
  type Order,
  type Refused,
  type SendResult,
  type SightDescription,
  type WatchResult,
} from './wire.ts';
import {
  clocks,
  difference,
  digest,
  encoding,
  hash,
  info,
  instance,
  json,
  limits,
  lineage,
  longText,
  mode,
  name,
  patch,
  peer,
  present,
  seeing,
  seen,
  sight,
  state,
  summary,
  toldStep,
} from './wire-shapes.ts';

export type RequestId = number | string;
export interface Notice {
  readonly kind: 'notice';
  readonly method: string;
  readonly params: unknown;
}
export type Message =
  | { readonly kind: 'request'; readonly id: RequestId; readonly method: string; readonly params: unknown }
  | Notice
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
 * The messages of a body, in order. One that is broken does not spoil the others: it becomes a refusal for its sender. What comes after 32 of
 * them is left out.
 * @throws LockstepError MALFORMED when the body is not JSON.
 */
export function readBody(body: string): readonly (Message | LockstepError)[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (error) {
    throw new LockstepError('MALFORMED', `a body of ${body.length} characters that is not JSON`, { cause: error });
  }
  if (!Array.isArray(parsed) || typeof parsed[0] === 'string') return [readMessage(parsed)];
  if (parsed.length === 0) return [new LockstepError('BAD_REQUEST', 'expected at least one message in the array, found none')];
  const messages: (Message | LockstepError)[] = [];
  for (let i = 0, refused = 0; i < parsed.length && refused < REFUSED_MAX; i++)
    if ((messages[i] = readMessage(parsed[i])) instanceof LockstepError) refused++;
  return messages;
}

/** Notices that may come without an envelope, and only these. */
type Brief = 'send' | 'step' | 'seen' | 'settled';
const BRIEF: readonly unknown[] = ['send', 'step', 'seen', 'settled'] satisfies Brief[];

function readMessage(value: unknown): Message | LockstepError {
  if (Array.isArray(value)) return readBrief(value);
  if (!isFields(value)) return new LockstepError('BAD_REQUEST', `expected a JSON-RPC 2.0 message, found ${shown(value)}`);
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
  if ((hasId || id === null) && isFields(value['error'])) return { kind: 'refusal', id, error: readError(value['error']) };
  const fields = Object.keys(value).slice(0, 8).map(shown).join(', ');
  return new LockstepError('BAD_REQUEST', `expected a method (a text), or an id with a result or an error; found ${fields}`);
}

/** `[method, …params]`, ours from here on; an event that has no fields is its type. */
function readBrief(params: unknown[]): Message | LockstepError {
  const method = params.shift();
  if (!BRIEF.includes(method))
    return new LockstepError('BAD_REQUEST', `expected one of ${BRIEF.join(', ')} at the head of a brief message, found ${shown(method)}`);
  if (method === 'send' && typeof params[2] === 'string') params[2] = { type: params[2] };
  return { kind: 'notice', method: method as Brief, params };
}

function readError(error: Readonly<Record<string, unknown>>): LockstepError {
  const data = error['data'];
  const named = isFields(data) ? data['code'] : undefined;
  const message = typeof error['message'] === 'string' ? error['message'] : 'no message';
  return new LockstepError(codeOf(named, error['code']), message);
}

/** What `settled` says of an event that was refused. */
export function refusalOf({ code, message }: Refused): LockstepError {
  return new LockstepError(codeOf(code, undefined), message);
}

/** By name; by number for peers that only know JSON-RPC. */
function codeOf(name: unknown, rpc: unknown): ErrorCode {
  const codes = Object.keys(CODES) as ErrorCode[];
  return codes.find((code) => code === name) ?? codes.find((code) => CODES[code].rpc === rpc) ?? 'INTERNAL';
}

/** `send` may be one, too. */
type Notices = Notifications & { send: Methods['send']['params'] };

export function encodeRequest(id: RequestId, method: string, params: unknown): string {
  return `{"jsonrpc":"2.0","id":${encodeId(id)},"method":"${method}","params":${JSON.stringify(params)}}`;
}

export function encodeNotice<N extends keyof Notices>(method: N, params: Notices[N]): string {
  return `{"jsonrpc":"2.0","method":"${method}","params":${JSON.stringify(params)}}`;
}

/** To who asked for a brief room, or from who got one. */
export function encodeBrief<N extends Brief>(method: N, params: Notices[N]): string {
  return JSON.stringify([method, ...params]);
}

/** An event to a room, without an envelope. */
export function encodeBriefSend([instance, n, event, expect]: Methods['send']['params']): string {
  const said = Object.keys(event).length === 1 ? event.type : event;
  return JSON.stringify(expect === undefined ? ['send', instance, n, said] : ['send', instance, n, said, expect]);
}

export function encodeAnswer(id: RequestId, result: unknown): string {
  return encodeAnswerText(id, JSON.stringify(result));
}

/** @param result its JSON text. */
export function encodeAnswerText(id: RequestId, result: string): string {
  return `{"jsonrpc":"2.0","id":${encodeId(id)},"result":${result}}`;
}

/** The text of an object with the fields of two, each of which has some: those that many are told are encoded once for all of them. */
export function joinFields(first: string, second: string): string {
  return `${first.slice(0, -1)},${second.slice(1)}`;
}

/** A finite number is its own JSON text. */
function encodeId(id: RequestId): string {
  return typeof id === 'number' ? String(id) : JSON.stringify(id);
}

export function encodeRefusal(id: RequestId | null, error: LockstepError): string {
  const { rpc, retryable } = CODES[error.code];
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code: rpc, message: error.message, data: { code: error.code, retryable } } });
}

// ── Results and notices ──────────────────────────────────────────────────────────────────────────────────────────

const sent = tuple<SendResult>(2, oneOf('stepped', 'ignored'), whole(1));
const RESULTS: { readonly [M in keyof Methods]: Shape<Methods[M]['result']> } = {
  hello: object<HelloResult>({
    version: whole(),
    encoding,
    peer,
    server: either(peer, nothing),
    session: whole(),
    now: finite,
    limits,
    peers: list(info),
  }),
  define: object({ machine: name, image: hash }),
  create: object({ instance, epoch: whole(), seq: whole() }),
  get: either(
    either(
      object<InstanceDescription>({ ...summary, state, digest }),
      object<SightDescription>({ ...summary, view: text(128), sight, digest }),
    ),
    object<ImageDescription>({ image: hash, bytes: longText }),
  ),
  grow: object({ instance, epoch: whole(), seq: whole() }),
  can: flag,
  list: object({
    machines: list(object<MachineDescription>({ machine: name, image: hash })),
    instances: list(object<InstanceSummary>(summary)),
    more: flag,
  }),
  delete: object({ instance }),
  watch: object<WatchResult>({
    room: whole(),
    encoding: optional(encoding),
    mode: optional(mode),
    who: whole(),
    machine: name,
    image: hash,
    epoch: whole(),
    steps: optional(list(toldStep)),
    merged: optional(difference),
    snapshot: optional(object({ seq: whole(), state })),
    seen: optional(seeing),
    isGuarded: optional(oneOf(true)),
    digest,
    last: whole(),
  }),
  unwatch: object({ room: whole() }),
  send: sent,
  vouch: object({ who: whole(), last: whole(), seq: whole() }),
  forward: sent,
  standby: object({ seq: whole(1), seen, senders: list(tuple<readonly [number, string]>(2, whole(1), peer)), lineage }),
  take: object({ instance }),
  attend: object({ present }),
  here: flag,
  where: object({ peer, epoch: whole() }),
  // What its records hold is for who follows it to read: trace-shapes.ts.
  trace: object({ room: either(whole(), nothing), steps: list(json) as unknown as Shape<Methods['trace']['result']['steps']> }),
  eval: object({ text: longText }),
};

/** What a peer may hear; the others are for a relay, or for either end of a shared socket (params.ts), or of a trace (trace-shapes.ts). */
type Heard = Exclude<keyof Notifications, Order | 'trace'>;

const NOTICES: { readonly [N in Heard]: Shape<Notifications[N]> } = {
  step: tuple<Notifications['step']>(2, whole(), list(toldStep), optional(digest), optional(whole())),
  settled: tuple<Notifications['settled']>(3, whole(), whole(1), either(sent, object<Refused>({ code: text(), message: longText }))),
  seen: tuple<Notifications['seen']>(4, whole(), whole(), whole(1), patch, optional(either(digest, nothing)), optional(clocks)),
  moved: object<Notifications['moved']>({
    room: whole(),
    reason: oneOf<MoveReason>('deleted', 'epoch', 'offline', 'revoked', 'room', 'owner'),
    to: optional(whole(1)),
    peer: optional(peer),
  }),
  present: tuple<Notifications['present']>(2, instance, present),
  sender: tuple<Notifications['sender']>(3, instance, whole(1), peer),
  ordered: tuple<Notifications['ordered']>(3, instance, whole(), lineage, optional(peer)),
  presence: object({ joined: list(info), left: list(peer) }),
  undeliverable: tuple<Notifications['undeliverable']>(1, text()),
  lagging: list(text()),
};

/** @throws LockstepError BAD_PARAMS: the authority answered something else than its method promises. */
export function readResult<M extends keyof Methods>(method: M, result: unknown): Methods[M]['result'] {
  return checked(`result of ${method}`, RESULTS[method], result);
}

/** @throws LockstepError BAD_PARAMS */
export function readNotice<N extends Heard>(method: N, params: unknown): Notifications[N] {
  return checked(`params of ${method}`, NOTICES[method], params);
}
