// What a peer did lately, for tools: the newest records in a ring, told on to whoever listens here, and to the room of those who follow from
// elsewhere once there is one (trace-room.ts).

import type { Subscription } from '../core/actor.ts';
import type { InspectRecord } from './inspect/protocol.ts';
import type { Report } from './log.ts';
import { Observers } from './observers.ts';
import type { Session } from './session.ts';
import type { PeerId, Traced, TraceRecord } from './wire.ts';

/** Records kept for those who come later. */
export const KEPT_MAX = 1_024;
/** The room number of every peer's trace; instances count from 1. */
export const TRACE_ROOM = 0;

/** Those who follow from elsewhere. */
export interface TraceAudience {
  /** @param isFor the peers that may see it; everyone unless given. */
  add(record: Traced, isFor?: (peer: PeerId) => boolean): void;
  publish(): void;
  leave(session: Session): void;
}

/** Of what no peer may see but the one that it is about. */
export const nobody = (): boolean => false;

export class Tracer {
  readonly #report: Report;
  readonly #listeners: Observers<Traced>;
  #steps: { readonly record: TraceRecord; readonly isFor: ((peer: PeerId) => boolean) | undefined }[] = [];
  /** Gives the newest messages of foreign programs, on peers that take them in. */
  foreign: (count: number) => readonly InspectRecord[] = () => [];
  audience: TraceAudience | undefined;

  constructor(report: Report) {
    this.#report = report;
    this.#listeners = new Observers('the trace', report);
  }

  /** @param isFor the peers that may see it; everyone unless given. */
  record(record: Traced, isFor?: (peer: PeerId) => boolean): void {
    if (record.kind === 'step' && this.#steps.push({ record, isFor }) >= KEPT_MAX * 2) this.#steps = this.#steps.slice(-KEPT_MAX);
    this.audience?.add(record, isFor);
    this.#listeners.tell(record);
  }

  /** Records what is no part of a batch, and says so to the program that runs this peer. */
  tell(record: Traced, message: string, isFor?: (peer: PeerId) => boolean): void {
    this.#report('warn', message);
    this.record(record, isFor);
    this.publish();
  }

  /** Sends what came together to all who follow. */
  publish(): void {
    this.audience?.publish();
  }

  leave(session: Session): void {
    this.audience?.leave(session);
  }

  /** The newest steps that are kept, as far as a peer may see them. */
  newest(count: number, peer: PeerId): readonly TraceRecord[] {
    if (count === 0) return [];
    return this.#steps
      .filter(({ isFor }) => isFor?.(peer) !== false)
      .slice(-count)
      .map(({ record }) => record);
  }

  /** For the program that runs this peer: every record as it is made. */
  listen(listener: (record: Traced) => void): Subscription {
    return this.#listeners.add(listener);
  }
}
