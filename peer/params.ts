// The gate for the parameters of requests, for whoever serves them. Behind it they have the types that wire.ts gives them.

import { checked, either, flag, list, object, optional, type Shape, text, tuple, whole } from './shape.ts';
import type { HelloParams, Methods } from './wire.ts';
import { digest, event, expectation, hash, instance, json, kind, longText, name } from './wire-shapes.ts';

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

/** @throws LockstepError BAD_PARAMS with the path to what is wrong. */
export function readParams<M extends keyof Methods>(method: M, params: unknown): Methods[M]['params'] {
  return checked(`params of ${method}`, PARAMS[method], params);
}
