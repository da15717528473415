// What leaves a peer in one turn: messages by address, joined into one frame each when the turn ends. Frames leave in the order in which
// they were begun; `barrier` ends those begun so far, for a message that must not arrive before what is already there.

import type { Environment } from './environment.ts';

interface Draft {
  readonly address: string;
  readonly messages: string[];
  size: number;
}

/** Brackets, the line break and some air. */
const FRAME_OVERHEAD = 16;

export class Outbox {
  readonly #environment: Environment;
  readonly #deliver: (address: string, body: string) => void;
  #drafts: Draft[] = [];
  #open = new Map<string, Draft>();
  #scheduled = false;
  /** Characters of a frame; a fuller one is split between two messages. */
  frameSize: number;

  constructor(options: {
    readonly environment: Environment;
    readonly frameSize: number;
    readonly deliver: (address: string, body: string) => void;
  }) {
    this.#environment = options.environment;
    this.frameSize = options.frameSize;
    this.#deliver = options.deliver;
  }

  /** Whether one message fits a frame at all. */
  fits(address: string, message: string): boolean {
    return message.length + address.length + FRAME_OVERHEAD <= this.frameSize;
  }

  post(address: string, message: string): void {
    let draft = this.#open.get(address);
    if (draft === undefined || draft.size + message.length > this.frameSize) {
      draft = { address, messages: [], size: address.length + FRAME_OVERHEAD };
      this.#drafts.push(draft);
      this.#open.set(address, draft);
    }
    draft.messages.push(message);
    draft.size += message.length + 1;
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#environment.defer(() => this.flush());
  }

  /** What is posted from now on leaves in new frames, behind all that were begun. */
  barrier(): void {
    this.#open.clear();
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#drafts.length === 0) return;
    const drafts = this.#drafts;
    this.#drafts = [];
    this.#open.clear();
    for (const { address, messages } of drafts) this.#deliver(address, messages.length === 1 ? messages[0]! : `[${messages.join(',')}]`);
  }
}
