// Takes in what plain XState programs tell through Stately's inspect protocol, and puts it into this peer's trace as records of their own
// kind. One link is one program. What a program sends costs a bounded amount of memory and of work, and touches no instance.

import { LockstepError } from '../../core/errors.ts';
import type { Environment } from '../environment.ts';
import { CLOSE_PROTOCOL, type Frame, type Link } from '../link.ts';
import type { Report } from '../log.ts';
import type { Tracer } from '../tracer.ts';
import { KeptMessages } from './kept.ts';
import { INSPECT_LIMITS, type InspectLimits } from './protocol.ts';
import { readInspectMessage } from './read.ts';

const SECOND_MS = 1_000;
const NAME_RADIX = 36;

export interface IntakeOptions {
  readonly environment: Environment;
  readonly tracer: Tracer;
  readonly report?: Report;
  readonly limits?: Partial<InspectLimits>;
}

export class InspectIntake {
  readonly #options: IntakeOptions;
  readonly #limits: InspectLimits;
  readonly #programs = new Set<Program>();
  readonly #kept: KeptMessages;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#limits = { ...INSPECT_LIMITS, ...options.limits };
    this.#kept = new KeptMessages(this.#limits);
    options.tracer.foreign = (count) => this.#kept.newest(count);
  }

  get programCount(): number {
    return this.#programs.size;
  }

  /**
   * Takes the link over: what comes in is a program's messages, until either side closes it. One program too many is shown out.
   * @param heard each frame that was read, for whoever relays them too.
   */
  attach(link: Link, heard: (frame: Frame) => void = () => undefined, closed: () => void = () => undefined): void {
    if (this.#programs.size >= this.#limits.programMax) {
      link.open({ frame: () => undefined, closed });
      return link.close(CLOSE_PROTOCOL, `TOO_MANY: at most ${this.#limits.programMax} programs are inspected at once`);
    }
    const { environment } = this.#options;
    const program = new Program(`inspect-${environment.random().toString(NAME_RADIX)}`, {
      ...this.#options,
      limits: this.#limits,
      kept: this.#kept,
    });
    this.#programs.add(program);
    link.open({
      frame: (frame) => {
        try {
          if (program.take(frame)) heard(frame);
        } catch (error) {
          if (!(error instanceof LockstepError)) throw error;
          link.close(CLOSE_PROTOCOL, `${error.code}: ${error.message}`);
        }
      },
      closed: () => {
        this.#programs.delete(program);
        program.end();
        closed();
      },
    });
  }
}

interface ProgramOptions extends IntakeOptions {
  readonly limits: InspectLimits;
  readonly kept: KeptMessages;
}

class Program {
  readonly #name: string;
  readonly #options: ProgramOptions;
  readonly #limits: InspectLimits;
  readonly #actors = new Set<string>();
  #n = 0;
  #faults = 0;
  /** When the present second began, and messages in it. */
  #second = 0;
  #count = 0;
  #leftOut = 0;

  constructor(name: string, options: ProgramOptions) {
    this.#name = name;
    this.#options = options;
    this.#limits = options.limits;
  }

  /**
   * @returns whether it was a message.
   * @throws LockstepError when the program is to be shown out: it says too much that cannot be read.
   */
  take(frame: Frame): boolean {
    if (!this.#hasTurn()) {
      this.#leftOut++;
      return false;
    }
    try {
      this.#record(frame);
      return true;
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
      this.#faults++;
      if (this.#faults >= this.#limits.faultMax) throw error;
      this.#options.report?.('warn', `inspected program ${this.#name}: a message was left out`, error);
      return false;
    }
  }

  end(): void {
    if (this.#leftOut > 0)
      this.#options.report?.('warn', `inspected program ${this.#name}: ${this.#leftOut} messages above the limits were left out`);
  }

  /** Whether this second has room for one more message. */
  #hasTurn(): boolean {
    const now = this.#options.environment.now();
    if (now - this.#second >= SECOND_MS || now < this.#second) {
      this.#second = now;
      this.#count = 0;
    }
    return ++this.#count <= this.#limits.rateMax;
  }

  #record(frame: Frame): void {
    if (typeof frame !== 'string') throw new LockstepError('MALFORMED', `a binary frame of ${frame.byteLength} bytes, expected text`);
    if (frame.length > this.#limits.messageSize)
      throw new LockstepError('TOO_LARGE', `a message of ${frame.length} characters, at most ${this.#limits.messageSize} are taken`);
    const message = readInspectMessage(parse(frame));
    if (message === undefined) return;
    if (!this.#actors.has(message.sessionId)) {
      if (this.#actors.size >= this.#limits.actorMax) return void this.#leftOut++;
      this.#actors.add(message.sessionId);
    }
    const { tracer, kept } = this.#options;
    const record = { kind: 'inspect', peer: this.#name, n: ++this.#n, at: Number(message.createdAt), message } as const;
    kept.add(record);
    tracer.record(record);
    tracer.publish();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new LockstepError('MALFORMED', `a message of ${text.length} characters that is not JSON`, { cause: error });
  }
}
