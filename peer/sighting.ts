// Makes what is seen of what there is: an instance as authors' functions are given it, and the document that their views make of it.

import { wholeSum, type HashText } from '../core/digest.ts';
import { LockstepError } from '../core/errors.ts';
import { isFields } from '../core/fields.ts';
import type { Json } from '../core/json.ts';
import { plain } from '../core/plain.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Status } from '../core/step.ts';
import { isStateValue, type Sight } from './sight.ts';

/** What a view may return; what it leaves out is not seen. */
export type Shown = Partial<Omit<Sight, 'status'>>;

/** An instance as its authorizers and views are given it. */
export interface Whole<TContext = Json> {
  readonly value: Json;
  readonly context: TContext;
  readonly tags: readonly string[];
  readonly status: Status;
  readonly output?: Json;
  readonly error?: string;
}

const FIELDS = ['value', 'tags', 'context', 'output', 'error'] as const;
const NOTHING: Json = Object.freeze({});
const NO_TAGS: readonly string[] = Object.freeze([]);
const HEX = 16;

export function wholeOf({ value, context, tags, status, output, error }: Snapshot): Whole {
  const whole: Whole = { value, context, tags: tags.size === 0 ? NO_TAGS : Object.freeze([...tags]), status };
  if (output === undefined && error === undefined) return whole;
  return { ...whole, ...(output === undefined ? {} : { output }), ...(error === undefined ? {} : { error }) };
}

/** State Backed's rule: where the instance is, and of its context what is under `public`. */
export function publicView({ value, context, tags }: Whole): Shown {
  return { value, tags, context: isFields(context) && Object.hasOwn(context, 'public') ? { public: context['public']! } : {} };
}

/** @throws LockstepError NOT_JSON when a view returned something else than its fields in plain JSON. */
export function sightOf(status: Status, shown: unknown): Sight {
  const fields = plain(shown, '');
  if (!isFields(fields)) throw new LockstepError('NOT_JSON', 'a view returns an object');
  const foreign = Object.keys(fields).find((key) => !FIELDS.some((field) => field === key));
  if (foreign !== undefined)
    throw new LockstepError('NOT_JSON', `/${foreign}: a view returns ${FIELDS.join(', ')} or fewer of them, and nothing else`);
  const { value = NOTHING, tags = NO_TAGS, context = NOTHING, output, error } = fields;
  if (!isStateValue(value)) throw new LockstepError('NOT_JSON', '/value: a state value is a text, or an object of state values');
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string'))
    throw new LockstepError('NOT_JSON', '/tags: tags are an array of texts');
  if (error !== undefined && typeof error !== 'string') throw new LockstepError('NOT_JSON', '/error: an error is a text');
  const sight = {
    status,
    value,
    tags: tags as readonly string[],
    context,
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
  };
  return plain(sight, '') as unknown as Sight;
}

/** 16 hex digits over all of it. */
export function sightDigest(hash: HashText, sight: Sight): string {
  return wholeSum(hash, sight as unknown as Json)
    .toString(HEX)
    .padStart(HEX, '0');
}
