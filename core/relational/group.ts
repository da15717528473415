// Several relational machines, here and elsewhere, addressed as one: mutations go to each in the order of the members, questions are about
// all of them or any.

import type { Json } from '../json.ts';
import type { PipeTarget } from './pipes.ts';
import type { Result } from './types.ts';
import { list, type Names } from './view.ts';
import type { WaitOptions } from './waits.ts';

export class MachineGroup {
  readonly #members = new Set<PipeTarget>();

  constructor(members: Iterable<PipeTarget> = []) {
    for (const member of members) this.join(member);
  }

  get members(): readonly PipeTarget[] {
    return [...this.#members];
  }

  join(member: PipeTarget): void {
    this.#members.add(member);
  }

  leave(member: PipeTarget): void {
    this.#members.delete(member);
  }

  // ── Mutations ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** @returns what came of it, by member; for one that was refused, its error. */
  add(states: Names<string>, args?: Json): Promise<PromiseSettledResult<Result>[]> {
    return this.#all((member) => member.add(list(states), args));
  }

  remove(states: Names<string>, args?: Json): Promise<PromiseSettledResult<Result>[]> {
    return this.#all((member) => member.remove(list(states), args));
  }

  set(states: Names<string>, args?: Json): Promise<PromiseSettledResult<Result>[]> {
    return this.#all((member) => member.set(list(states), args));
  }

  // ── Questions ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Whether these states are active in all members. */
  is(states: Names<string>): boolean {
    return this.members.every((member) => member.is(states));
  }

  /** Whether they are in none. */
  not(states: Names<string>): boolean {
    return this.members.every((member) => member.not(states));
  }

  /** Whether they all are in one of them. */
  any(states: Names<string>): boolean {
    return this.members.some((member) => member.is(states));
  }

  /** The members in which they are active. */
  which(states: Names<string>): readonly PipeTarget[] {
    return this.members.filter((member) => member.is(states));
  }

  /** Until they have been active in each of those that are members now. */
  async when(states: Names<string>, options?: WaitOptions): Promise<void> {
    await Promise.all(this.members.map((member) => member.when(states, options)));
  }

  /** Until they are active in one of those that are members now. @returns that one. */
  async whenAny(states: Names<string>, { signal }: WaitOptions = {}): Promise<PipeTarget> {
    const over = new AbortController();
    const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
    try {
      return await Promise.any(this.members.map((member) => member.when(states, { signal: either }).then(() => member)));
    } catch (error) {
      throw signal?.aborted === true ? (signal.reason as Error) : (error as AggregateError).errors[0];
    } finally {
      over.abort();
    }
  }

  #all(mutate: (member: PipeTarget) => unknown): Promise<PromiseSettledResult<Result>[]> {
    const results = this.members.map((member) => {
      try {
        return Promise.resolve(mutate(member) as Result | Promise<Result>);
      } catch (error) {
        return Promise.reject(error as Error);
      }
    });
    return Promise.allSettled(results);
  }
}
