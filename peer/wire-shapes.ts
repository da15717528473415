// The shapes of what wire.ts says travels in messages: what more than one message holds.

import { isFields } from '../core/fields.ts';
import type { EventObject, Json, JsonObject } from '../core/json.ts';
import type { Operation } from '../core/patch.ts';
import type { ChildStart } from '../core/request.ts';
import type { InstanceState } from '../core/state.ts';
import type { ChildChange, DelayedEvent, Status, TimerChange } from '../core/step.ts';
import { isInstanceId, isName } from './identity.ts';
import type { Lineage } from './lineage.ts';
import { isStateValue, type Sight } from './sight.ts';
import {
  either,
  finite,
  flag,
  integer,
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
import {
  ENCODINGS,
  LIMITS,
  MODES,
  type Encoding,
  type Expectation,
  type Limits,
  type Mode,
  type PeerInfo,
  type Present,
  type Seeing,
  type Seen,
  type StepDifference,
  type StepEvent,
  type ToldStep,
} from './wire.ts';

export const json: Shape<Json> = (value) => (value === undefined ? 'expected plain JSON, found nothing' : plainJson(value));
export const name = matching(isName, 'a name (letters, digits and _ . : ~ @ -, at most 128)');
export const instance = matching(isInstanceId, 'an instance name, `name` or `peer/name`');
export const hash = text(64);
export const digest = matching((value) => /^[0-9a-f]{16}$/.test(value), '16 hex digits');
export const longText = text(LIMITS.frameSize);
export const event: Shape<EventObject> = (value) => {
  if (!isFields(value)) return `expected an event object, found ${shown(value)}`;
  if (typeof value['type'] !== 'string' || value['type'] === '') return `type: expected an event type, found ${shown(value['type'])}`;
  return plainJson(value);
};
export const peer = text(64);
export const status = oneOf<Status>('active', 'done', 'error', 'stopped');
export const history = list(tuple<readonly [number, readonly number[]]>(2, whole(), list(whole())));
export const delayed = object<DelayedEvent>({ id: longText, to: longText, event });
export const timers: Shape<readonly TimerChange[]> = list(
  either(
    object<{ timer: number; due: number; send?: DelayedEvent }>({ timer: whole(), due: finite, send: optional(delayed) }),
    object<{ timer: number; due: null }>({ timer: whole(), due: nothing }),
  ),
);
export const child = { id: longText, src: longText, input: optional(json), sync: optional(oneOf(true)), systemId: optional(longText) };
export const children: Shape<readonly ChildChange[]> = list(
  either(
    object<{ start: ChildStart }>({ start: object<ChildStart>(child) }),
    either(object<{ stop: string }>({ stop: longText }), object<{ ended: string }>({ ended: longText })),
  ),
);
export const clocks: Shape<readonly number[]> = (value) => {
  const problem = list(whole())(value);
  return (
    problem ?? ((value as readonly number[]).length % 2 === 0 ? undefined : 'expected pairs of a state and its ticks, found an odd count')
  );
};
export const pointer = matching((value) => value === '' || value.startsWith('/'), 'a JSON pointer');
export const operation: Shape<Operation> = either(
  object<{ op: 'add' | 'replace'; path: string; value: Json }>({ op: oneOf('add', 'replace'), path: pointer, value: json }),
  object<{ op: 'remove'; path: string }>({ op: oneOf('remove'), path: pointer }),
) as Shape<Operation>;
export const patch = list(operation);
export const more = object<NonNullable<StepDifference[5]>>({
  history: optional(history),
  status: optional(status),
  output: optional(json),
  error: optional(longText),
  timers: optional(timers),
  children: optional(children),
  ids: optional(whole()),
  ignored: optional(oneOf(true)),
  args: optional(json),
});
export const difference = tuple<StepDifference>(5, whole(1), whole(), whole(), clocks, patch, optional(more));
const fields: Shape<JsonObject> = (value) => {
  if (!isFields(value) || Object.hasOwn(value, 'type')) return `expected the fields of an event but its type, found ${shown(value)}`;
  return plainJson(value);
};
const named: Shape<number | string> = either(longText, integer);
const stepEvent = tuple<StepEvent>(
  4,
  whole(1),
  whole(),
  whole(),
  named,
  optional(either(fields, nothing)),
  optional(finite),
  optional(whole()),
);
export const toldStep: Shape<ToldStep> = (value) =>
  Array.isArray(value) && !Array.isArray(value[3]) ? stepEvent(value) : difference(value);
export const state = object<InstanceState>({
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
export const sight = object<Sight>({
  status,
  value: (value) => plainJson(value) ?? (isStateValue(value as Json) ? undefined : 'expected a state value'),
  tags: list(longText),
  context: json,
  output: optional(json),
  error: optional(longText),
  clocks: optional(list(whole())),
});
export const seeing = object<Seeing>({
  seq: whole(),
  sight: optional(sight),
  patch: optional(patch),
  clocks: optional(clocks),
  states: optional(list(longText)),
  isRelational: optional(oneOf(true)),
});
export const lineage: Shape<Lineage> = list(tuple<Lineage[number]>(2, whole(), whole(1)));
export const seen: Shape<Seen> = list(tuple<Seen[number]>(2, peer, list(tuple<Seen[number][1][number]>(3, whole(1), whole(1), flag))));
export const present: Shape<Present> = list(tuple<Present[number]>(2, peer, json));
export const expectation = object<Expectation>({ seq: optional(whole()), state: optional(json) });
export const encoding = oneOf<Encoding>(...ENCODINGS);
export const mode = oneOf<Mode>(...MODES);
export const kind = oneOf<PeerInfo['kind']>('server', 'browser', 'node', 'tool');
export const info = object<PeerInfo>({
  peer,
  name: text(),
  kind,
  hosts: flag,
  eval: flag,
  session: optional(whole()),
  auth: optional(json),
});
export const limits = object<Limits>(
  Object.fromEntries(Object.keys(LIMITS).map((limit) => [limit, whole(1)])) as { [K in keyof Limits]: Shape<number> },
);
export const summary = { instance, machine: name, image: hash, epoch: whole(), seq: whole(), status: text(), value: json };
