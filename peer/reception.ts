// Takes requests in, and brings in what serves them when the first one comes: a peer that only watches never has it, and a page does not
// even load it. Requests that come while it is on its way wait, in their order.

import { LockstepError } from '../core/errors.ts';
import type { RequestId } from './codec-json.ts';
import type { RoomNames } from './codec-packed.ts';
import type { Report } from './log.ts';
import type { Serving } from './serving.ts';
import type { Session } from './session.ts';
import type { PeerId } from './wire.ts';

export class Reception {
  readonly #bring: () => Serving | Promise<Serving>;
  readonly #report: Report;
  #serving: Serving | Promise<Serving> | undefined;
  /** Once the relay has said who this peer is. */
  #self: PeerId | undefined;
  #closed: LockstepError | undefined;

  constructor(bring: () => Serving | Promise<Serving>, report: Report) {
    this.#bring = bring;
    this.#report = report;
  }

  /** What serves, brought in unless it is here. @throws LockstepError INTERNAL when it cannot be had, now; CLOSED */
  get(): Serving | Promise<Serving> {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#serving !== undefined) return this.#serving;
    const brought = this.#bring();
    if (!(brought instanceof Promise)) return this.#arrived(brought);
    return (this.#serving = brought.then(
      (serving) => this.#arrived(serving),
      (error: unknown) => {
        this.#serving = undefined;
        this.#report('error', 'what serves others cannot be loaded', error);
        throw new LockstepError('INTERNAL', 'this peer cannot load what serves others; its log has why', { cause: error });
      },
    ));
  }

  #arrived(serving: Serving): Serving {
    this.#serving = serving;
    if (this.#self !== undefined) serving.host.begin(this.#self);
    return serving;
  }

  /** The relay has said who this peer is. */
  begin(self: PeerId): void {
    this.#self = self;
    this.#here?.host.begin(self);
  }

  /** There is a link to a peer, or to the relay: those whose instances are ordered here are told. */
  tell(peer?: PeerId): void {
    if (this.#self !== undefined) this.#here?.host.succession.tell(peer);
  }

  handle(id: RequestId, method: string, params: unknown, session: Session): void {
    const handle = (serving: Serving): void => {
      if (session.isOpen) serving.handle(id, method, params, session);
    };
    const refuse = (error: unknown): void => session.refuse(id, error as LockstepError);
    try {
      const serving = this.get();
      if (serving instanceof Promise) serving.then(handle, refuse);
      else handle(serving);
    } catch (error) {
      refuse(error);
    }
  }

  /** A notice to what is here already: nobody can be a member of a room that is not. */
  notice(method: string, params: unknown, session: Session): void {
    this.#here?.notice(method, params, session);
  }

  /** What the numbers in a room of this peer's own stand for. */
  names(room: number): RoomNames | undefined {
    return this.#here?.host.names(room);
  }

  /** A machine's name has a new meaning. Who comes later asks for all of them when it begins. */
  published(machine: string): void {
    this.#here?.host
      .published(machine)
      .catch((error: unknown) => this.#report('error', `machine "${machine}" is not in the journal`, error));
  }

  async close(): Promise<void> {
    const serving = await Promise.resolve(this.#serving).catch(() => undefined);
    await serving?.host.close();
    this.#closed = new LockstepError('CLOSED', 'this peer is closed');
  }

  get #here(): Serving | undefined {
    return this.#serving instanceof Promise ? undefined : this.#serving;
  }
}
