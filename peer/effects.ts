// The effects of steps that became durable, in order, waiting for the moment when everyone has been told. Each runs once, with the context
// and event that it saw; what it throws is told to whoever owns the queue. A final handler of a relational machine that throws is the last of
// its step. Replays and mirrors never come here.

import type { Children } from '../core/children.ts';
import type { EffectOwner } from '../core/functions.ts';
import { runEffect } from '../core/local.ts';
import type { Instance } from '../core/instance.ts';
import type { Json } from '../core/json.ts';
import type { Effect, Outcome } from '../core/outcome.ts';
import { HANDLER_DEADLINE_MS, isPromise, limited } from '../core/relational/limit.ts';
import { enterStamp, leaveStamp, type Stamp } from '../core/stamp.ts';
import type { Environment } from './environment.ts';
import type { Ordered } from './ordered.ts';

/** Where an effect stands: its step's, by number. */
export interface EffectPlace {
  readonly outcome: Outcome;
  readonly index: number;
}

/** Whether a state was active behind the step, by name. */
export type Activity = (state: Json) => boolean;

const NOWHERE: Activity = () => false;

/** For final handlers, which look at what their own step made of the machine; actions of statecharts have no such question. */
export function activityOf(instance: Instance): Activity {
  return instance.machine.isRelational ? activityIn(instance) : NOWHERE;
}

function activityIn({ machine, configurationKey }: Instance): Activity {
  return (state) => machine.isActive(configurationKey, machine.stateNumber(String(state)));
}

export class EffectQueue {
  readonly #environment: Environment;
  readonly #ordered: Ordered;
  readonly #children: Children;
  readonly #owner: EffectOwner;
  readonly #failed: (effect: Effect, error: unknown, place: EffectPlace) => void;
  #waiting: { readonly effect: Effect; readonly stamp: Stamp; readonly isIn: Activity; readonly place: EffectPlace }[] = [];

  constructor(options: {
    readonly environment: Environment;
    readonly ordered: Ordered;
    readonly children: Children;
    readonly owner: EffectOwner;
    failed(effect: Effect, error: unknown, place: EffectPlace): void;
  }) {
    this.#environment = options.environment;
    this.#ordered = options.ordered;
    this.#children = options.children;
    this.#owner = options.owner;
    this.#failed = (effect, error, place) => options.failed(effect, error, place);
  }

  add(outcome: Outcome, stamp: Stamp, isIn: Activity): void {
    const { effects } = outcome;
    for (let index = 0; index < effects.length; index++)
      this.#waiting.push({ effect: effects[index]!, stamp, isIn, place: { outcome, index } });
  }

  run(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    let broken: Outcome | undefined;
    for (const { effect, stamp, isIn, place } of waiting) {
      if (place.outcome === broken) continue;
      enterStamp(stamp);
      try {
        const result = this.#runOne(effect, isIn);
        if (isPromise(result)) this.#limited(result).then(undefined, (error: unknown) => this.#failed(effect, error, place));
      } catch (error) {
        if (this.#ordered.machine.isRelational) broken = place.outcome;
        this.#failed(effect, error, place);
      } finally {
        leaveStamp();
      }
    }
  }

  /** Final handlers have a deadline; actions of statecharts take the time that they take. */
  #limited(answer: PromiseLike<unknown>): PromiseLike<unknown> {
    if (!this.#ordered.machine.isRelational) return answer;
    return limited(answer, { environment: this.#environment, ms: HANDLER_DEADLINE_MS, id: this.#owner.self.id });
  }

  #runOne(effect: Effect, isIn: Activity): unknown {
    if (effect.request === undefined || effect.request.kind === 'call') return runEffect(this.#ordered.machine, effect, this.#owner, isIn);
    this.#children.carryOut(effect);
    return undefined;
  }
}
