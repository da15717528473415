// A picture of an instance at one moment, in the shape of XState's snapshots. Immutable; values are shared between equal configurations.

import type { EventObject, Json } from './json.ts';
import { matchesValue, type ConfigurationKey, type StateValue } from './machine.ts';
import type { Status } from './step.ts';

/** What a configuration means: a machine, or whoever shows a part of one. */
export interface SnapshotFace {
  value(key: ConfigurationKey): StateValue;
  tags(key: ConfigurationKey): ReadonlySet<string>;
  /** Ids of the active states, document order. */
  active(key: ConfigurationKey): readonly string[];
  canFrom(key: ConfigurationKey, context: Json, event: EventObject): boolean;
}

/** @template TPattern what `matches` can be asked. */
export class Snapshot<TContext = Json, TPattern = Json> {
  readonly #machine: SnapshotFace;
  readonly #key: ConfigurationKey;
  readonly status: Status;
  readonly context: TContext;
  readonly output: Json | undefined;
  readonly error: string | undefined;

  constructor(
    machine: SnapshotFace,
    key: ConfigurationKey,
    status: Status,
    context: TContext,
    output: Json | undefined,
    error: string | undefined,
  ) {
    this.#machine = machine;
    this.#key = key;
    this.status = status;
    this.context = context;
    this.output = output;
    this.error = error;
  }

  /** The key of the active child, or an object of them; frozen. */
  get value(): StateValue {
    return this.#machine.value(this.#key);
  }

  get tags(): ReadonlySet<string> {
    return this.#machine.tags(this.#key);
  }

  /** Whether the value lies within `pattern`, which may stop at any depth: `'a'`, `'a.b'` or `{ a: 'b' }`. */
  matches(pattern: TPattern): boolean {
    return matchesValue(pattern as Json, this.value);
  }

  hasTag(tag: string): boolean {
    return this.tags.has(tag);
  }

  /**
   * Whether the event would select a transition with a target or an action. Runs guards.
   * @throws LockstepError MISSING_FUNCTION on a replica without the author's functions, when a guard decides.
   */
  can(event: EventObject): boolean {
    return this.status === 'active' && this.#machine.canFrom(this.#key, this.context as Json, event);
  }

  /** Ids of the active states, document order. */
  get active(): readonly string[] {
    return this.#machine.active(this.#key);
  }

  toJSON(): { value: StateValue; status: Status; context: TContext; output?: Json; error?: string } {
    return {
      value: this.value,
      status: this.status,
      context: this.context,
      ...(this.output === undefined ? {} : { output: this.output }),
      ...(this.error === undefined ? {} : { error: this.error }),
    };
  }
}
