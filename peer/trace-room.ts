// The room of those who follow a peer's trace from elsewhere: what is kept when they come, and every record after that, once. Nothing is
// encoded while nobody follows.

import type { Json } from '../core/json.ts';
import { encodeNotice } from './codec-json.ts';
import type { RoomPort } from './channel.ts';
import type { Session } from './session.ts';
import { sizeOf } from './shape.ts';
import { TRACE_ROOM, type TraceAudience, type Tracer } from './tracer.ts';
import { LIMITS, type Methods, type PeerId, type Traced } from './wire.ts';

export class TraceRoom implements TraceAudience {
  readonly #tracer: Tracer;
  readonly #port: RoomPort;
  readonly #followers = new Set<Session>();
  #waiting: Traced[] = [];

  constructor(tracer: Tracer, port: RoomPort) {
    this.#tracer = tracer;
    this.#port = port;
    tracer.audience = this;
  }

  /** What is not for everyone goes to each follower that may see it, and not into the room. */
  add(record: Traced, isFor?: (peer: PeerId) => boolean): void {
    if (this.#followers.size === 0) return;
    if (isFor === undefined) {
      this.#waiting.push(record);
      return;
    }
    for (const follower of this.#followers) if (isFor(follower.remote)) follower.post(encodeNotice('trace', [record]));
  }

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
    let steps = fitting(this.#tracer.newest(backlog, session.remote));
    let foreign = fitting(this.#tracer.foreign(backlog));
    while (steps.length > 0 && !this.#port.fits(encodeNotice('trace', [...foreign, ...steps])))
      steps = steps.slice(Math.ceil(steps.length / 2));
    while (foreign.length > 0 && !this.#port.fits(encodeNotice('trace', [...foreign, ...steps])))
      foreign = foreign.slice(Math.ceil(foreign.length / 2));
    return { room: TRACE_ROOM, steps: [...foreign, ...steps] };
  }

  leave(session: Session): void {
    if (this.#followers.delete(session)) this.#port.expel(TRACE_ROOM, session.remote);
  }
}

/** The newest that about fit a frame: what does not is not even made. */
function fitting<Kept>(records: readonly Kept[]): readonly Kept[] {
  let size = 0;
  let from = records.length;
  while (from > 0 && size <= LIMITS.frameSize) size += sizeOf(records[--from] as Json, LIMITS.frameSize);
  return records.slice(from);
}
