// The rest that a room takes after it has spoken to many: telling everyone is nearly all that its steps cost, so that what comes meanwhile is
// told together when the rest is over. A room that was silent is heard at once, and so is everyone who has spoken lately, because the answers to
// its own events are among what a room says.                                                                                  (RELAY-21)

import type { Environment } from '../peer/environment.ts';

/** Telling a member takes about 5 µs: a room of many is told things for a thirtieth of the time. */
const MEMBERS_PER_MS = 6;
/** One picture of a screen. */
const REST_MS_MAX = 16;

/** Who has something to say when the rest is over. */
interface Sleeper {
  wake(): void;
}

export class Rest {
  readonly #environment: Environment;
  #sleepers: Sleeper[] = [];
  /** What was said since it began to those who sleep. */
  #said: Uint8Array[] = [];
  #isResting = false;
  #ms = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** @param members that were told something. */
  for(members: number): this {
    this.#ms = Math.min(Math.floor(members / MEMBERS_PER_MS), REST_MS_MAX);
    return this;
  }

  get isResting(): boolean {
    return this.#isResting;
  }

  /** Everyone was told. */
  begin(): void {
    if (this.#isResting || this.#ms === 0) return;
    this.#isResting = true;
    this.#environment.timer(this.#ms, () => this.#end());
  }

  add(sleeper: Sleeper): void {
    this.#sleepers.push(sleeper);
  }

  /** To one of those who sleep. What several are told, the same bytes, is kept once. @returns its place. */
  say(bytes: Uint8Array): number {
    if (this.#said.at(-1) !== bytes) this.#said.push(bytes);
    return this.#said.length - 1;
  }

  /** What was said from a place to before another; not to be changed. */
  said(from: number, until: number): readonly Uint8Array[] {
    return from === 0 && until === this.#said.length ? this.#said : this.#said.slice(from, until);
  }

  #end(): void {
    this.#isResting = false;
    const sleepers = this.#sleepers;
    this.#sleepers = [];
    for (const sleeper of sleepers) sleeper.wake();
    this.#said = [];
    if (sleepers.length > 0) this.begin();
  }
}

/** The rests of rooms, by their members. */
export class Rests {
  readonly #environment: Environment;
  readonly #rests = new WeakMap<ReadonlyMap<unknown, unknown>, Rest>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  of(members: ReadonlyMap<unknown, unknown>): Rest {
    let rest = this.#rests.get(members);
    if (rest === undefined) this.#rests.set(members, (rest = new Rest(this.#environment)));
    return rest.for(members.size);
  }
}
