// A machine that runs right here, with nobody else: the Actor that an in-process user, a test or a bench holds. Its effects run at once,
// its timers are the environment's. Replicated machines have the same face and another road (peer/).

import { Actor, type Standing, type Subscription } from './actor.ts';
import { Children, namedActors, type ActorRunner } from './children.ts';
import { LockstepError } from './errors.ts';
import type { StepOrigin } from './copy.ts';
import { Instance } from './instance.ts';
import type { EffectOwner } from './functions.ts';
import type { EventObject, Json } from './json.ts';
import type { Machine } from './machine.ts';
import type { Effect, Outcome } from './outcome.ts';
import type { Snapshot } from './snapshot.ts';
import { SELF } from './request.ts';
import type { Stamp } from './stamp.ts';

/** Clock, dice and timers of a local machine. */
export interface LocalEnvironment {
  /** Milliseconds since the epoch. */
  now(): number;
  /** An integer in [0, 2^53). */
  random(): number;
  /** @returns a function that cancels it. */
  timer(delayMs: number, callback: () => void): () => void;
  /** Runs the actors that machines invoke and spawn; without one they fail. */
  readonly actors?: ActorRunner;
  /** Where `log` goes; nowhere without one. */
  log?(...values: unknown[]): void;
}

/** Shared by all local machines of one process. */
export class LocalSystem {
  readonly environment: LocalEnvironment;
  /** Asks the environment only when a step does. */
  readonly stamp: Stamp;
  #next = 1;
  /** Armed timers by actor; outside the actors, because most have none. */
  readonly #armed = new Map<LocalActor, Map<number, () => void>>();

  constructor(environment: LocalEnvironment) {
    this.environment = environment;
    this.stamp = {
      get now() {
        return environment.now();
      },
      get seed() {
        return environment.random();
      },
      salt: '',
    };
  }

  /**
   * Starts a machine.
   * @throws LockstepError as Instance.start: nothing is left behind then.
   */
  start(machine: Machine, options: { readonly id?: string; readonly input?: Json } = {}): LocalActor {
    return new LocalActor(this, machine, options.id ?? this.#next++, options.input);
  }

  /** Makes the armed timers of an actor those that its instance asks for. */
  arm(actor: LocalActor, due: ReadonlyMap<number, number>, fire: (timer: number) => void): void {
    let armed = this.#armed.get(actor);
    if (armed === undefined && due.size === 0) return;
    for (const cancel of armed?.values() ?? []) cancel();
    if (due.size === 0) {
      this.#armed.delete(actor);
      return;
    }
    armed = new Map();
    const now = this.environment.now();
    for (const [timer, at] of due)
      armed.set(
        timer,
        this.environment.timer(Math.max(0, at - now), () => fire(timer)),
      );
    this.#armed.set(actor, armed);
  }
}

export class LocalActor extends Actor {
  /** Its own, or the number that stands for one: most ids are never asked for. */
  readonly #id: string | number;
  readonly #system: LocalSystem;
  readonly #instance: Instance;
  #snapshot: Snapshot | undefined;
  /** Events sent while one is being handled; undefined when none is. */
  #mailbox: Mail[] | undefined;
  /** What few machines have: made with the first request or listener. */
  #company: Company | undefined;

  /** Use LocalSystem.start. */
  constructor(system: LocalSystem, machine: Machine, id: string | number, input: Json | undefined) {
    super();
    this.#id = id;
    this.#system = system;
    this.#instance = Instance.create(machine);
    try {
      this.#mailbox = [];
      const outcome = this.#instance.start(input, system.stamp);
      this.#after(outcome);
    } catch (error) {
      this.#instance.dispose();
      throw error;
    }
    this.#drain();
  }

  get id(): string {
    return typeof this.#id === 'string' ? this.#id : `${this.#instance.machine.symbols.id}.${this.#id}`;
  }

  get standing(): Standing {
    return 'confirmed';
  }

  get machine(): Machine {
    return this.#instance.machine;
  }

  get seq(): number {
    return this.#instance.seq;
  }

  /**
   * Runs the event to completion, then its effects; an event sent meanwhile waits its turn.
   * @throws LockstepError UNKNOWN_EVENT, NOT_RUNNING, HOST_THREW, NOT_JSON, FUEL, OVERFLOW: nothing changed then.
   */
  send(event: EventObject): void {
    this.#post({ event });
  }

  /** Hears events that the machine emits; `*` hears all of them. */
  on(type: string, listener: (event: EventObject) => void): Subscription {
    const { listeners } = (this.#company ??= this.#makeCompany());
    const own = listeners.get(type) ?? new Set();
    listeners.set(type, own.add(listener));
    return { unsubscribe: () => void own.delete(listener) };
  }

  #post(mail: Mail): void {
    if (this.#mailbox !== undefined) {
      this.#mailbox.push(mail);
      return;
    }
    this.#mailbox = [];
    try {
      this.#handle(mail);
    } finally {
      this.#drain();
    }
  }

  getSnapshot(): Snapshot {
    return (this.#snapshot ??= this.#instance.snapshot());
  }

  tick(state: string): number {
    return this.#instance.tick(state);
  }

  can(event: EventObject): boolean {
    return this.#instance.can(event);
  }

  /** Ends it and gives its memory back; the last snapshot stays. */
  stop(): void {
    this.getSnapshot();
    this.#system.arm(this, new Map(), () => undefined);
    this.#company?.children.stopAll();
    this.#company?.children.close();
    this.#instance.dispose();
    this.finish();
  }

  #handle({ event, from }: Mail): void {
    // What comes from inside may come late.
    if (from !== undefined && this.#instance.status !== 'active') return;
    this.heard(event);
    const { machine } = this.#instance;
    const isTaken = from === undefined && machine.isQuiet && this.#instance.run(event, this.#system.stamp);
    if (from === undefined && machine.isQuiet) {
      if (!isTaken) return;
      this.#snapshot = undefined;
    } else {
      const outcome = this.#instance.step(event, this.#system.stamp, from);
      if (!outcome.taken) return;
      this.#snapshot = undefined;
      this.#after(outcome);
    }
    this.notify();
    if (this.#instance.status === 'active') return;
    this.#company?.children.close();
    this.finish();
  }

  /** Timers first, then all effects; the first exception of theirs is thrown when the last has run. */
  #after(outcome: Outcome): void {
    if (outcome.timers.length > 0) this.#system.arm(this, this.#instance.timers, (timer) => this.#fire(timer));
    let failure: { readonly thrown: unknown } | undefined;
    for (const effect of outcome.effects) {
      try {
        if (effect.request === undefined || effect.request.kind === 'call') runEffect(this.#instance.machine, effect, this.#owner());
        else (this.#company ??= this.#makeCompany()).children.carryOut(effect);
      } catch (thrown) {
        failure ??= { thrown };
      }
    }
    if (failure !== undefined) throw failure.thrown;
  }

  /** Made for each effect: an idle machine keeps nothing of it. */
  #owner(): EffectOwner {
    return {
      self: this,
      system: namedActors(
        () => this.#instance.children,
        (id, event) => this.#company?.children.send(id, event),
      ),
    };
  }

  #makeCompany(): Company {
    const { environment } = this.#system;
    const children = new Children(
      {
        tell: (event) => this.#post({ event, from: { isInternal: true } }),
        tellParent: undefined,
        emit: (event) => this.#emit(event),
        log: (label, value) => (label === undefined ? environment.log?.(value) : environment.log?.(label, value)),
      },
      environment.actors,
    );
    return { children, listeners: new Map() };
  }

  #emit(event: EventObject): void {
    for (const type of [event.type, '*']) for (const listener of this.#company?.listeners.get(type) ?? []) listener(event);
  }

  #fire(timer: number): void {
    const instance = this.#instance;
    if (!instance.timers.has(timer)) return;
    const delayed = instance.delayed(timer);
    const event = delayed?.event ?? { type: instance.machine.symbols.timers[timer]! };
    if (delayed === undefined || delayed.to === SELF) return this.#post({ event, from: { timer, isInternal: true } });
    this.#after(instance.elapse(timer));
  }

  #drain(): void {
    for (let mail = this.#mailbox?.shift(); mail !== undefined; mail = this.#mailbox?.shift()) this.#handle(mail);
    this.#mailbox = undefined;
  }
}

/** Its actors, and who hears what it emits. */
interface Company {
  readonly children: Children;
  readonly listeners: Map<string, Set<(event: EventObject) => void>>;
}

/** An event that waits for its turn; one from inside says so. */
interface Mail {
  readonly event: EventObject;
  readonly from?: StepOrigin;
}

/**
 * Calls the author's function behind an effect.
 * @throws whatever it throws, and LockstepError MISSING_FUNCTION.
 */
export function runEffect(machine: Machine, effect: Effect, owner: EffectOwner, isIn: (state: Json) => boolean = () => false): unknown {
  const { context, event, request } = effect;
  if (request?.kind === 'call') return request.run({ context, event, ...owner });
  const bound = machine.functions?.[effect.fn];
  if (bound?.kind !== 'effect')
    throw new LockstepError(
      'MISSING_FUNCTION',
      `machine ${machine.symbols.id} asks for the effect "${effect.name}", and this replica has no function for it`,
    );
  return bound.call({ context, event, isIn }, owner);
}
