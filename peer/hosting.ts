// What all authorities of one peer share. Agreement only.

import type { ActorRunner } from '../core/children.ts';
import type { EventObject } from '../core/json.ts';
import type { Answers } from './answers.ts';
import type { Committer } from './commit.ts';
import type { Environment } from './environment.ts';
import type { InstanceRecord, Journal } from './journal.ts';
import type { Report } from './log.ts';
import type { RoomPort } from './channel.ts';
import type { Session } from './session.ts';
import type { Warden } from './warden.ts';
import type { InstanceId, PeerId, TraceRecord } from './wire.ts';

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
  readonly answers: Answers;
  /** A number for another room of an instance. */
  another(instance: InstanceId): number;
  /** A number is not used any more. */
  dropped(room: number): void;
  /** Who may see and do what. */
  readonly warden: Warden;
  readonly report: Report;
  readonly self: PeerId;
  sessionWith(peer: PeerId): Session;
  /** The server of the relay, while there is one. */
  server(): PeerId | undefined;
  /** @param isFor the peers that may see it; everyone unless given. */
  traced(record: TraceRecord, isFor?: (peer: PeerId) => boolean): void;
  /** Runs the actors of an instance. */
  actorsOf(record: InstanceRecord): ActorRunner;
  /** A machine emitted an event for listeners at its authority. */
  emitted(instance: InstanceId, event: EventObject): void;
  /** To an instance that another peer orders now, as an event of this peer. */
  sendOn(instance: InstanceId, event: EventObject): void;
  /** Calls `afterBatch` when all commits of this batch were told, and `runEffects` when everything has left. */
  touched(authority: Touched): void;
}
