// A chart run by our core, as whoever owns an instance runs it: requests carried out after each step by the children's own class, events of its
// own making one step each, timers kept.

import { KIND_PARALLEL } from '../../assembly/layout.ts';
import { xstateActors } from '../../compiler/actors.ts';
import { compileMachine } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import { Children } from '../../core/children.ts';
import { LockstepError } from '../../core/errors.ts';
import { readImage } from '../../core/image.ts';
import { Instance } from '../../core/instance.ts';
import type { EventObject } from '../../core/json.ts';
import { Machine } from '../../core/machine.ts';
import type { Effect, Outcome } from '../../core/outcome.ts';
import { SELF } from '../../core/request.ts';
import type { Core } from '../../core/wasm.ts';
import { xxh64 } from '../../core/xxh64.ts';
import { poked, told } from './kids.ts';
import type { Kid, Log } from './log.ts';
import { compare, Differs, errorWords, MAIL_MAX, sorted, timerKey, type Fault, type View } from './view.ts';

/** The authority's clock stands still, so that a timer's due is its delay. */
const STAMP = { now: 0, seed: 1, salt: '' };

export class Ours {
  taken = false;
  #instance: Instance;
  readonly #machine: Machine;
  readonly #meta: Readonly<Record<string, unknown>>;
  readonly #log: Log;
  readonly #kids = new Map<string, Kid>();
  readonly #children: Children;
  /** Events of its own making that wait for their turn. */
  #mail: EventObject[] = [];
  #isBusy = false;
  #handled = 0;
  #fault: Fault | undefined;

  /** @returns undefined when the random structure is refused. */
  static of({ core, log }: { readonly core: Core; readonly log: Log }, source: unknown): Ours | undefined {
    try {
      const image = compileMachine(source, { onThrow: 'status' });
      const { debug } = readImage(image.bytes, xxh64);
      return new Ours(Machine.load(core, image.bytes, bind(image.symbols, source)), debug?.meta ?? {}, log);
    } catch (error) {
      if (error instanceof LockstepError && /cannot be active together|lies outside|entered without being left/.test(error.message))
        return undefined;
      throw error;
    }
  }

  private constructor(machine: Machine, meta: Readonly<Record<string, unknown>>, log: Log) {
    this.#machine = machine;
    this.#meta = meta;
    this.#log = log;
    this.#instance = Instance.create(machine);
    const noTimer = (): never => {
      throw new Error('no child waits for anything');
    };
    this.#children = new Children(
      {
        tell: (event) => this.#tell(event),
        tellParent: (event) => void log.outside.push(told.parent(event)),
        emit: (event) => void log.outside.push(told.emit(event)),
        log: (label, value) => void log.entries.push(`log ${JSON.stringify({ label, value })}`),
      },
      xstateActors({ timer: noTimer }),
    );
  }

  start(input: { n: number } | undefined): View | Fault {
    return this.#run(() => this.#instance.start(input, STAMP));
  }

  step(event: EventObject): View | Fault {
    return this.#run(() => this.#instance.step(event, STAMP));
  }

  /** Lets the time come of what has waited longest under that key. */
  fire(key: string): View | Fault {
    const timer = [...this.#instance.timers.keys()].sort((a, b) => a - b).find((number) => this.#keyOf(number) === key);
    if (timer === undefined) throw new Differs(`nothing waits as ${key}`);
    const delayed = this.#instance.delayed(timer);
    const event = delayed?.event ?? { type: this.#machine.symbols.timers[timer] ?? '' };
    return delayed === undefined || delayed.to === SELF
      ? this.#run(() => this.#instance.step(event, STAMP, { timer, isInternal: true }))
      : this.#fromOutside(() => this.#after(this.#instance.elapse(timer)));
  }

  /** Lets a child do something. */
  poke(index: number, what: number, k: number): View | Fault {
    return this.#fromOutside(() => {
      const id = [...this.#instance.children.keys()][index] ?? '';
      const kid = this.#kids.get(id);
      if (kid === undefined) this.#children.send(id, poked(k));
      else kid.poke(what, k);
    });
  }

  get isRunning(): boolean {
    return this.#instance.status === 'active';
  }

  /** Undefined when a guard throws. */
  can(event: EventObject): boolean | undefined {
    try {
      return this.#instance.can(event);
    } catch (error) {
      if (error instanceof LockstepError && error.code === 'HOST_THREW') return undefined;
      throw error;
    }
  }

  knows(type: string): boolean {
    return this.#machine.eventNumber(type) !== 0;
  }

  /** An event that nothing names is refused and changes nothing. */
  refuses(event: EventObject): void {
    const before = this.#instance.digest();
    try {
      this.#instance.step(event, STAMP);
    } catch (error) {
      if (!(error instanceof LockstepError) || error.code !== 'UNKNOWN_EVENT') throw error;
      compare(`refusing ${event.type}`, before, this.#instance.digest());
      return;
    }
    throw new Differs(`an event of type ${event.type} was taken, and nothing names it`);
  }

  /** Named event types. */
  types(): readonly string[] {
    return this.#machine.symbols.events.slice(1);
  }

  /** Goes on from what it saved, as JSON, in another instance: unlike XState's, its future is the same. */
  restore(): void {
    const { digest, seq } = { digest: this.#instance.digest(), seq: this.#instance.seq };
    const saved = JSON.parse(JSON.stringify(this.#instance.save())) as ReturnType<Instance['save']>;
    this.#instance.dispose();
    this.#instance = Instance.create(this.#machine);
    this.#instance.load(saved, seq);
    compare('saving and loading', digest, this.#instance.digest());
    this.#log.features.saw('saved and loaded');
  }

  /** Parents are active; a compound has one active child, a parallel all of them. @throws Differs */
  checkLegal(what: string): void {
    const machine = this.#machine;
    const key = this.#instance.configurationKey;
    if (this.#instance.seq === 0 || this.#instance.status === 'error') return;
    for (let state = 0; state < machine.stateCount; state += 1) {
      const children = machine.children(state);
      const count = children.filter((child) => machine.isActive(key, child)).length;
      const wanted = machine.kind(state) === KIND_PARALLEL ? children.length : Math.min(children.length, 1);
      const isLegal = machine.isActive(key, state) ? count === wanted : count === 0 && state !== 0;
      if (!isLegal) throw new Differs(`after ${what}: ${machine.symbols.states[state]?.id ?? ''} has ${count} active children`);
    }
  }

  dispose(): void {
    this.#children.stopAll();
    this.#children.close();
    this.#instance.dispose();
    this.#machine.core.exports.unload(this.#machine.handle);
  }

  /** One step of the machine, then what comes of it, until nothing waits. */
  #run(step: () => Outcome): View | Fault {
    return this.#fromOutside(() => {
      this.#isBusy = true;
      this.#attempt(step);
      this.#isBusy = false;
      this.#drain();
    });
  }

  /** Something that happens while the machine is idle. */
  #fromOutside(happens: () => void): View | Fault {
    const log = this.#log;
    log.take();
    log.takeOutside();
    log.kids = this.#kids;
    this.#mail = [];
    this.#handled = 0;
    this.#fault = undefined;
    this.taken = false;
    happens();
    return this.#fault ?? this.#view();
  }

  /** Hands the machine an event of its own making: at once when it is idle, as XState does, whoever speaks. */
  #tell(event: EventObject): void {
    this.#mail.push(event);
    if (!this.#isBusy) this.#drain();
  }

  #drain(): void {
    for (let event = this.#mail.shift(); event !== undefined; event = this.#mail.shift()) {
      if ((this.#handled += 1) > MAIL_MAX) this.#fault ??= 'storm';
      if (this.#fault !== undefined || !this.isRunning) continue;
      const told = event;
      this.#isBusy = true;
      this.#attempt(() => this.#instance.step(told, STAMP, { isInternal: true }));
      this.#isBusy = false;
    }
  }

  /** A step that runs out of fuel changes nothing. */
  #attempt(step: () => Outcome): void {
    const before = this.#instance.digest();
    try {
      this.#after(step());
    } catch (error) {
      if (!(error instanceof LockstepError) || error.code !== 'FUEL') throw error;
      compare(`a step that ended with ${error.code}`, before, this.#instance.digest());
      this.#fault ??= 'loop';
    }
  }

  #after(outcome: Outcome): void {
    this.taken ||= outcome.taken;
    for (const effect of outcome.effects) this.#carryOut(effect);
  }

  #carryOut(effect: Effect): void {
    const { fn, context, event, request } = effect;
    if (request !== undefined && request.kind !== 'call') return this.#children.carryOut(effect);
    if (request !== undefined) return void request.run({ context, event });
    const bound = this.#machine.functions?.[fn];
    if (bound?.kind !== 'effect') throw new Error(`function ${fn} is no effect`);
    bound.call({ context, event, isIn: () => false });
  }

  #view(): View {
    const snapshot = this.#instance.snapshot();
    const isActive = snapshot.status === 'active';
    return {
      effects: this.#log.take(),
      outside: this.#log.takeOutside(),
      states: snapshot.active,
      value: sorted(snapshot.value),
      context: snapshot.context,
      status: snapshot.status,
      output: snapshot.output,
      timers: [...this.#instance.timers.keys()].map((timer) => this.#keyOf(timer)).sort(),
      children: isActive ? [...this.#instance.children.keys()] : [],
      tags: [...snapshot.tags].sort(),
      meta: sorted(Object.fromEntries(snapshot.active.flatMap((id) => (this.#meta[id] === undefined ? [] : [[id, this.#meta[id]]])))),
      error: snapshot.status === 'error' ? errorWords(this.#instance.error) : undefined,
    };
  }

  #keyOf(timer: number): string {
    const delayed = this.#instance.delayed(timer);
    const event = delayed?.event ?? { type: this.#machine.symbols.timers[timer] ?? '' };
    return timerKey(event, delayed?.to ?? SELF, this.#instance.timers.get(timer) ?? 0);
  }
}
