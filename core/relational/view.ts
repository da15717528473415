// What can be asked of a relational machine and waited for on it, wherever it runs: names in, booleans, clocks and promises out.
// Subclasses say what the clocks are and tell `waits` of each step.

import type { Subscription } from '../actor.ts';
import type { Json } from '../json.ts';
import type { StateNames } from '../machine.ts';
import { Waits, type Clocks, type WaitOptions } from './waits.ts';

/** One name or several. */
export type Names<S extends string> = S | readonly S[];

/** What a step did, as far as clocks and args tell it. */
export interface RelationalStep {
  readonly before: Clocks;
  readonly after: Clocks;
  /** Of the mutation, where they are known. */
  readonly args: Json | undefined;
}

export abstract class RelationalView<S extends string = string> {
  abstract readonly id: string;
  /** Ticks by state number. */
  protected abstract clocks(): Clocks;
  protected abstract get machine(): StateNames;
  protected readonly waits: Waits = new Waits(() => this.clocks());
  readonly #signals = new Map<number, AbortController>();
  readonly #listeners = new Set<(step: RelationalStep) => void>();

  // ── What it is ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** By number. */
  get names(): readonly S[] {
    return this.machine.names as readonly S[];
  }

  /** How many states its schema has. */
  get version(): number {
    return this.machine.names.length;
  }

  get active(): readonly S[] {
    const clocks = this.clocks();
    return this.names.filter((_, index) => isOdd(clocks[index + 1]!));
  }

  /** Whether all of them are active. @throws LockstepError BAD_PARAMS for a name that is no state, as all that take names. */
  is(states: Names<S>): boolean {
    const clocks = this.clocks();
    return this.numbers(states).every((state) => isOdd(clocks[state]!));
  }

  /** Whether none of them is. */
  not(states: Names<S>): boolean {
    const clocks = this.clocks();
    return this.numbers(states).every((state) => !isOdd(clocks[state]!));
  }

  /** Whether all of any of these sets are. */
  any(...sets: readonly Names<S>[]): boolean {
    return sets.some((states) => this.is(states));
  }

  /** Whether these are states of it at all. @throws LockstepError UNSUPPORTED for one that may be, but is not shown here. */
  has(states: Names<string>): boolean {
    if (this.machine.isPartial === true) return this.numbers(states).length > 0;
    const known = new Set<string>(this.names);
    return list(states).every((name) => known.has(name));
  }

  /** The first of them that is active. */
  switch(...groups: readonly Names<S>[]): S | undefined {
    return groups.flatMap((group) => list(group)).find((name) => this.is(name));
  }

  tick(state: S): number {
    return this.clocks()[this.machine.stateNumber(state)]!;
  }

  /** Ticks by number, or of these states. */
  time(states?: Names<S>): readonly number[] {
    const clocks = this.clocks();
    return states === undefined ? clocks.slice(1) : this.numbers(states).map((state) => clocks[state]!);
  }

  clock(states?: Names<S>): Readonly<Record<S, number>> {
    const names = states === undefined ? this.names : list(states);
    const time = this.time(states);
    return Object.fromEntries(names.map((name, index) => [name, time[index]!])) as Record<S, number>;
  }

  /** Ticks by number, of what is confirmed: what pipes tell of. */
  confirmedClocks(): Clocks {
    return this.clocks();
  }

  /** The sum of all ticks. */
  get machineTime(): number {
    return this.time().reduce((sum, tick) => sum + tick, 0);
  }

  /** `(Foo:1 Bar:3) [Baz:0]`: what is active, then the rest. */
  toString(): string {
    const time = this.time();
    const text = (odd: boolean): string =>
      this.names.flatMap((name, index) => (isOdd(time[index]!) === odd ? [`${name}:${time[index]}`] : [])).join(' ');
    return `(${text(true)}) [${text(false)}]`;
  }

  // ── Waiting ────────────────────────────────────────────────────────────────────────────────────────────────────

  when(states: Names<S>, options?: WaitOptions): Promise<void> {
    const numbers = this.numbers(states);
    return this.waits.until((clocks) => numbers.every((state) => isOdd(clocks[state]!)), options);
  }

  whenNot(states: Names<S>, options?: WaitOptions): Promise<void> {
    const numbers = this.numbers(states);
    return this.waits.until((clocks) => numbers.every((state) => !isOdd(clocks[state]!)), options);
  }

  /** Until one of them is active. */
  whenAny(states: Names<S>, options?: WaitOptions): Promise<void> {
    const numbers = this.numbers(states);
    return this.waits.until((clocks) => numbers.some((state) => isOdd(clocks[state]!)), options);
  }

  /** Until the clock of each of them is at least that far. */
  whenTime(states: Names<S>, ticks: readonly number[], options?: WaitOptions): Promise<void> {
    const numbers = this.numbers(states);
    return this.waits.until((clocks) => numbers.every((state, index) => clocks[state]! >= (ticks[index] ?? 0)), options);
  }

  /** Until its clock has moved by so many. */
  whenTicks(state: S, ticks: number, options?: WaitOptions): Promise<void> {
    return this.whenTime(state, [this.tick(state) + ticks], options);
  }

  /** Until it begins, after now. */
  whenNext(state: S, options?: WaitOptions): Promise<void> {
    return this.waits.untilNext(this.machine.stateNumber(state), options);
  }

  whenQuery(holds: (clock: Readonly<Record<S, number>>) => boolean, options?: WaitOptions): Promise<void> {
    const clockOf = (clocks: Clocks): Record<S, number> =>
      Object.fromEntries(this.names.map((name, index) => [name, clocks[index + 1]!])) as Record<S, number>;
    return this.waits.until((clocks) => holds(clockOf(clocks)), options);
  }

  /** Until it begins by a mutation whose args have all of these. */
  whenArgs(state: S, args: Readonly<Record<string, Json>>, options?: WaitOptions): Promise<void> {
    return this.waits.untilArgs(this.machine.stateNumber(state), args, options);
  }

  whenErr(options?: WaitOptions): Promise<void> {
    return this.when('Exception' as S, options);
  }

  whenDisposed(options?: WaitOptions): Promise<void> {
    return this.waits.untilDisposed(options);
  }

  /**
   * A signal that is aborted as soon as the state's clock moves, before final handlers run: what was begun for this activation is to stop.
   * One and the same until then, also while the state is inactive.
   */
  stateSignal(state: S): AbortSignal {
    const number = this.machine.stateNumber(state);
    let controller = this.#signals.get(number);
    if (controller === undefined) this.#signals.set(number, (controller = new AbortController()));
    return controller.signal;
  }

  /** Hears each step that moved a clock, in order, before its final handlers run; of a mirror the confirmed ones. */
  onStep(listener: (step: RelationalStep) => void): Subscription {
    this.#listeners.add(listener);
    return { unsubscribe: () => void this.#listeners.delete(listener) };
  }

  /** For subclasses: whether anybody hears of a step. */
  protected get isWatched(): boolean {
    return this.waits.isWatched || this.#signals.size > 0 || this.#listeners.size > 0;
  }

  /** For subclasses: a step was made. */
  protected tellStep(before: Clocks, after: Clocks, args: Json | undefined): void {
    if (this.#listeners.size === 0 || after.every((tick, state) => tick === before[state])) return;
    for (const listener of [...this.#listeners]) {
      if (!this.#listeners.has(listener)) continue;
      try {
        listener({ before, after, args });
      } catch (error) {
        // Whoever listens has no part in the turn: it goes on, and the platform reports what nobody caught.
        void Promise.reject(error as Error);
      }
    }
  }

  /** For subclasses: clocks have moved. */
  protected abortSignals(before: Clocks, after: Clocks): void {
    for (const [state, controller] of [...this.#signals]) {
      if (before[state] === after[state]) continue;
      this.#signals.delete(state);
      controller.abort();
    }
  }

  /** For subclasses: the machine has ended. */
  protected finish(): void {
    for (const controller of this.#signals.values()) controller.abort();
    this.#signals.clear();
    this.#listeners.clear();
    this.waits.close(this.id);
  }

  protected numbers(states: Names<string>): readonly number[] {
    return list(states).map((name) => this.machine.stateNumber(name));
  }
}

export function list<S extends string>(names: Names<S>): readonly S[] {
  return typeof names === 'string' ? [names] : names;
}

function isOdd(tick: number): boolean {
  return (tick & 1) === 1;
}
