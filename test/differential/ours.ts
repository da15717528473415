// A chart run by our core, as whoever owns an instance runs it: effects and requests carried out after each step, timers and children kept.

import { KIND_PARALLEL } from '../../assembly/layout.ts';
import { compileMachine } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import { LockstepError } from '../../core/errors.ts';
import { Instance } from '../../core/instance.ts';
import type { EventObject } from '../../core/json.ts';
import { Machine } from '../../core/machine.ts';
import type { Effect, Outcome } from '../../core/outcome.ts';
import type { Core } from '../../core/wasm.ts';
import type { Log } from './log.ts';
import { told } from './outward.ts';
import { compare, Differs, sorted, timerKey, type Fault, type View } from './view.ts';

/** The authority's clock stands still, so that a timer's due is its delay. */
const STAMP = { now: 0, seed: 1, salt: '' };

export class Ours {
  taken = false;
  #instance: Instance;
  readonly #machine: Machine;
  readonly #log: Log;
  /** Ids of children that run. */
  readonly #running = new Set<string>();

  /** @returns undefined when the random structure is refused. */
  static of({ core, log }: { readonly core: Core; readonly log: Log }, source: unknown): Ours | undefined {
    try {
      const image = compileMachine(source);
      return new Ours(Machine.load(core, image.bytes, bind(image.symbols, source)), log);
    } catch (error) {
      if (error instanceof LockstepError && /cannot be active together|lies outside|entered without being left/.test(error.message))
        return undefined;
      throw error;
    }
  }

  private constructor(machine: Machine, log: Log) {
    this.#machine = machine;
    this.#log = log;
    this.#instance = Instance.create(machine);
  }

  start(input: { n: number } | undefined): View | Fault {
    return this.#run(() => this.#instance.start(input, STAMP));
  }

  step(event: EventObject): View | Fault {
    return this.#run(() => this.#instance.step(event, STAMP, event.type.startsWith('xstate.') ? { isInternal: true } : {}));
  }

  /** Lets the time come of what has waited longest under that key. */
  fire(key: string): View | Fault {
    const timer = [...this.#instance.timers.keys()].sort((a, b) => a - b).find((number) => this.#keyOf(number) === key);
    if (timer === undefined) throw new Differs(`nothing waits as ${key}`);
    const event = this.#eventOf(timer);
    return this.#run(() => this.#instance.step(event, STAMP, { timer, isInternal: true }));
  }

  get isRunning(): boolean {
    return this.#instance.status === 'active';
  }

  can(event: EventObject): boolean {
    return this.#instance.can(event);
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
  }

  /** Parents are active; a compound has one active child, a parallel all of them. @throws Differs */
  checkLegal(what: string): void {
    const machine = this.#machine;
    const key = this.#instance.configurationKey;
    if (this.#instance.seq === 0) return;
    for (let state = 0; state < machine.stateCount; state += 1) {
      const children = machine.children(state);
      const count = children.filter((child) => machine.isActive(key, child)).length;
      const wanted = machine.kind(state) === KIND_PARALLEL ? children.length : Math.min(children.length, 1);
      const isLegal = machine.isActive(key, state) ? count === wanted : count === 0 && state !== 0;
      if (!isLegal) throw new Differs(`after ${what}: ${machine.symbols.states[state]?.id ?? ''} has ${count} active children`);
    }
  }

  dispose(): void {
    this.#instance.dispose();
    this.#machine.core.exports.unload(this.#machine.handle);
  }

  /** What fails changes nothing. */
  #run(run: () => Outcome): View | Fault {
    this.#log.take();
    this.#log.takeOutside();
    const before = this.#instance.digest();
    try {
      const outcome = run();
      this.taken = outcome.taken;
      this.#carryOut(outcome.effects);
      return this.#view();
    } catch (error) {
      if (!(error instanceof LockstepError) || (error.code !== 'FUEL' && error.code !== 'HOST_THREW')) throw error;
      compare(`a step that ended with ${error.code}`, before, this.#instance.digest());
      return error.code === 'FUEL' ? 'loop' : 'threw';
    }
  }

  #carryOut(effects: readonly Effect[]): void {
    const done = new Set<Effect>();
    effects.forEach((effect, index) => {
      if (done.has(effect)) return;
      const { fn, context, event, request } = effect;
      const { entries, outside } = this.#log;
      switch (request?.kind) {
        case undefined: {
          const bound = this.#machine.functions?.[fn];
          if (bound?.kind !== 'effect') throw new Error(`function ${fn} is no effect`);
          const logged = bound.call({ context, event, isIn: () => false });
          if (logged !== undefined) entries.push(`log ${JSON.stringify(logged)}`);
          return;
        }
        case 'call':
          return void request.run({ context, event });
        case 'log':
          return void entries.push(`log ${JSON.stringify({ label: request.label, value: request.value })}`);
        case 'emit':
          return void outside.push(told.emit(request.event));
        case 'send':
          if (this.#running.has(request.to)) outside.push(told.receive(request.to, request.event));
          return;
        case 'spawn': {
          const { id, input } = request.child;
          const next = effects.slice(index + 1).find((later) => idOf(later) === id);
          // A child that the same step stops again never starts. One that had its id before is then nobody's: XState lets it run on.
          if (next?.request?.kind === 'stop') {
            done.add(next);
            this.#running.delete(id);
            return;
          }
          this.#running.add(id);
          outside.push(told.start(id, input));
          return;
        }
        case 'stop':
          if (this.#running.delete(request.id)) outside.push(told.stop(request.id));
          return;
        default:
          return;
      }
    });
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
      children: isActive ? [...this.#instance.children.keys()].sort() : [],
      tags: [...snapshot.tags].sort(),
    };
  }

  #keyOf(timer: number): string {
    return timerKey(this.#eventOf(timer), this.#instance.timers.get(timer) ?? 0);
  }

  #eventOf(timer: number): EventObject {
    return this.#instance.delayed(timer)?.event ?? { type: this.#machine.symbols.timers[timer] ?? '' };
  }
}

/** The child that a request starts or stops. */
function idOf({ request }: Effect): string | undefined {
  if (request?.kind === 'spawn') return request.child.id;
  return request?.kind === 'stop' ? request.id : undefined;
}
