// What a peer did lately, for tools: the newest records in a ring, and a room of those who follow them live. Nothing is encoded while
// nobody follows.

import type { Subscription } from '../core/actor.ts';
import { encodeNotice } from './codec-json.ts';
import type { InspectRecord } from './inspect/protocol.ts';
import type { Report } from './log.ts';
import { Observers } from './observers.ts';
import type { RoomPort } from './room.ts';
import type { Session } from './session.ts';
import type { Methods, Traced, TraceRecord } from './wire.ts';

/** Records kept for those who come later. */
const KEPT_MAX = 1_024;
/** The room number of every peer's trace; instances count from 1. */
export const TRACE_ROOM = 0;

export class Tracer {
  readonly #port: RoomPort;
  readonly #report: Report;
  readonly #followers = new Set<Session>();
  readonly #listeners: Observers<Traced>;
  /** What foreign programs told; on peers that take them in. */
  #foreign: (count: number) => readonly InspectRecord[] = () => [];
  #steps: TraceRecord[] = [];
  #waiting: Traced[] = [];

  constructor(port: RoomPort, report: Report) {
    this.#port = port;
    this.#report = report;
    this.#listeners = new Observers('the trace', report);
  }

  record(record: Traced): void {
    if (record.kind === 'step' && this.#steps.push(record) >= KEPT_MAX * 2) this.#steps = this.#steps.slice(-KEPT_MAX);
    if (this.#followers.size > 0) this.#waiting.push(record);
    this.#listeners.tell(record);
  }

  /** Records what is no part of a batch, and says so to the program that runs this peer. */
  tell(record: Traced, message: string): void {
    this.#report('warn', message);
    this.record(record);
    this.publish();
  }

  /** Sends what came together to all who follow. */
  publish(): void {
    if (this.#waiting.length === 0) return;
    const records = this.#waiting;
    this.#waiting = [];
    const whole = encodeNotice('trace', records);
    if (this.#port.fits(whole)) return this.#port.post(TRACE_ROOM, whole);
    for (const record of records) {
      const message = encodeNotice('trace', [record]);
      if (this.#port.fits(message)) this.#port.post(TRACE_ROOM, message);
    }
  }

  /** Answers `trace`: what is kept, and whether the session hears what follows. */
  serve(session: Session, { on, backlog = 0 }: Methods['trace']['params']): Methods['trace']['result'] {
    this.publish();
    if (!on) {
      this.leave(session);
      return { room: null, steps: [] };
    }
    this.#port.barrier();
    this.#followers.add(session);
    this.#port.admit(TRACE_ROOM, session.remote);
    let steps = backlog === 0 ? [] : this.#steps.slice(-backlog);
    let foreign = this.#foreign(backlog);
    while (steps.length > 0 && !this.#port.fits(encodeNotice('trace', [...foreign, ...steps])))
      steps = steps.slice(Math.ceil(steps.length / 2));
    while (foreign.length > 0 && !this.#port.fits(encodeNotice('trace', [...foreign, ...steps])))
      foreign = foreign.slice(Math.ceil(foreign.length / 2));
    return { room: TRACE_ROOM, steps: [...foreign, ...steps] };
  }

  leave(session: Session): void {
    if (this.#followers.delete(session)) this.#port.expel(TRACE_ROOM, session.remote);
  }

  /** @param newest gives the newest messages of foreign programs, for those who look later. */
  remember(newest: (count: number) => readonly InspectRecord[]): void {
    this.#foreign = newest;
  }

  /** For the program that runs this peer: every record as it is made. */
  listen(listener: (record: Traced) => void): Subscription {
    return this.#listeners.add(listener);
  }
}
