// One link that carries several: each line of a trunk is a link of its own to whoever uses it, opened by the side that dials. Frames of a
// line travel as `=<line>\n<frame>`; `=\n<notice>` is about the trunk itself. Both ends are this class. What it promises of a line is what
// every link promises; a trunk that ends takes its lines with it.                                    (docs/PROTOCOL.md, Sharing a socket)

import { LockstepError } from '../core/errors.ts';
import { encodeNotice, readBody } from './codec-json.ts';
import { joinFrame, readFrame } from './frame.ts';
import { Arrivals } from './arrivals.ts';
import { CLOSE_PROTOCOL, type Frame, type Link, type LinkEvents } from './link.ts';
import { readOrder } from './params.ts';
import type { Notifications } from './wire.ts';

/** Lines that may be open at once: more tabs than anyone has, and a bound for what one socket can cost. */
const LINES_MAX = 256;
const SIGN = '=';

export interface TrunkEvents {
  /** The other end began a line. Without it nobody may. */
  readonly begun?: (line: Link) => void;
  /** The other end says whose lines these are. */
  readonly shared?: (share: Notifications['share']) => void;
}

/** Whether a link's first frame makes it a trunk. */
export function isTrunkFrame(frame: Frame): boolean {
  return typeof frame === 'string' && frame.startsWith(SIGN);
}

export class Trunk {
  readonly #link: Link;
  readonly #events: TrunkEvents;
  readonly #lines = new Map<number, Line>();
  /** Dialled, and nothing said on them. A line gets its number with its first frame, so that numbers arrive in their order. */
  readonly #silent = new Set<Line>();
  /** The newest number that was given to a line; a lower one that is not there has ended. */
  #newest = 0;

  /** @param link whose frames go to `receive` and whose end goes to `ended`. */
  constructor(link: Link, events: TrunkEvents = {}) {
    this.#link = link;
    this.#events = events;
  }

  get lineCount(): number {
    return this.#lines.size + this.#silent.size;
  }

  get bufferedBytes(): number {
    return this.#link.bufferedBytes;
  }

  /** Says whose lines these are: first of all. */
  share(share: Notifications['share']): void {
    this.#link.send(`${SIGN}\n${encodeNotice('share', share)}`);
  }

  /** A new line; the other end hears of it with its first frame. */
  dial(): Link {
    const line = new Line(this);
    this.#silent.add(line);
    return line;
  }

  receive(frame: Frame): void {
    const read = readFrame(frame);
    if (read.kind !== 'headed' || !read.address.startsWith(SIGN)) return this.#broken(`a frame of a trunk begins with ${SIGN}`);
    if (read.address === SIGN) return this.#notice(read.body);
    const number = Number(read.address.slice(1));
    if (!Number.isSafeInteger(number) || number < 1) return this.#broken('a line has a whole number from 1');
    const line = this.#lines.get(number) ?? this.#welcome(number);
    line?.receive(read.body);
  }

  /** The link has closed. */
  ended(code: number, reason: string): void {
    const lines = [...this.#lines.values(), ...this.#silent];
    this.#lines.clear();
    this.#silent.clear();
    for (const line of lines) line.ended(code, reason);
  }

  close(code: number, reason: string): void {
    this.#link.close(code, reason);
  }

  /** For its lines. */
  post(line: Line, frame: Frame): void {
    if (this.#silent.delete(line)) this.#number(line, this.#newest + 1);
    this.#link.send(joinFrame(`${SIGN}${line.number}`, frame));
  }

  /** For its lines. */
  hangUp(line: Line, code: number, reason: string): void {
    this.#silent.delete(line);
    if (this.#lines.delete(line.number)) this.#link.send(`${SIGN}\n${encodeNotice('hangup', [line.number, code, reason])}`);
  }

  #number(line: Line, number: number): void {
    this.#newest = number;
    line.number = number;
    this.#lines.set(number, line);
  }

  #welcome(number: number): Line | undefined {
    if (number <= this.#newest || this.#events.begun === undefined) return undefined;
    const line = new Line(this);
    this.#number(line, number);
    if (this.#lines.size > LINES_MAX) line.close(CLOSE_PROTOCOL, `TOO_MANY: a trunk has at most ${LINES_MAX} lines`);
    else this.#events.begun(line);
    return line;
  }

  #notice(body: Frame): void {
    try {
      for (const message of readBody(String(body))) {
        if (message instanceof LockstepError) throw message;
        if (message.kind !== 'notice') continue;
        if (message.method === 'share') this.#shared(readOrder('share', message.params));
        if (message.method === 'hangup') this.#hungUp(readOrder('hangup', message.params));
      }
    } catch (error) {
      this.#broken((error as LockstepError).message);
    }
  }

  #shared(share: Notifications['share']): void {
    this.#events.shared?.(share);
  }

  #hungUp([number, code, reason]: Notifications['hangup']): void {
    const line = this.#lines.get(number);
    this.#lines.delete(number);
    line?.ended(code, reason);
  }

  #broken(sentence: string): void {
    this.#link.close(CLOSE_PROTOCOL, `MALFORMED: ${sentence}`);
  }
}

class Line implements Link {
  /** 0 until something is said on it. */
  number = 0;
  readonly #trunk: Trunk;
  readonly #arrivals = new Arrivals();

  constructor(trunk: Trunk) {
    this.#trunk = trunk;
  }

  get bufferedBytes(): number {
    return this.#trunk.bufferedBytes;
  }

  open(events: LinkEvents): void {
    this.#arrivals.open(events);
  }

  send(frame: Frame): void {
    if (!this.#arrivals.isClosed) this.#trunk.post(this, frame);
  }

  close(code: number, reason: string): void {
    if (this.#arrivals.isClosed) return;
    this.#arrivals.stop();
    this.#trunk.hangUp(this, code, reason);
    // Not within the caller's own turn: closing a link never calls back into whoever closes it.
    queueMicrotask(() => this.#arrivals.end(code, reason));
  }

  receive(frame: Frame): void {
    this.#arrivals.frame(frame);
  }

  ended(code: number, reason: string): void {
    if (!this.#arrivals.isClosed) this.#arrivals.end(code, reason);
  }
}
