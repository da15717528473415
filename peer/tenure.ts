// Whether an instance can be stepped at its authority, and what becomes of those who ask while it cannot: it runs; it is held while it is
// decided who orders it, or with which schema; it is being read from its journal again after a failed write; its journal cannot be read; or
// it is gone.                                                                                               (SYNC-5, TOPO-6, REL-39)

import { LockstepError } from '../core/errors.ts';
import type { Instance } from '../core/instance.ts';
import { backoffMs } from './backoff.ts';
import type { RequestId } from './codec-json.ts';
import type { Hosting } from './hosting.ts';
import type { Ordered } from './ordered.ts';
import { recover } from './recovery.ts';
import type { Asker } from './service.ts';
import { LIMITS } from './wire.ts';

/** A question that waits until the instance has been handed over, or has its new schema. */
interface Held {
  ask(): void;
  refuse(error: LockstepError): void;
}

type State =
  | { readonly state: 'running'; readonly instance: Instance }
  /** Nothing happens to it, and what comes waits. */
  | { readonly state: 'held'; readonly instance: Instance; readonly held: Held[] }
  | { readonly state: 'reloading' }
  | { readonly state: 'broken'; readonly error: LockstepError }
  /** Deleted, ordered elsewhere, or its peer was closed. */
  | { readonly state: 'gone'; readonly error: LockstepError };

/** Who steps the instance. */
export interface Stepping {
  /** It takes no steps from here on. */
  suspended(): void;
  /** It takes steps again. */
  resumed(): void;
}

export class Tenure {
  readonly #ordered: Ordered;
  readonly #stepping: Stepping;
  readonly #hosting: Hosting;
  #state: State;
  /** It is held for good: another peer orders it. */
  #isHalted = false;
  /** Commits that failed since the last one that did not. */
  #failures = 0;

  constructor(hosting: Hosting, ordered: Ordered, instance: Instance, stepping: Stepping) {
    this.#hosting = hosting;
    this.#ordered = ordered;
    this.#stepping = stepping;
    this.#state = { state: 'running', instance };
  }

  /** While it runs. */
  get instance(): Instance | undefined {
    return this.#state.state === 'running' ? this.#state.instance : undefined;
  }

  /** While this peer orders it: it runs, or is held for now. */
  get present(): Instance | undefined {
    const { state } = this.#state;
    return state === 'running' || (state === 'held' && !this.#isHalted) ? this.#state.instance : undefined;
  }

  get isHeld(): boolean {
    return this.#state.state === 'held';
  }

  get isHalted(): boolean {
    return this.#isHalted;
  }

  get isGone(): boolean {
    return this.#state.state === 'gone';
  }

  /** @throws LockstepError why it cannot be stepped now. */
  running(): Instance {
    const { instance: name } = this.#ordered.record;
    switch (this.#state.state) {
      case 'running':
        return this.#state.instance;
      case 'held':
        throw new LockstepError('UNREACHABLE', `${name} is being handed over, or gets another schema; ask again`);
      case 'reloading':
        throw new LockstepError('STORAGE', `${name} is being read from its journal again after a failed write`);
      case 'broken': {
        const { error } = this.#state;
        this.#read();
        throw error;
      }
      case 'gone':
        throw this.#state.error;
    }
  }

  // ── Held ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** From here on what comes waits for `keepOn`. Resolves when everything before is durable. */
  hold(): Promise<void> {
    const instance = this.running();
    this.#stepping.suspended();
    this.#state = { state: 'held', instance, held: [] };
    return new Promise((resolve, reject) => {
      const failed = (error: LockstepError): void => {
        reject(error);
        // Another peer orders it now: it is not read again, and takes no more steps.
        if (this.#isHalted) return;
        // What was held is to find it being read again, not as the failed write left it.
        const held = this.#release();
        this.reload();
        for (const { ask } of held) ask();
      };
      this.#hosting.committer.add({ entries: [], durable: resolve, failed });
    });
  }

  /** @throws LockstepError why it is not held any more, or for good: it was deleted or closed, or another peer orders it. */
  held(): Instance {
    if (this.#state.state === 'held' && !this.#isHalted) return this.#state.instance;
    throw this.#state.state === 'gone'
      ? this.#state.error
      : new LockstepError('FENCED', `${this.#ordered.record.instance} is ordered by another peer now`);
  }

  /** What is held goes on as this one. */
  replace(instance: Instance): void {
    if (this.#state.state === 'held') this.#state = { ...this.#state, instance };
  }

  /** It goes on here: what has waited is asked now. */
  keepOn(): void {
    if (!this.isHeld) return;
    const held = this.#release();
    this.#stepping.resumed();
    for (const { ask } of held) ask();
  }

  /** Nothing happens to it any more, until `end` says where it went. */
  halt(): void {
    this.#isHalted = true;
    this.#stepping.suspended();
    if (this.#state.state === 'running') this.#state = { state: 'held', instance: this.#state.instance, held: [] };
    else if (this.#state.state !== 'held')
      this.#state = {
        state: 'gone',
        error: new LockstepError('FENCED', `${this.#ordered.record.instance} is ordered by another peer now`),
      };
  }

  /** Resolves when it is not held any more. @throws LockstepError FENCED when another peer orders it. */
  released(): Promise<void> {
    return new Promise((ask, refuse) => (this.#state.state === 'held' ? void this.#state.held.push({ ask, refuse }) : ask()));
  }

  /** Asks when it is not held any more. */
  wait(asker: Asker, id: RequestId, ask: () => void): void {
    const { load } = asker;
    if (load.sends >= LIMITS.sendMax) {
      const sentence = `${load.sends} events and watches of one connection wait here, at most ${LIMITS.sendMax} may`;
      return asker.refuse(id, new LockstepError('TOO_MANY', sentence));
    }
    load.sends++;
    // Whoever hears the room sends again where the instance goes.
    const refuse = (error: LockstepError): void => {
      load.sends--;
      if (asker.hearsSteps !== true) asker.refuse(id, error);
    };
    const tried = (): void => {
      load.sends--;
      try {
        ask();
      } catch (error) {
        asker.refuse(id, this.#ordered.known(error));
      }
    };
    if (this.#state.state === 'held') this.#state.held.push({ ask: tried, refuse });
  }

  /** @returns what has waited. */
  #release(): readonly Held[] {
    if (this.#state.state !== 'held') return [];
    const { instance, held } = this.#state;
    this.#state = { state: 'running', instance };
    return held;
  }

  // ── A failed write ─────────────────────────────────────────────────────────────────────────────────────────────

  /** A write succeeded. */
  written(): void {
    this.#failures = 0;
  }

  /** Discards every step that is not durable.                                                                              (SYNC-5) */
  reload(): void {
    if (this.#state.state !== 'running') return;
    this.#stepping.suspended();
    this.#state.instance.dispose();
    this.#state = { state: 'reloading' };
    // A timer that is due is tried again as soon as we are back: not in a tight loop while the disk is full.
    const { environment } = this.#hosting;
    if (this.#failures++ === 0) this.#read();
    else environment.timer(backoffMs(environment, this.#failures), () => this.#read());
  }

  #read(): void {
    const { instance: name } = this.#ordered.record;
    if (this.isGone) return;
    this.#state = { state: 'reloading' };
    this.#hosting.journal.read(name).then(
      (stored) => {
        if (this.#state.state !== 'reloading') return;
        if (stored === undefined) return this.#break(new LockstepError('STORAGE', `the journal has no ${name} any more`));
        try {
          const recovered = recover(this.#ordered.machine, stored);
          this.#state = { state: 'running', instance: recovered.instance };
          this.#ordered.reread(recovered, stored.steps.length);
          this.#stepping.resumed();
        } catch (error) {
          this.#break(this.#ordered.known(error));
        }
      },
      (error: unknown) =>
        this.#break(new LockstepError('STORAGE', `${name} cannot be read from its journal: ${String(error)}`, { cause: error })),
    );
  }

  #break(error: LockstepError): void {
    this.#state = { state: 'broken', error };
    this.#hosting.report('error', `instance ${this.#ordered.record.instance} takes no events until its journal can be read`, error);
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** From now on it is not here, also when it was held; it is the caller's to dispose of. @throws LockstepError as `running`. */
  leave(error: LockstepError): Instance {
    const instance = this.present ?? this.running();
    const held = this.#release();
    this.#stepping.suspended();
    this.#state = { state: 'gone', error };
    for (const { refuse } of held) refuse(error);
    return instance;
  }

  /** It has not left: it is what its journal says. */
  stay(): void {
    this.#state = { state: 'reloading' };
    this.#read();
  }

  /** It is not here any more, and disposed of. @param error for whoever asks from now on. @returns refuses what has waited. */
  end(error: LockstepError): () => void {
    const held = this.#release();
    this.#stepping.suspended();
    if (this.#state.state === 'running') this.#state.instance.dispose();
    this.#state = { state: 'gone', error };
    return () => {
      for (const { refuse } of held) refuse(error);
    };
  }
}
