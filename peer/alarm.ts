// The timers of one hosted instance: one timer of the environment, set to the earliest due; those that are due fire in (due, timer)
// order, and one that is due already fires at once. What is due when lives in the instance, so that it survives with it.

import type { Environment } from './environment.ts';

/** Timers of platforms count in 31 bits; longer waits are split. */
const WAIT_MAX_MS = 2 ** 30;

export class Alarm {
  readonly #environment: Environment;
  readonly #timersOf: () => ReadonlyMap<number, number>;
  readonly #fire: (timer: number) => void;
  #armed: { readonly due: number; readonly cancel: () => void } | undefined;
  /** Timers whose event was refused, with the due they had: firing them again would be refused again, for ever. */
  readonly #dropped = new Map<number, number>();

  /** @param timersOf the instance's own: timer → due, ms since the epoch. */
  constructor(environment: Environment, timersOf: () => ReadonlyMap<number, number>, fire: (timer: number) => void) {
    this.#environment = environment;
    this.#timersOf = timersOf;
    this.#fire = fire;
  }

  /** Waits for the earliest of the timers as they are now. */
  arm(): void {
    const timers = this.#timersOf();
    if (timers.size === 0 && this.#armed === undefined) return;
    let earliest = Infinity;
    for (const [timer, due] of timers) if (due < earliest && this.#dropped.get(timer) !== due) earliest = due;
    if (earliest === this.#armed?.due) return;
    this.#armed?.cancel();
    this.#armed = undefined;
    if (earliest === Infinity) return;
    const waitMs = Math.min(WAIT_MAX_MS, Math.max(0, earliest - this.#environment.now()));
    this.#armed = { due: earliest, cancel: this.#environment.timer(waitMs, () => this.#ring()) };
  }

  cancel(): void {
    this.#armed?.cancel();
    this.#armed = undefined;
  }

  drop(timer: number, due: number | undefined): void {
    if (due !== undefined) this.#dropped.set(timer, due);
  }

  #ring(): void {
    this.#armed = undefined;
    const now = this.#environment.now();
    const rung = [...this.#timersOf()]
      .filter(([timer, due]) => due <= now && this.#dropped.get(timer) !== due)
      .sort(([a, dueA], [b, dueB]) => dueA - dueB || a - b);
    // An earlier one may have stopped or restarted a later one.
    for (const [timer, due] of rung) if (this.#timersOf().get(timer) === due) this.#fire(timer);
    this.arm();
  }
}
