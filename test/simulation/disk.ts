// A disk that outlives the processes that write to it: a write takes a while, may fail whole, and a crash takes what was under way or
// leaves it, whole, without telling. Everything that became durable is told to the checkers at that moment.

import { LockstepError } from '../../core/errors.ts';
import type { Journal, JournalEntry } from '../../peer/journal.ts';
import { MemoryJournal } from '../../peer/memory.ts';
import type { Random } from '../support/random.ts';
import type { TestEnvironment } from '../../peer/testing.ts';

export interface DiskEvents {
  durable(entries: readonly JournalEntry[]): void;
  /** A write was refused; nothing of it is kept. */
  failed(): void;
}

export class Disk {
  readonly environment: TestEnvironment;
  readonly dice: Random;
  readonly events: DiskEvents;
  kept = new MemoryJournal();
  /** Of a hundred writes, how many fail. */
  failing = 0;
  /** Milliseconds that a write takes at most. */
  slowMs = 20;

  constructor(environment: TestEnvironment, dice: Random, events: DiskEvents) {
    this.environment = environment;
    this.dice = dice;
    this.events = events;
  }

  /** Who has it open. */
  #session: DiskSession | undefined;

  /** Whether a process has it open that is still closing it: nobody else may begin with it before. */
  get isHeld(): boolean {
    return this.#session?.isOpen === true;
  }

  /** A process has the disk open until it crashes, or has closed it. @param told runs what the process hears of it, when it can hear. */
  open(told: (act: () => void) => void = (act) => act()): DiskSession {
    return (this.#session = new DiskSession(this, told));
  }

  /** For what holds nothing beyond its process. */
  wipe(): void {
    this.kept = new MemoryJournal();
  }
}

interface Pending {
  readonly entries: readonly JournalEntry[];
  readonly cancel: () => void;
  readonly reject: (error: LockstepError) => void;
}

const CRASHED = new LockstepError('STORAGE', 'the process has crashed');

export class DiskSession implements Journal {
  readonly survives = 'power';
  readonly #disk: Disk;
  readonly #told: (act: () => void) => void;
  readonly #pending = new Set<Pending>();
  #isDead = false;

  constructor(disk: Disk, told: (act: () => void) => void) {
    this.#disk = disk;
    this.#told = told;
  }

  get isOpen(): boolean {
    return !this.#isDead;
  }

  write(entries: readonly JournalEntry[]): Promise<void> {
    if (this.#isDead) return Promise.reject(CRASHED);
    const { dice, environment, slowMs, failing } = this.#disk;
    const isFailing = dice.chance(failing / 100);
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        this.#pending.delete(pending);
        if (isFailing) {
          this.#disk.events.failed();
          this.#told(() => reject(new LockstepError('STORAGE', 'the simulated disk is full')));
        } else
          this.#keep(entries).then(
            () => this.#told(() => (this.#isDead ? reject(CRASHED) : resolve())),
            (error: unknown) => this.#told(() => reject(error as LockstepError)),
          );
      };
      const pending: Pending = { entries, cancel: environment.timer(dice.below(slowMs + 1), finish), reject };
      this.#pending.add(pending);
    });
  }

  async #keep(entries: readonly JournalEntry[]): Promise<void> {
    await this.#disk.kept.write(entries);
    this.#disk.events.durable(entries);
  }

  /** The process is no more. @param isKept whether what was on its way to the disk arrives all the same. */
  crash(isKept: boolean): void {
    this.#isDead = true;
    for (const { entries, cancel, reject } of this.#pending) {
      cancel();
      if (isKept) this.#keep(entries).catch(() => undefined); // It may stand on a write that failed.
      reject(CRASHED);
    }
    this.#pending.clear();
  }

  async read(...args: Parameters<Journal['read']>): ReturnType<Journal['read']> {
    if (this.#isDead) throw CRASHED;
    return this.#disk.kept.read(...args);
  }
  steps(...args: Parameters<Journal['steps']>): ReturnType<Journal['steps']> {
    return this.#disk.kept.steps(...args);
  }
  list(...args: Parameters<Journal['list']>): ReturnType<Journal['list']> {
    return this.#disk.kept.list(...args);
  }
  moved(): ReturnType<Journal['moved']> {
    return this.#disk.kept.moved();
  }
  machines(): ReturnType<Journal['machines']> {
    return this.#disk.kept.machines();
  }
  image(hash: string): ReturnType<Journal['image']> {
    return this.#disk.kept.image(hash);
  }
  close(): Promise<void> {
    this.#isDead = true;
    return Promise.resolve();
  }
}
