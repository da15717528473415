// The gate for messages of Stately's inspect protocol: unknown JSON becomes one of our three shapes, with the fields that we use and no
// others, or a LockstepError. Kinds that we do not know are no fault: the protocol may grow.

import { LockstepError } from '../../core/errors.ts';
import { isFields } from '../../core/fields.ts';
import type { EventObject, Json } from '../../core/json.ts';
import { finite, list, object, oneOf, optional, plainJson, type Shape, shown, text, whole } from '../shape.ts';
import { INSPECT_LIMITS, type InspectMessage, type InspectSnapshot } from './protocol.ts';

/** Characters of a session id or a name. */
const NAME_MAX = 512;

const id = text(NAME_MAX);
const json: Shape<Json> = (value) => (value === undefined ? 'expected plain JSON, found nothing' : plainJson(value));
/** An event without a type comes from hand-written senders; it is shown as it is. */
const event: Shape<EventObject> = (value) => {
  if (!isFields(value)) return `expected an event object, found ${shown(value)}`;
  return text()(value['type']) ?? plainJson(value);
};
const snapshot = object<InspectSnapshot>({
  status: text(),
  value: optional(json),
  context: optional(json),
  output: optional(json),
  error: optional(json),
  tags: optional(list(text())),
  children: optional(json),
  historyValue: optional(json),
});
const createdAt: Shape<string> = (value) =>
  typeof value === 'string' && Number.isFinite(Number(value)) && value.trim() !== ''
    ? undefined
    : `expected milliseconds as text, found ${shown(value)}`;
const base = {
  _version: text(),
  createdAt,
  id: (() => undefined) as Shape<string | null>,
  rootId: optional(id),
  sessionId: id,
  instance: optional(id),
  epoch: optional(whole()),
  seq: optional(whole()),
  peer: optional(id),
  at: optional(finite),
  digest: optional(text()),
};

const SHAPES = {
  '@xstate.actor': object<Extract<InspectMessage, { type: '@xstate.actor' }>>({
    ...base,
    type: oneOf('@xstate.actor'),
    name: id,
    parentId: optional(id),
    definition: optional(text(INSPECT_LIMITS.messageSize)),
    snapshot,
  }),
  '@xstate.event': object<Extract<InspectMessage, { type: '@xstate.event' }>>({
    ...base,
    type: oneOf('@xstate.event'),
    event,
    sourceId: optional(id),
  }),
  '@xstate.snapshot': object<Extract<InspectMessage, { type: '@xstate.snapshot' }>>({
    ...base,
    type: oneOf('@xstate.snapshot'),
    event,
    snapshot,
  }),
};

function isKind(type: unknown): type is keyof typeof SHAPES {
  return typeof type === 'string' && Object.hasOwn(SHAPES, type);
}

/** What is wrong with a message of a known kind. */
const message: Shape<InspectMessage> = (value) => {
  if (!isFields(value)) return `expected a message, found ${shown(value)}`;
  const { type } = value;
  return isKind(type) ? SHAPES[type](value) : `type: expected ${Object.keys(SHAPES).join(', ')}, found ${shown(type)}`;
};

/** Whether it looks like a message of this protocol, of whatever kind and version. */
export function isInspectMessage(value: unknown): boolean {
  return (
    isFields(value) && typeof value['type'] === 'string' && value['type'].startsWith('@xstate.') && typeof value['_version'] === 'string'
  );
}

/**
 * Reads a message.
 * @returns undefined for a kind that we have no use for.
 * @throws LockstepError BAD_PARAMS with the path to what is wrong.
 */
export function readInspectMessage(value: unknown): InspectMessage | undefined {
  if (isInspectMessage(value) && !isKind((value as { readonly type: string }).type)) return undefined;
  const problem = message(value);
  if (problem !== undefined) throw new LockstepError('BAD_PARAMS', `inspect message: ${problem}`);
  return trimmed(value as InspectMessage);
}

/** Without what we do not show: persisted children can be larger than all the rest. */
function trimmed(given: InspectMessage): InspectMessage {
  const { _version, createdAt: created, rootId, sessionId } = given;
  const common = { _version, createdAt: created, id: null, ...(rootId === undefined ? {} : { rootId }), sessionId };
  switch (given.type) {
    case '@xstate.actor': {
      const { type, name, parentId, definition } = given;
      return {
        type,
        ...common,
        name,
        ...(parentId === undefined ? {} : { parentId }),
        ...(definition === undefined ? {} : { definition }),
        snapshot: trimmedSnapshot(given.snapshot),
      };
    }
    case '@xstate.event':
      return { type: given.type, ...common, event: given.event, ...(given.sourceId === undefined ? {} : { sourceId: given.sourceId }) };
    case '@xstate.snapshot':
      return { type: given.type, ...common, event: given.event, snapshot: trimmedSnapshot(given.snapshot) };
  }
}

function trimmedSnapshot({ status, value, context, output, error, tags }: InspectSnapshot): InspectSnapshot {
  return {
    status,
    ...(value === undefined ? {} : { value }),
    ...(context === undefined ? {} : { context }),
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
    ...(tags === undefined ? {} : { tags }),
  };
}
