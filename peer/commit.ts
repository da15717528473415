// The group commit: everything that happens in one turn becomes one write of the journal, and while that write is under way the next one
// collects. What waits for durability is told in the order in which it was added, so that answers, steps and effects keep that order.

import { LockstepError } from '../core/errors.ts';
import type { Environment } from './environment.ts';
import type { Journal, JournalEntry } from './journal.ts';
import type { Report } from './log.ts';

export interface Commit {
  /** Empty for a read: it only waits for all that was added before it. */
  readonly entries: readonly JournalEntry[];
  /** The entries are durable. */
  durable(): void;
  /** They are not, and never will be. */
  failed(error: LockstepError): void;
}

export interface CommitterOptions {
  readonly journal: Journal;
  readonly environment: Environment;
  readonly report: Report;
  /** All commits of a batch were told: the moment to send what they had to say. */
  readonly afterBatch: () => void;
}

export class Committer {
  readonly #journal: Journal;
  readonly #environment: Environment;
  readonly #report: Report;
  readonly #afterBatch: () => void;
  #collecting: Commit[] = [];
  #state: 'idle' | 'scheduled' | 'writing' = 'idle';
  /** The last write failed. A full disk refuses every event, and is reported once. */
  #isFailing = false;

  constructor(options: CommitterOptions) {
    this.#journal = options.journal;
    this.#environment = options.environment;
    this.#report = options.report;
    this.#afterBatch = options.afterBatch;
  }

  /** A commit without entries is told at once when nothing is under way. */
  add(commit: Commit): void {
    if (commit.entries.length === 0 && this.#state === 'idle') {
      commit.durable();
      return;
    }
    this.#collecting.push(commit);
    if (this.#state !== 'idle') return;
    this.#state = 'scheduled';
    this.#environment.defer(() => this.#write());
  }

  #write(): void {
    const batch = this.#collecting;
    this.#collecting = [];
    this.#state = 'writing';
    const entries: JournalEntry[] = [];
    for (const commit of batch) entries.push(...commit.entries);
    this.#journal.write(entries).then(
      () => this.#written(batch),
      (error: unknown) => this.#failed(batch, error),
    );
  }

  #written(batch: readonly Commit[]): void {
    if (this.#isFailing) this.#report('info', 'the journal is written again');
    this.#isFailing = false;
    for (const commit of batch) commit.durable();
    this.#next();
  }

  /** What was added since stands on what failed: it goes as well. */
  #failed(batch: readonly Commit[], cause: unknown): void {
    const error =
      cause instanceof LockstepError
        ? cause
        : new LockstepError('STORAGE', `the journal could not be written: ${String(cause)}`, { cause });
    if (!this.#isFailing) this.#report('error', 'the journal is not written, and what is sent is refused until it can be', error);
    this.#isFailing = true;
    const lost = [...batch, ...this.#collecting];
    this.#collecting = [];
    for (const commit of lost) commit.failed(error);
    this.#next();
  }

  #next(): void {
    this.#afterBatch();
    if (this.#collecting.length > 0) this.#write();
    else this.#state = 'idle';
  }
}
