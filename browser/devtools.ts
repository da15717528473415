// Redux DevTools beside a mirror or a local machine: every snapshot goes to the extension with the event that led to it, and a jump in its
// slider shows the snapshot of then. Looking back changes nothing: while the past is shown, events are refused, and the machine goes on.

import type { AnyActor, Subscription } from '../core/actor.ts';
import { LockstepError } from '../core/errors.ts';
import type { EventObject } from '../core/json.ts';
import type { Snapshot } from '../core/snapshot.ts';

/** What of the extension's interface is used: github.com/reduxjs/redux-devtools, docs of its methods. */
export interface DevtoolsExtension {
  connect(options: { readonly name: string; readonly maxAge: number; readonly features: Readonly<Record<string, boolean>> }): {
    init(state: unknown): void;
    send(action: { readonly type: string }, state: unknown): void;
    /** @returns a function that ends it. */
    subscribe(listener: (message: DevtoolsMessage) => void): () => void;
  };
}
export interface DevtoolsMessage {
  readonly type: string;
  /** An object for DISPATCH; for ACTION the text that a person typed. */
  readonly payload?: unknown;
}

/** Snapshots that can be jumped to, here and in the extension. */
const AGE_MAX = 200;
const FEATURES = {
  jump: true,
  dispatch: true,
  export: true,
  pause: false,
  lock: false,
  persist: false,
  import: false,
  skip: false,
  reorder: false,
  test: false,
};
/** A mirror is not told the events of others. */
const SYNC_EVENT: EventObject = { type: 'lockstep.sync' };

/** What a page shows: the machine as it is, or as it was where the slider stands. */
export interface Shown {
  getSnapshot(): Snapshot<unknown>;
  /** Whether a snapshot of the past is shown. */
  readonly isPast: boolean;
  subscribe(listener: (snapshot: Snapshot<unknown>) => void): Subscription;
  /** @throws LockstepError FORBIDDEN while the past is shown, and as the machine's own. */
  send(event: EventObject): void;
  stop(): void;
}

/**
 * Shows a machine in Redux DevTools, if there are any.                                           (INSPECT-13)
 * @param options `extension`: that of the page unless given; without one, what is returned is the machine and nothing else happens.
 * @returns what the page is to show instead of the machine, so that jumps can be seen.
 */
export function devtools(actor: AnyActor, options: { readonly name?: string; readonly extension?: DevtoolsExtension } = {}): Shown {
  const extension =
    options.extension ?? (globalThis as { readonly __REDUX_DEVTOOLS_EXTENSION__?: DevtoolsExtension }).__REDUX_DEVTOOLS_EXTENSION__;
  return new Showing(actor, extension, options.name ?? actor.id);
}

class Showing implements Shown {
  readonly #actor: AnyActor;
  readonly #listeners = new Set<(snapshot: Snapshot<unknown>) => void>();
  /** By action number of the extension, which counts from `init`; the oldest go. */
  readonly #kept = new Map<number, Snapshot<unknown>>();
  readonly #endings: (() => void)[] = [];
  readonly #tools: ReturnType<DevtoolsExtension['connect']> | undefined;
  #newest = 0;
  #past: Snapshot<unknown> | undefined;
  /** What the next snapshot comes of. */
  #event: EventObject = SYNC_EVENT;

  constructor(actor: AnyActor, extension: DevtoolsExtension | undefined, name: string) {
    this.#actor = actor;
    this.#tools = extension?.connect({ name, maxAge: AGE_MAX, features: FEATURES });
    this.#begin();
    const events = actor.onEvent((event) => (this.#event = event));
    const snapshots = actor.subscribe((snapshot) => this.#moved(snapshot));
    const end = this.#tools?.subscribe((message) => this.#told(message));
    this.#endings.push(
      () => events.unsubscribe(),
      () => snapshots.unsubscribe(),
      () => end?.(),
    );
  }

  get isPast(): boolean {
    return this.#past !== undefined;
  }

  getSnapshot(): Snapshot<unknown> {
    return this.#past ?? this.#actor.getSnapshot();
  }

  subscribe(listener: (snapshot: Snapshot<unknown>) => void): Subscription {
    this.#listeners.add(listener);
    return { unsubscribe: () => void this.#listeners.delete(listener) };
  }

  send(event: EventObject): void {
    if (this.isPast)
      throw new LockstepError('FORBIDDEN', `${this.#actor.id} is shown as it was; return to the newest snapshot to send events`);
    this.#actor.send(event);
  }

  stop(): void {
    for (const end of this.#endings.splice(0)) end();
    this.#listeners.clear();
    this.#kept.clear();
    this.#past = undefined;
  }

  /** The extension counts anew from what is now. */
  #begin(): void {
    const snapshot = this.#actor.getSnapshot();
    this.#kept.clear();
    this.#newest = 0;
    this.#kept.set(0, snapshot);
    this.#tools?.init(stateOf(snapshot));
  }

  #moved(snapshot: Snapshot<unknown>): void {
    if (this.#tools !== undefined) {
      this.#kept.set(++this.#newest, snapshot);
      this.#kept.delete(this.#newest - AGE_MAX);
      this.#tools.send(this.#event, stateOf(snapshot));
    }
    this.#event = SYNC_EVENT;
    if (!this.isPast) this.#show();
  }

  #told({ type, payload }: DevtoolsMessage): void {
    if (type === 'ACTION' && typeof payload === 'string') return this.#typed(payload);
    if (type !== 'DISPATCH' || typeof payload !== 'object' || payload === null) return;
    const { type: what, actionId } = payload as { readonly type?: unknown; readonly actionId?: unknown };
    if (what === 'COMMIT') {
      this.#past = undefined;
      this.#begin();
    } else if (what === 'JUMP_TO_STATE' || what === 'JUMP_TO_ACTION') {
      const kept = this.#kept.get(Number(actionId));
      if (kept === undefined) return;
      this.#past = Number(actionId) === this.#newest ? undefined : kept;
    } else return;
    this.#show();
  }

  /** An event that a person typed: JSON, or a type alone. */
  #typed(text: string): void {
    let event: unknown;
    try {
      event = JSON.parse(text);
    } catch {
      event = text; // A type alone.
    }
    if (typeof event === 'string') this.send({ type: event });
    else if (typeof event === 'object' && event !== null && 'type' in event && typeof event.type === 'string')
      this.send(event as EventObject);
  }

  #show(): void {
    const snapshot = this.getSnapshot();
    for (const listener of [...this.#listeners]) listener(snapshot);
  }
}

function stateOf({ value, context, status }: Snapshot<unknown>) {
  return { value, context, ...(status === 'active' ? {} : { status }) };
}
