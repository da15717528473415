// What all authorities of one peer share. Agreement only.

import type { Committer } from './commit.ts';
import type { Environment } from './environment.ts';
import type { Journal } from './journal.ts';
import type { Report } from './log.ts';
import type { RoomPort } from './room.ts';
import type { PeerId, TraceRecord } from './wire.ts';

/** An authority that something became durable for. */
export interface Touched {
  /** Broadcasts and arms. */
  afterBatch(): void;
  runEffects(): void;
}

export interface Hosting {
  readonly environment: Environment;
  readonly journal: Journal;
  readonly committer: Committer;
  readonly rooms: RoomPort;
  readonly report: Report;
  readonly self: PeerId;
  traced(record: TraceRecord): void;
  /** Calls `afterBatch` when all commits of this batch were told, and `runEffects` when everything has left. */
  touched(authority: Touched): void;
}
