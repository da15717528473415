// Everything that can be waited for on a relational machine. It knows steps only as clocks before, clocks after and the args of the mutation,
// so it serves a machine that runs here and a mirror of one elsewhere alike. A promise settles once: fulfilled when what it waits for is so,
// rejected with the signal's reason at once when that is aborted, and with CLOSED when the machine ends first.

import { LockstepError } from '../errors.ts';
import type { Json } from '../json.ts';
import { isSame } from '../plain.ts';

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Ticks by state number; 0 is the root. */
export type Clocks = readonly number[];

interface Wait {
  isOver(after: Clocks, before: Clocks, args: Json | undefined): boolean;
  settle(error?: unknown): void;
}

export class Waits {
  readonly #clocks: () => Clocks;
  readonly #waits = new Set<Wait>();
  readonly #queued = new Set<{ readonly tick: number; readonly settle: (error?: unknown) => void }>();
  readonly #drained = new Set<(error?: unknown) => void>();
  readonly #promised = new Set<(error?: unknown) => void>();
  readonly #disposed = new Set<(error?: unknown) => void>();
  #isClosed = false;

  /** @param clocks those of now. */
  constructor(clocks: () => Clocks) {
    this.#clocks = clocks;
  }

  /** Whether anybody waits for a step or a turn. */
  get isWatched(): boolean {
    return this.#waits.size > 0 || this.#queued.size > 0;
  }

  /** Until it holds, now or after a step. */
  until(holds: (clocks: Clocks) => boolean, options?: WaitOptions): Promise<void> {
    if (holds(this.#clocks())) return Promise.resolve();
    return this.#wait((after) => holds(after), options);
  }

  /** Until a step brings the state in, with args that have all of these. */
  untilArgs(state: number, args: Readonly<Record<string, Json>>, options?: WaitOptions): Promise<void> {
    return this.#wait((after, before, given) => isBegun(after[state]!, before[state]!) && hasAll(given, args), options);
  }

  /** Until the state begins after now. */
  untilNext(state: number, options?: WaitOptions): Promise<void> {
    return this.#wait((after, before) => isBegun(after[state]!, before[state]!), options);
  }

  /** Until the mutation with this place in the queue has had its turn, whatever came of it. @param now the place of the one taken last. */
  untilQueue(tick: number, now: number, options?: WaitOptions): Promise<void> {
    if (tick <= now) return Promise.resolve();
    return this.#promise((settle) => {
      const entry = { tick, settle };
      this.#queued.add(entry);
      return () => this.#queued.delete(entry);
    }, options);
  }

  /** Until a promise has come to whatever. */
  untilSettled(promise: Promise<unknown>, options?: WaitOptions): Promise<void> {
    return this.#promise((settle) => {
      const leave = addTo(this.#promised, settle);
      const over = (): void => {
        if (this.#promised.has(settle)) settle();
      };
      promise.then(over, over);
      return leave;
    }, options);
  }

  untilDrained(isEmpty: boolean, options?: WaitOptions): Promise<void> {
    return isEmpty ? Promise.resolve() : this.#promise((settle) => addTo(this.#drained, settle), options);
  }

  untilDisposed(options?: WaitOptions): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return this.#promise((settle) => addTo(this.#disposed, settle), options);
  }

  /** A step was made. */
  stepped(before: Clocks, after: Clocks, args: Json | undefined): void {
    for (const wait of [...this.#waits]) {
      try {
        if (wait.isOver(after, before, args)) wait.settle();
      } catch (error) {
        wait.settle(error);
      }
    }
  }

  /** The mutation with this place in the queue has had its turn. */
  dequeued(tick: number): void {
    for (const { tick: waited, settle } of [...this.#queued]) if (waited <= tick) settle();
  }

  drained(): void {
    for (const settle of [...this.#drained]) settle();
  }

  /** The machine has ended. */
  close(id: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const settle of [...this.#disposed]) settle();
    const error = new LockstepError('CLOSED', `${id} ended before what was waited for`);
    for (const { settle } of [...this.#waits, ...this.#queued]) settle(error);
    for (const settle of [...this.#drained, ...this.#promised]) settle(error);
  }

  #wait(isOver: Wait['isOver'], options?: WaitOptions): Promise<void> {
    return this.#promise((settle) => {
      const wait = { isOver, settle };
      this.#waits.add(wait);
      return () => this.#waits.delete(wait);
    }, options);
  }

  /** @param enter puts `settle` where it is found. @returns what takes it away. */
  #promise(enter: (settle: (error?: unknown) => void) => () => void, { signal }: WaitOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      if (this.#isClosed) return reject(new LockstepError('CLOSED', 'the machine has ended'));
      const aborted = (): void => settle(signal!.reason);
      const settle = (error?: unknown): void => {
        leave();
        signal?.removeEventListener('abort', aborted);
        if (error === undefined) resolve();
        else reject(error as Error);
      };
      const leave = enter(settle);
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }
}

function addTo<T>(set: Set<T>, item: T): () => void {
  set.add(item);
  return () => set.delete(item);
}

/** Active now, and not so before, or begun anew. */
function isBegun(after: number, before: number): boolean {
  return (after & 1) === 1 && after !== before;
}

function hasAll(given: Json | undefined, wanted: Readonly<Record<string, Json>>): boolean {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false;
  const fields = given as Readonly<Record<string, Json>>;
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(fields, key) && isSame(fields[key]!, value));
}
