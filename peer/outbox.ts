// What leaves a peer in one turn: messages by address, joined into one frame each when the turn ends (texts and
// packed messages in frames of their own). Frames leave in the order in which
// they were begun; `barrier` ends those begun so far, for a message that must not arrive before what is already there in a room.

import type { Environment } from './environment.ts';

interface Draft {
  readonly address: string;
  /** Of one kind. */
  readonly messages: (string | Uint8Array)[];
  size: number;
}

/** @param body one text, or packed messages. */
type Deliver = (address: string, body: string | readonly Uint8Array[]) => void;

/** Brackets, the line break and some air. */
const FRAME_OVERHEAD = 16;

export class Outbox {
  readonly #environment: Environment;
  readonly #deliver: Deliver;
  #drafts: Draft[] = [];
  #open = new Map<string, Draft>();
  #scheduled = false;
  /** Whether a frame for a room is among those that are open. */
  #hasRoom = false;
  /** Characters of a frame, or bytes; a fuller one is split between two messages. */
  frameSize: number;

  constructor(options: { readonly environment: Environment; readonly frameSize: number; readonly deliver: Deliver }) {
    this.#environment = options.environment;
    this.frameSize = options.frameSize;
    this.#deliver = options.deliver;
  }

  /** Messages that have not left: none when a turn has ended. */
  get count(): number {
    return this.#drafts.reduce((sum, { messages }) => sum + messages.length, 0);
  }

  /** Whether one message fits a frame at all. */
  fits(address: string, message: string | Uint8Array): boolean {
    return message.length + address.length + FRAME_OVERHEAD <= this.frameSize;
  }

  post(address: string, message: string | Uint8Array): void {
    let draft = this.#open.get(address);
    if (draft === undefined || typeof draft.messages[0] !== typeof message || draft.size + message.length > this.frameSize) {
      draft = { address, messages: [message], size: address.length + FRAME_OVERHEAD };
      this.#drafts.push(draft);
      if (address.startsWith('#')) this.#hasRoom = true;
      this.#open.set(address, draft);
    } else draft.messages.push(message);
    draft.size += message.length + 1;
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#environment.defer(() => this.flush(), true);
  }

  /**
   * What is posted from now on leaves in new frames, behind all that were begun for rooms. Who comes into a room and goes changes nothing for
   * the others: a crowd that comes in one turn comes in one frame.
   */
  barrier(): void {
    if (!this.#hasRoom) return;
    this.#hasRoom = false;
    this.#open.clear();
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#drafts.length === 0) return;
    const drafts = this.#drafts;
    this.#drafts = [];
    this.#hasRoom = false;
    this.#open.clear();
    for (const { address, messages } of drafts) {
      const [first] = messages;
      if (typeof first !== 'string') this.#deliver(address, messages as Uint8Array[]);
      else this.#deliver(address, messages.length === 1 ? first : `[${messages.join(',')}]`);
    }
  }
}
