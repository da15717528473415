// The effects of steps that became durable, in order, waiting for the moment when everyone has been told. Each runs once, with the context
// and event that it saw; what it throws is reported and changes nothing. Replays and mirrors never come here.

import type { Children } from '../core/children.ts';
import type { EffectOwner } from '../core/functions.ts';
import { runEffect } from '../core/local.ts';
import type { Machine } from '../core/machine.ts';
import type { Effect, Outcome } from '../core/outcome.ts';
import { enterStamp, leaveStamp, type Stamp } from '../core/stamp.ts';

export class EffectQueue {
  readonly #machine: Machine;
  readonly #children: Children;
  readonly #owner: EffectOwner;
  readonly #failed: (effect: Effect, error: unknown) => void;
  #waiting: { readonly effect: Effect; readonly stamp: Stamp }[] = [];

  constructor(options: {
    readonly machine: Machine;
    readonly children: Children;
    readonly owner: EffectOwner;
    failed(effect: Effect, error: unknown): void;
  }) {
    this.#machine = options.machine;
    this.#children = options.children;
    this.#owner = options.owner;
    this.#failed = (effect, error) => options.failed(effect, error);
  }

  add(outcome: Outcome, stamp: Stamp): void {
    for (const effect of outcome.effects) this.#waiting.push({ effect, stamp });
  }

  run(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { effect, stamp } of waiting) {
      enterStamp(stamp);
      try {
        const result = this.#runOne(effect);
        if (result instanceof Promise) result.catch((error: unknown) => this.#failed(effect, error));
      } catch (error) {
        this.#failed(effect, error);
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
