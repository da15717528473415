// What others order and this peer passes on, by instance.

import { LockstepError } from '../core/errors.ts';
import { Branch } from './branch.ts';
import type { Hosting } from './hosting.ts';
import type { RoomNumbers } from './room-numbers.ts';
import type { Tap, Tapped } from './tap.ts';
import type { InstanceId, PeerId } from './wire.ts';

/** A mirror that can be passed on. */
export interface Offered extends Tapped {
  /** @returns what ends it. */
  tap(tap: Tap): () => void;
}

/** The numbers of all rooms here, those of branches among them. */
type Numbers = Pick<RoomNumbers<Branch>, 'next' | 'keep' | 'drop'>;

export class Branches {
  readonly #branches = new Map<InstanceId, Branch>();
  readonly #ends = new Map<InstanceId, (reason: 'offline' | 'epoch') => void>();
  readonly #rooms: Numbers;

  constructor(rooms: Numbers) {
    this.#rooms = rooms;
  }

  get(instance: InstanceId): Branch | undefined {
    return this.#branches.get(instance);
  }

  /** An image that something passed on here runs, though another peer of this program may have loaded it. */
  image(hash: string): Uint8Array | undefined {
    for (const { machine } of this.#branches.values()) if (machine.hash === hash) return machine.bytes;
    return undefined;
  }

  /** @returns what ends it. @throws LockstepError EXISTS when it is passed on already. */
  offer(hosting: Hosting, mirror: Offered, admits: (peer: PeerId) => boolean): () => void {
    const { id } = mirror;
    if (this.#branches.has(id)) throw new LockstepError('EXISTS', `${id} can be watched here already`);
    const ended = (): void => {
      this.#branches.delete(id);
      this.#ends.delete(id);
      this.#rooms.drop(branch);
    };
    const branch = new Branch({ hosting, mirror, room: this.#rooms.next(), admits, ended });
    this.#branches.set(id, branch);
    this.#rooms.keep(branch);
    const untap = mirror.tap(branch);
    const end = (reason: 'offline' | 'epoch'): void => {
      if (this.#branches.get(id) !== branch) return;
      untap();
      branch.end(reason);
      ended();
    };
    this.#ends.set(id, end);
    return () => end('offline');
  }

  /** It is ordered here from now on: those who watch it here ask again. */
  end(instance: InstanceId): void {
    this.#ends.get(instance)?.('epoch');
  }

  close(): void {
    for (const branch of this.#branches.values()) branch.end('offline');
    this.#branches.clear();
  }
}
