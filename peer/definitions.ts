// The machines of a peer as others define them, and as its journal knows them. Beside machines.ts, because only who serves others has either.

import { LockstepError } from '../core/errors.ts';
import type { Machine } from '../core/machine.ts';
import { decodeBase64 } from './base64.ts';
import type { Committer } from './commit.ts';
import type { InstanceRecord, Journal, JournalEntry } from './journal.ts';
import type { Machines } from './machines.ts';
import type { Methods } from './wire.ts';

interface DefinitionsOptions {
  readonly journal: Journal;
  readonly machines: Machines;
  readonly committer: Committer;
}

/** Sees to it that a machine's name means after a restart what it means now. */
export class Definitions {
  readonly #journal: Journal;
  readonly #machines: Machines;
  readonly #committer: Committer;
  /** `name image` of what this run has put into the journal, or found there. */
  readonly #written = new Set<string>();

  constructor({ journal, machines, committer }: DefinitionsOptions) {
    this.#journal = journal;
    this.#machines = machines;
    this.#committer = committer;
  }

  /** Whether the journal knows any. */
  get isAny(): boolean {
    return this.#written.size > 0;
  }

  /** What names meant before, unless the program says otherwise now. @throws LockstepError STORAGE; CORRUPT when an image is not there. */
  async read(): Promise<void> {
    for (const { machine: name, image } of await this.#journal.machines()) {
      const bytes = await this.#journal.image(image);
      if (bytes === undefined)
        throw new LockstepError('CORRUPT', `the journal names image ${image} for machine "${name}" and does not have it`);
      await this.#machines.prepare(bytes);
      this.#written.add(`${name} ${image}`);
      if (this.#machines.known(name) !== undefined) continue;
      const machine = this.#machines.load(bytes, undefined);
      this.#machines.know(name, { machine, source: undefined, definition: undefined, isOwn: false, isRestored: true });
    }
  }

  /**
   * `define` from another peer: a definition in plain JSON, in any dialect, or an image without host functions.
   * @throws LockstepError FORBIDDEN, BAD_PARAMS, MISSING_FUNCTION; as Machines.add.
   */
  define({ machine: name, definition: source, image }: Methods['define']['params']): Machine {
    const machines = this.#machines;
    if (machines.known(name)?.isOwn === true)
      throw new LockstepError('FORBIDDEN', `machine "${name}" belongs to the program of this peer and is not replaced from outside`);
    if (source !== undefined) {
      const { image: made, definition } = machines.compiled(source);
      const machine = machines.load(made, definition);
      machines.know(name, { machine, source, definition, isOwn: false });
      return machine;
    }
    const bytes = image === undefined ? undefined : decodeBase64(image);
    if (bytes === undefined) throw new LockstepError('BAD_PARAMS', `define "${name}": expected a definition, or an image in base64`);
    const machine = machines.load(bytes, undefined);
    if (machine.functions === undefined)
      throw new LockstepError('MISSING_FUNCTION', `the image of "${name}" names host functions, and an image cannot bring them`);
    machines.know(name, { machine, source: undefined, definition: undefined, isOwn: false });
    return machine;
  }

  /** The image that an instance runs, which its machine may not mean any more. */
  async pin({ machine, image }: InstanceRecord): Promise<void> {
    if (this.#machines.image(image) !== undefined) return;
    const bytes = await this.#journal.image(image);
    if (bytes === undefined) return;
    await this.#machines.prepare(bytes);
    this.#machines.pinned(machine, bytes);
  }

  /** Resolves when the journal knows that the name means this image now. @throws LockstepError STORAGE */
  write(name: string, image: string): Promise<void> {
    const key = `${name} ${image}`;
    if (this.#written.has(key)) return Promise.resolve();
    for (const written of [...this.#written]) if (written.startsWith(`${name} `)) this.#written.delete(written);
    this.#written.add(key);
    return new Promise((resolve, reject) => {
      const failed = (error: LockstepError): void => {
        this.#written.delete(key);
        reject(error);
      };
      this.#committer.add({ entries: this.#entries(name), durable: resolve, failed });
    });
  }

  /** What the journal needs besides the first step of an instance. */
  missing({ machine, image }: InstanceRecord): readonly JournalEntry[] {
    return this.#written.has(`${machine} ${image}`) ? [] : this.#entries(machine);
  }

  #entries(name: string): readonly JournalEntry[] {
    const { hash, bytes } = this.#machines.get(name);
    return [
      { kind: 'image', hash, bytes },
      { kind: 'machine', machine: name, image: hash },
    ];
  }
}
