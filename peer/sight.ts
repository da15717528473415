// What a reader with a partial view sees of an instance: one document of plain JSON instead of the instance's state. It is all that such a
// reader is ever sent, and the digest that it compares covers exactly that. docs/views.md describes it for authors.

import { isFields } from '../core/fields.ts';
import type { Json } from '../core/json.ts';
import type { Status } from '../core/step.ts';

/** Every view tells the status, `seq` and `epoch`; the rest is what its function returns. */
export interface Sight {
  readonly status: Status;
  /** A state value, `{}` when the view shows none. */
  readonly value: Json;
  readonly tags: readonly string[];
  readonly context: Json;
  readonly output?: Json;
  readonly error?: string;
  /** Of a filter: ticks of its states, in their order; they come in the place of `value`. */
  readonly clocks?: readonly number[];
}

export function isStateValue(value: Json): boolean {
  return typeof value === 'string' || (isFields(value) && Object.values(value).every(isStateValue));
}
