// The gate for what a trace says. Beside codec-json.ts, because hardly any peer follows one.

import { isFields } from '../core/fields.ts';
import type { Cause, EffectRecord, Step } from '../core/step.ts';
import type { FunctionKind } from '../core/symbols.ts';
import type { Impurity } from '../core/watch.ts';
import type { InspectRecord } from './inspect/protocol.ts';
import { checked, finite, list, object, oneOf, optional, type Shape, text, whole } from './shape.ts';
import {
  children,
  clocks,
  digest,
  event,
  hash,
  history,
  instance,
  json,
  longText,
  name,
  patch,
  peer,
  state,
  status,
  timers,
  toldStep,
} from './wire-shapes.ts';
import type { DivergenceRecord, ImpurityRecord, Notifications, Traced, TraceRecord } from './wire.ts';

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
  steps: list(toldStep),
});
const functionKind = oneOf<FunctionKind>('guard', 'assign', 'effect', 'raise', 'delay', 'output', 'context', 'builtin', 'invoke', 'stop');
const impurity = object<ImpurityRecord>({
  kind: oneOf('impurity'),
  peer,
  impurity: object<Impurity>({ machine: longText, path: longText, kind: functionKind, name: optional(longText), uses: text(64) }),
});
/** What the message says is between the program and whoever reads it. */
const told = object<InspectRecord>({ kind: oneOf('inspect'), peer, n: whole(1), at: finite, message: json });
/** By its kind, so that what is wrong with it is said of that kind. */
const record: Shape<Traced> = (value) => {
  const kind = isFields(value) ? value['kind'] : undefined;
  if (kind === 'impurity') return impurity(value);
  return kind === 'inspect' ? told(value) : kind === 'divergence' ? divergence(value) : traced(value);
};

/** Records, of a notification or of the answer to `trace`. @throws LockstepError BAD_PARAMS */
export function readTrace(records: unknown): Notifications['trace'] {
  return checked('records of trace', list(record), records);
}
