// The child actors of one running instance, and the requests of its steps: whoever runs an instance hands each durable request over here.
// Logic is run by a runner that is given, because what actors are made of (promises, callbacks, machines …) is another library's business.

import { LockstepError } from './errors.ts';
import type { EffectOwner } from './functions.ts';
import type { EventObject, Json } from './json.ts';
import type { Effect } from './outcome.ts';
import { plain } from './plain.ts';
import { PARENT, SELF, type ChildStart } from './request.ts';

export interface RunningActor {
  send(event: EventObject): void;
  stop(): void;
}

/** The actors of one instance. */
export interface ActorGroup {
  /**
   * Starts an actor.
   * @param tell takes what it has to say to its parent, in plain JSON: done, error and snapshot events in XState's form, and events of its own.
   * @param isRestart whether it ran before and its parent came back from a journal.
   * @throws what the logic throws at its start.
   */
  start(child: ChildStart, logic: unknown, tell: (event: EventObject) => void, isRestart: boolean): RunningActor;
  /** Ends what runs only here. */
  close(): void;
}

export interface ActorRunner {
  open(): ActorGroup;
}

/** The instance that the children belong to. */
export interface Owner {
  /** Hands it an event of its own making: it waits for its turn. */
  tell(event: EventObject): void;
  /** Undefined when it has no parent. */
  readonly tellParent: ((event: EventObject) => void) | undefined;
  emit(event: EventObject): void;
  log(label: string | undefined, value: unknown): void;
}

export class Children {
  readonly #owner: Owner;
  readonly #runner: ActorRunner | undefined;
  readonly #running = new Map<string, RunningActor>();
  /** A new object each time an id is started. */
  readonly #incarnations = new Map<string, object>();
  /** Events for children that are about to start. */
  readonly #early = new Map<string, readonly EventObject[]>();
  #group: ActorGroup | undefined;

  constructor(owner: Owner, runner: ActorRunner | undefined) {
    this.#owner = owner;
    this.#runner = runner;
  }

  /** Carries a request out. Delayed events and their cancelling are the instance's own. @throws LockstepError UNSUPPORTED, CLOSED */
  carryOut({ request }: Effect): void {
    switch (request?.kind) {
      case 'send':
        if (request.isEarly !== true) return this.send(request.to, request.event);
        this.#early.set(request.to, [...(this.#early.get(request.to) ?? []), request.event]);
        return;
      case 'emit':
        return this.#owner.emit(request.event);
      case 'log':
        return this.#owner.log(request.label, request.value);
      case 'spawn':
        return this.start(request.child, request.logic, false);
      case 'stop':
        return this.stop(request.id);
      default:
    }
  }

  /** An actor that does not start, for want of a runner or because its logic throws, tells its parent so. */
  start(child: ChildStart, logic: unknown, isRestart: boolean): void {
    const early = this.#early.get(child.id) ?? [];
    this.stop(child.id);
    // What an actor says after it was stopped, or after another took its id, is not heard.
    const incarnation = {};
    this.#incarnations.set(child.id, incarnation);
    const tell = (event: EventObject): void => {
      if (this.#incarnations.get(child.id) === incarnation) this.#owner.tell(event);
    };
    try {
      if (logic === undefined) throw new LockstepError('MISSING_FUNCTION', `the logic of actor "${child.id}" (${child.src}) is not here`);
      if (this.#runner === undefined) throw new LockstepError('UNSUPPORTED', `actor "${child.id}": no runner for actors was given`);
      const actor = (this.#group ??= this.#runner.open()).start(child, logic, tell, isRestart);
      // It may have brought its own end about while it started.
      if (this.#incarnations.get(child.id) !== incarnation) return actor.stop();
      this.#running.set(child.id, actor);
      for (const event of early) actor.send(event);
    } catch (error) {
      this.#owner.tell(failure(child.id, error));
    }
  }

  stop(id: string): void {
    const actor = this.#running.get(id);
    this.#incarnations.delete(id);
    this.#running.delete(id);
    this.#early.delete(id);
    actor?.stop();
  }

  /** An event for a child, itself or its parent; one for somebody who has ended goes nowhere, as in XState. */
  send(to: string, event: EventObject): void {
    if (to === SELF) return this.#owner.tell(event);
    if (to !== PARENT) return this.#running.get(to)?.send(event);
    if (this.#owner.tellParent === undefined)
      throw new LockstepError('UNREACHABLE', `"${event.type}" was sent to a parent, and there is none`);
    this.#owner.tellParent(event);
  }

  /** The instance is gone: so are they. */
  stopAll(): void {
    for (const id of [...this.#running.keys()]) this.stop(id);
  }

  /** The instance is no longer run here; it may come back, and they with it. */
  close(): void {
    this.#running.clear();
    this.#incarnations.clear();
    this.#group?.close();
    this.#group = undefined;
  }
}

/** The error event of a child, with what was thrown as plain JSON. */
export function failure(id: string, thrown: unknown): EventObject {
  return { type: `xstate.error.actor.${id}`, error: errorJson(thrown), actorId: id };
}

/** What was thrown as plain JSON: itself when it is, of an Error what it says and its code if it has one. */
export function errorJson(thrown: unknown): Json {
  if (thrown instanceof Error) {
    const { name, message } = thrown;
    const { code } = thrown as { readonly code?: unknown };
    return { name, message, ...(typeof code === 'string' ? { code } : {}) };
  }
  try {
    return plain(thrown ?? null, '');
  } catch {
    // What is no JSON is told as text.
    return { name: 'Error', message: String(thrown) };
  }
}

/** XState's `system` for effects: the children of an instance by their system ids. */
export function namedActors(
  children: () => ReadonlyMap<string, ChildStart>,
  send: (id: string, event: EventObject) => void,
): EffectOwner['system'] {
  return {
    get: (systemId) => {
      const child = [...children().values()].find((each) => each.systemId === systemId);
      return child && { id: child.id, send: (event) => send(child.id, event) };
    },
  };
}
