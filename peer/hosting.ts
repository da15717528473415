// What all authorities of one peer share. Agreement only.

import type { Authority } from './authority.ts';
import type { Committer } from './commit.ts';
import type { Environment } from './environment.ts';
import type { Journal } from './journal.ts';
import type { Report } from './log.ts';
import type { RoomPort } from './room.ts';
import type { PeerId, TraceRecord } from './wire.ts';

export interface Hosting {
  readonly environment: Environment;
  readonly journal: Journal;
  readonly committer: Committer;
  readonly rooms: RoomPort;
  readonly report: Report;
  readonly self: PeerId;
  traced(record: TraceRecord): void;
  /** Calls `authority.afterBatch()` when all commits of this batch were told. */
  touched(authority: Authority): void;
}
