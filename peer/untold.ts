// Events from inside an instance that are not steps yet, because it could not be stepped when they came. When the instance goes to another
// peer, what effects sent goes there too, once: effects are not run again. What its actors said stays behind: they begin again there. (TOPO-15)

import type { EventObject } from '../core/json.ts';

export interface FromInside {
  readonly event: EventObject;
  /** Who sent it: an effect of a step, or one of its actors or the instance that started it. */
  readonly by: 'effect' | 'actor';
}

export class Untold {
  readonly #sendOn: (event: EventObject) => void;
  #waiting: FromInside[] = [];
  /** Those that another peer was given with the instance. */
  #handed: ReadonlySet<FromInside> = new Set();
  #isFollowing = false;

  /** @param sendOn to the instance, which another peer orders. */
  constructor(sendOn: (event: EventObject) => void) {
    this.#sendOn = sendOn;
  }

  add(from: FromInside): void {
    this.#waiting.push(from);
  }

  /** The instance can be stepped here: takes all of them out, in order. */
  take(): readonly FromInside[] {
    this.#handed = new Set();
    return this.#waiting.splice(0);
  }

  /** What goes with the instance. It is here until it is known to have gone. */
  hand(): readonly EventObject[] {
    const handed = this.#waiting.filter(({ by }) => by === 'effect');
    this.#handed = new Set(handed);
    return handed.map(({ event }) => event);
  }

  /** The instance was handed over: what effects have sent since `hand`, and send from now on, goes after it. */
  follow(): void {
    const handed = this.#handed;
    this.#isFollowing = true;
    for (const from of this.take()) if (!handed.has(from)) this.late(from);
  }

  /** The instance is not here any more. */
  late({ event, by }: FromInside): void {
    if (this.#isFollowing && by === 'effect') this.#sendOn(event);
  }
}
