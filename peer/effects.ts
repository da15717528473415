// The effects of steps that became durable, in order, waiting for the moment when everyone has been told. Each runs once, with the context
// and event that it saw; what it throws is told to whoever owns the queue. A final handler of a relational machine that throws is the last of
// its step. Replays and mirrors never come here.

import type { Children } from '../core/children.ts';
import type { EffectOwner } from '../core/functions.ts';
import { runEffect } from '../core/local.ts';
import type { Machine } from '../core/machine.ts';
import type { Effect, Outcome } from '../core/outcome.ts';
import { enterStamp, leaveStamp, type Stamp } from '../core/stamp.ts';

/** Where an effect stands: its step's, by number. */
export interface EffectPlace {
  readonly outcome: Outcome;
  readonly index: number;
}

export class EffectQueue {
  readonly #machine: Machine;
  readonly #children: Children;
  readonly #owner: EffectOwner;
  readonly #failed: (effect: Effect, error: unknown, place: EffectPlace) => void;
  #waiting: { readonly effect: Effect; readonly stamp: Stamp; readonly place: EffectPlace }[] = [];

  constructor(options: {
    readonly machine: Machine;
    readonly children: Children;
    readonly owner: EffectOwner;
    failed(effect: Effect, error: unknown, place: EffectPlace): void;
  }) {
    this.#machine = options.machine;
    this.#children = options.children;
    this.#owner = options.owner;
    this.#failed = (effect, error, place) => options.failed(effect, error, place);
  }

  add(outcome: Outcome, stamp: Stamp): void {
    outcome.effects.forEach((effect, index) => this.#waiting.push({ effect, stamp, place: { outcome, index } }));
  }

  run(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    let broken: Outcome | undefined;
    for (const { effect, stamp, place } of waiting) {
      if (place.outcome === broken) continue;
      enterStamp(stamp);
      try {
        const result = this.#runOne(effect);
        if (result instanceof Promise) result.catch((error: unknown) => this.#failed(effect, error, place));
      } catch (error) {
        if (this.#machine.isRelational) broken = place.outcome;
        this.#failed(effect, error, place);
      } finally {
        leaveStamp();
      }
    }
  }

  #runOne(effect: Effect): unknown {
    if (effect.request === undefined || effect.request.kind === 'call') return runEffect(this.#machine, effect, this.#owner);
    this.#children.carryOut(effect);
    return undefined;
  }
}
