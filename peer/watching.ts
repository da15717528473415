// How a mirror comes to be told: it asks for its instance, waits for the image or for what keeps a partial view, hears its room, and asks
// again when the road was cut or something is missing. What is heard goes to the mirror.                              (docs/spec/sync.md)

import { LockstepError } from '../core/errors.ts';
import type { Machine } from '../core/machine.ts';
import { backoffMs } from './backoff.ts';
import type { Sights, Upstream, WatchFrom } from './upstream.ts';
import { type InstanceId, LIMITS, type Notifications, type WatchResult } from './wire.ts';

type State =
  /** A watch is under way: the first one, or one that resumes. */
  /** Of one question: an answer that comes late is not taken for that of a later one. */
  | { readonly state: 'asking' }
  /** The image is on its way; what happens in the room meanwhile waits for it. */
  | { readonly state: 'loading'; result: WatchResult; readonly steps: Notifications['step'][]; isBehind: boolean }
  | { readonly state: 'watching'; result: WatchResult }
  /** The authority is out of reach. */
  | { readonly state: 'waiting'; readonly cancel: () => void }
  | { readonly state: 'closed'; readonly error: LockstepError };

/** What another watch may change, so that trying is worth it. */
const MAY_COME_BACK = new Set([
  'UNREACHABLE',
  'CLOSED',
  'TIMEOUT',
  'STORAGE',
  'UNKNOWN_INSTANCE',
  'UNKNOWN_PEER',
  'INTERNAL',
  'TOO_MANY',
  'FENCED',
]);

/** The mirror, as far as its watching depends on it. */
export interface Watcher {
  readonly id: InstanceId;
  readonly epoch: number;
  /** The confirmed state that it has; undefined before the first one. */
  have(): WatchFrom;
  /** Its machine, when it is the one of this image. */
  machineOf(image: string): Machine | undefined;
  /** @param kept the machine, or what keeps a partial view. */
  entered(result: WatchResult, kept: Machine | Sights): void;
  stepped(notice: Notifications['step']): void;
  /** It is told, or is not any more. */
  changed(): void;
  cutOff(): void;
  /** There is nothing to hope for. */
  close(error: LockstepError): void;
}

export class Watching {
  readonly #of: Watcher;
  readonly #upstream: Upstream;
  #state: State = { state: 'waiting', cancel: () => undefined };
  #attempts = 0;
  #isHeld: boolean;
  readonly #isPatient: boolean;

  /**
   * @param how isPatient: the first watch may be refused for now and is tried again; isHeld: nothing is asked until `release`.
   */
  constructor(of: Watcher, upstream: Upstream, how: { readonly isPatient: boolean; readonly isHeld: boolean }) {
    this.#of = of;
    this.#upstream = upstream;
    this.#isPatient = how.isPatient;
    this.#isHeld = how.isHeld;
  }

  /** The answer that it is told by; undefined while it is not told. */
  get told(): WatchResult | undefined {
    return this.#state.state === 'watching' ? this.#state.result : undefined;
  }

  /** The newest answer, also while its image is on the way. */
  get answer(): WatchResult | undefined {
    return this.#state.state === 'watching' || this.#state.state === 'loading' ? this.#state.result : undefined;
  }

  /** Why it ended. */
  get error(): LockstepError | undefined {
    return this.#state.state === 'closed' ? this.#state.error : undefined;
  }

  release(): void {
    this.#isHeld = false;
  }

  /** @param withHistory whether to go on from what the mirror has. */
  ask(withHistory: boolean): void {
    if (this.#state.state === 'closed' || this.#isHeld) return;
    if (this.#state.state === 'waiting') this.#state.cancel();
    this.#attempts += 1;
    const asking: State = { state: 'asking' };
    this.#state = asking;
    this.#of.changed();
    const isWanted = (): boolean => this.#state === asking;
    const cancel = this.#upstream.environment.timer(LIMITS.requestTimeoutMs, () => {
      if (!isWanted()) return;
      this.#upstream.stalled();
      this.#refused(new LockstepError('TIMEOUT', `the authority of ${this.#of.id} did not answer`));
    });
    const answered = (error: LockstepError | undefined, result?: WatchResult): void => {
      cancel();
      if (error !== undefined) this.#refused(error);
      else if (result !== undefined) this.#answered(result);
    };
    this.#upstream.watch(withHistory ? this.#of.have() : undefined, { answered, isWanted });
  }

  #refused(error: LockstepError): void {
    if (this.#of.have() === undefined && !this.#isPatient && error.code !== 'CLOSED') return this.#of.close(error);
    if (!MAY_COME_BACK.has(error.code)) return this.#of.close(error);
    this.cutOff(true);
  }

  /** The session with the authority ended. @param retries whether to try again by itself; else somebody asks. */
  cutOff(retries: boolean): void {
    if (this.#state.state === 'closed') return;
    if (this.#state.state === 'waiting') this.#state.cancel();
    const { environment } = this.#upstream;
    const cancel = retries ? environment.timer(backoffMs(environment, this.#attempts), () => this.ask(true)) : (): void => undefined;
    this.#state = { state: 'waiting', cancel };
    this.#of.changed();
    this.#of.cutOff();
  }

  /** The authority is not connected: tries again by itself. */
  lost(): void {
    if (this.answer !== undefined || this.#state.state === 'asking') this.cutOff(true);
  }

  #answered(result: WatchResult): void {
    const { id, epoch } = this.#of;
    // It has been ordered elsewhere since, by one that this mirror has heard.                                            (TOPO-7)
    if (result.epoch < epoch) {
      this.#upstream.stalled();
      return this.#refused(new LockstepError('FENCED', `${id} was in epoch ${epoch}, and this source is in ${result.epoch}`));
    }
    this.#upstream.entered(result.room);
    if (result.seen !== undefined) return this.#load(result, () => this.#upstream.sights());
    const machine = this.#of.machineOf(result.image);
    if (machine !== undefined) return this.#enter(result, machine);
    this.#load(result, () => this.#upstream.machine(result.image, result.machine));
  }

  /** What keeps the state, a machine or a keeper of views, may have to be brought in first. */
  #load(result: WatchResult, bring: () => Machine | Sights | Promise<Machine | Sights>): void {
    const state: State = { state: 'loading', result, steps: [], isBehind: false };
    this.#state = state;
    const loaded = (kept: Machine | Sights): void => {
      if (this.#state !== state) return;
      this.#enter(state.result, kept);
      for (const notice of state.steps) this.#of.stepped(notice);
      if (state.isBehind && this.told !== undefined) this.ask(true);
    };
    const failed = (error: unknown): void => {
      if (this.#state !== state) return;
      if (error instanceof LockstepError) return this.#refused(error);
      // Its image does not get better; a module of our own may come when it is asked for again.
      const code = result.seen === undefined ? 'BAD_IMAGE' : 'INTERNAL';
      this.#refused(new LockstepError(code, `what keeps ${this.#of.id} cannot be loaded: ${String(error)}`, { cause: error }));
    };
    try {
      const kept = bring();
      if (kept instanceof Promise) kept.then(loaded, failed);
      else loaded(kept);
    } catch (error) {
      failed(error);
    }
  }

  #enter(result: WatchResult, kept: Machine | Sights): void {
    this.#state = { state: 'watching', result };
    this.#attempts = 0;
    this.#of.entered(result, kept);
  }

  /** While it is not told: what came before that to which it belongs waits for it. */
  early(notice: Notifications['step']): void {
    if (this.#state.state === 'loading') this.#state.steps.push(notice);
  }

  /** Something was told that is not kept while what it belongs to is being loaded. */
  skipped(): void {
    if (this.#state.state === 'loading') this.#state.isBehind = true;
  }

  /** The room goes on under another number. */
  renumber(room: number): void {
    const state = this.#state;
    if (state.state !== 'watching' && state.state !== 'loading') return;
    state.result = { ...state.result, room };
    this.#upstream.entered(room);
  }

  close(error: LockstepError): void {
    if (this.#state.state === 'waiting') this.#state.cancel();
    this.#state = { state: 'closed', error };
  }
}
