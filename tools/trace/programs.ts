// The plain XState programs of a trace, by name: which record belongs to which, and what is forgotten first when there are too many.

import type { InspectRecord } from '../../peer/inspect/protocol.ts';
import type { Entry, ToldActor, ToldRecord } from './entry.ts';
import { type Change, Program } from './program.ts';

/** Programs remembered; those without a kept step go first. */
const PROGRAM_MAX = 200;
/** Actors of all programs; what others did is left out. */
const ACTOR_MAX = 5_000;

export class Programs {
  readonly #programs = new Map<string, Program>();
  readonly #actors = new Map<string, ToldActor>();

  /** @returns what changed; undefined when the record was known, or there is no room for its actor. */
  take(record: ToldRecord): Change | undefined {
    let program = this.#programs.get(record.peer);
    if (program === undefined) {
      if (this.#programs.size >= PROGRAM_MAX && !this.#forget()) return undefined;
      this.#programs.set(record.peer, (program = new Program(record.peer)));
    }
    const { sessionId } = record.message;
    if (this.#actors.size >= ACTOR_MAX && !program.actors.has(sessionId)) return undefined;
    const change = program.take(record);
    const actor = program.actors.get(sessionId);
    if (actor !== undefined) this.#actors.set(actor.instance, actor);
    return change;
  }

  /** By the name of its lane. */
  actor(instance: string): ToldActor | undefined {
    return this.#actors.get(instance);
  }

  get actors(): readonly ToldActor[] {
    return [...this.#actors.values()];
  }

  /** What a program is called; undefined when there is none of that name. */
  nameOf(peer: string): string | undefined {
    return this.#programs.get(peer)?.name;
  }

  /** Whether messages between the newest known one and this one are missing. */
  hasGapBefore({ peer, n }: InspectRecord): boolean {
    const last = this.#programs.get(peer)?.last ?? 0;
    return last > 0 && n > last + 1;
  }

  /** Forgets entries; of each program they are the first ones. */
  drop(entries: readonly Entry[]): void {
    const counts = new Map<string, number>();
    for (const { record } of entries) counts.set(record.peer, (counts.get(record.peer) ?? 0) + 1);
    for (const [peer, count] of counts) this.#programs.get(peer)?.dropFirst(count);
  }

  *records(): Iterable<ToldRecord> {
    for (const program of this.#programs.values()) yield* program.records;
  }

  clear(): void {
    this.#programs.clear();
    this.#actors.clear();
  }

  #forget(): boolean {
    for (const [peer, program] of this.#programs) {
      if (!program.isEmpty) continue;
      this.#programs.delete(peer);
      for (const { instance } of program.actors.values()) this.#actors.delete(instance);
      return true;
    }
    return false;
  }
}
