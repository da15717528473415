// The gate for the parameters of requests, for whoever serves them, and for what is said to a relay. Behind it they have the types that wire.ts gives them.

import { checked, either, flag, list, object, oneOf, optional, type Shape, shown, sizeOf, text, tuple, whole } from './shape.ts';
import type { Json } from '../core/json.ts';
import { LIMITS, type Filter, type HelloParams, type Methods, type Notifications, type Order, type Taken } from './wire.ts';
import {
  digest,
  encoding,
  event,
  expectation,
  hash,
  instance,
  json,
  kind,
  lineage,
  longText,
  mode,
  name,
  peer,
  seen,
  state,
} from './wire-shapes.ts';

/** Characters of a token: a signed one with many claims has some thousands. */
const TOKEN_MAX = 8_192;
const view = text(128);
/** Names in a filter: more than most machines have states. */
const FILTER_NAMES_MAX = 1_024;
/** Milliseconds from one merged difference to the next: whoever wants less asks. */
const EVERY_MAX_MS = 60_000;
/** Characters of them together: a room is kept by its filter. */
const FILTER_SIZE_MAX = 16_384;
const filtered: Shape<readonly string[]> = (value) => {
  const problem = list(text())(value);
  if (problem !== undefined) return problem;
  const names = value as readonly string[];
  if (names.length > FILTER_NAMES_MAX) return `expected at most ${FILTER_NAMES_MAX} names, found more`;
  const size = names.reduce((sum, { length }) => sum + length, 0);
  return size > FILTER_SIZE_MAX ? `expected names of at most ${FILTER_SIZE_MAX} characters together, found ${size}` : undefined;
};
const filter = object<Filter>({
  states: optional(filtered),
  except: optional(filtered),
  clocks: optional(oneOf('shallow')),
  context: optional(oneOf(false)),
  every: optional(
    (value) =>
      whole()(value) ?? ((value as number) > EVERY_MAX_MS ? `expected at most ${EVERY_MAX_MS} ms, found ${shown(value)}` : undefined),
  ),
});

const presence: Shape<Json> = (value) =>
  json(value) ??
  (sizeOf(value as Json, LIMITS.presenceSize) > LIMITS.presenceSize
    ? `presence of more than ${LIMITS.presenceSize} characters`
    : undefined);
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
    yields: optional(flag),
    resumes: optional(flag),
    token: optional(text(TOKEN_MAX)),
  }),
  define: object<Methods['define']['params']>({ machine: name, definition: optional(json), image: optional(longText) }),
  create: object<Methods['create']['params']>({ machine: name, instance: optional(instance), input: optional(json) }),
  get: either(object<{ instance: string; view?: string }>({ instance, view: optional(view) }), object<{ image: string }>({ image: hash })),
  grow: object({ instance }),
  can: object({ instance, event }),
  list: object<Methods['list']['params']>({ after: optional(instance), limit: optional(whole(1)), machine: optional(name) }),
  delete: object({ instance }),
  watch: object<Methods['watch']['params']>({
    instance,
    from: optional(
      object<NonNullable<Methods['watch']['params']['from']>>({ epoch: whole(), seq: whole(), digest, merged: optional(oneOf(true)) }),
    ),
    encoding: optional(encoding),
    view: optional(view),
    mode: optional(mode),
    filter: optional(filter),
    session: optional(whole()),
  }),
  unwatch: object<Methods['unwatch']['params']>({ room: whole(), instance: optional(instance) }),
  send: tuple<Methods['send']['params']>(3, instance, whole(1), event, optional(expectation)),
  vouch: object({ instance, peer }),
  forward: tuple<Methods['forward']['params']>(4, instance, peer, whole(1), event, optional(expectation)),
  standby: object({ instance }),
  take: object<Taken>({
    instance,
    machine: name,
    image: hash,
    epoch: whole(),
    seq: whole(1),
    state,
    seen,
    lineage,
    untold: optional(list(event)),
    isGuarded: optional(oneOf(true)),
  }),
  attend: object({ instance }),
  here: object<Methods['here']['params']>({ instance, data: presence, of: optional(peer) }),
  where: object({ instance }),
  trace: object<Methods['trace']['params']>({ on: flag, backlog: optional(whole()) }),
  eval: object({ source: longText }),
};

/** @throws LockstepError BAD_PARAMS with the path to what is wrong. */
export function readParams<M extends keyof Methods>(method: M, params: unknown): Methods[M]['params'] {
  return checked(`params of ${method}`, PARAMS[method], params);
}

const ORDERS: { readonly [N in Order]: Shape<Notifications[N]> } = {
  admit: tuple<Notifications['admit']>(2, whole(), peer, optional(oneOf(true))),
  expel: tuple<Notifications['expel']>(2, whole(), peer),
  share: object<Notifications['share']>({ group: text(64), term: whole() }),
  hangup: tuple<Notifications['hangup']>(3, whole(1), whole(), text()),
};

/** @throws LockstepError BAD_PARAMS */
export function readOrder<N extends Order>(method: N, params: unknown): Notifications[N] {
  return checked(`params of ${method}`, ORDERS[method], params);
}

export function isOrder(method: string): method is Order {
  return Object.hasOwn(ORDERS, method);
}
