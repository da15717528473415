// All mirrors of one peer: one per instance, shared by everyone who watches it here, each with its way to the authority and the room in
// which it hears steps.

import { LockstepError } from '../core/errors.ts';
import { readImage } from '../core/image.ts';
import type { Machine } from '../core/machine.ts';
import { decodeBase64 } from './base64.ts';
import { encodeNotice, readNotice, refusalOf } from './codec-json.ts';
import type { Environment } from './environment.ts';
import type { Keep } from './keeping.ts';
import type { Report } from './log.ts';
import type { Machines } from './machines.ts';
import { Mirror } from './mirror.ts';
import type { Packed } from './packed.ts';
import type { Session } from './session.ts';
import type { Upstream } from './upstream.ts';
import type { DivergenceRecord, InstanceId, Methods, PeerId } from './wire.ts';

export interface MirrorsOptions {
  readonly environment: Environment;
  readonly machines: Machines;
  readonly report: Report;
  /** The peer that orders an instance; undefined while there is no server. */
  readonly address: (instance: InstanceId) => PeerId | undefined;
  /** With that peer; CLOSED while there is no link, UNREACHABLE while there is nobody to talk to. */
  readonly session: (instance: InstanceId) => Session | LockstepError;
  /** The packed encoding while the link carries it. */
  readonly packed: () => Packed | undefined;
  /** This peer's name. */
  readonly self: () => PeerId | undefined;
  readonly diverged: (record: Omit<DivergenceRecord, 'kind' | 'peer'>) => void;
  readonly keep: Keep | undefined;
}

export class Mirrors {
  readonly #options: MirrorsOptions;
  readonly #mirrors = new Map<InstanceId, Mirror>();
  /** By the room they listen to: "authority/number". */
  readonly #rooms = new Map<string, Mirror>();

  constructor(options: MirrorsOptions) {
    this.#options = options;
  }

  /** @throws LockstepError why there will be no mirror. */
  async watch(instance: InstanceId, definition: unknown, isPatient: boolean): Promise<Mirror> {
    let mirror = this.#mirrors.get(instance);
    if (mirror === undefined) {
      const upstream = this.#upstream(instance, definition);
      mirror = new Mirror(instance, upstream);
      mirror.isPatient = isPatient;
      this.#mirrors.set(instance, mirror);
      if (upstream.keeping === undefined) this.#begin(mirror);
      else {
        const opened = mirror;
        const machine = (name: string, bytes: Uint8Array): Machine => this.#options.machines.pinned(name, bytes, definition);
        void upstream.keeping.restore(opened, machine).then(() => this.#begin(opened));
      }
    }
    mirror.hold();
    await mirror.opened;
    return mirror;
  }

  #begin(mirror: Mirror): void {
    const authority = this.#options.session(mirror.id);
    // Without a link the peer resumes all mirrors when there is one; without an authority the answer is that there is none.
    if (!(authority instanceof LockstepError) || authority.code !== 'CLOSED') mirror.resume();
  }

  /** The link is open, or `authority` is back: asks for what was missed. */
  resume(authority?: PeerId): void {
    for (const mirror of [...this.#mirrors.values()]) {
      if (authority === undefined ? this.#isReachable(mirror.id) : this.#options.address(mirror.id) === authority) mirror.resume();
    }
  }

  /** The link is gone: only what is ordered right here goes on. */
  cutOff(): void {
    for (const mirror of this.#mirrors.values()) if (!this.#isReachable(mirror.id)) mirror.cutOff(false);
  }

  lostAuthority(peer: PeerId): void {
    for (const mirror of this.#mirrors.values()) if (this.#options.address(mirror.id) === peer) mirror.lostAuthority();
  }

  /** A notice in an instance's room. */
  hear(authority: PeerId, room: number, method: string, params: unknown): void {
    const mirror = this.#rooms.get(`${authority}/${room}`);
    try {
      if (method === 'step') mirror?.stepped(readNotice('step', params));
      if (method === 'moved') mirror?.moved(readNotice('moved', params).reason);
    } catch (error) {
      this.#options.report('warn', `${authority} sent a ${method} that cannot be read`, error);
      mirror?.missed();
    }
  }

  /** What an authority says of an event that a mirror sent to its room. */
  settled(authority: PeerId, params: unknown): void {
    const [room, n, answer] = readNotice('settled', params);
    this.#rooms.get(`${authority}/${room}`)?.settled(n, 'code' in answer ? refusalOf(answer) : answer);
  }

  /** @param address "authority/number": frames of this room were lost on the way. */
  missed(address: string): void {
    this.#rooms.get(address)?.missed();
  }

  close(error: LockstepError): void {
    for (const mirror of [...this.#mirrors.values()]) mirror.close(error);
  }

  /** What is ordered right here never becomes bytes. */
  #isPacked(instance: InstanceId): boolean {
    return this.#options.packed() !== undefined && this.#options.address(instance) !== this.#options.self();
  }

  #isReachable(instance: InstanceId): boolean {
    return !(this.#options.session(instance) instanceof LockstepError);
  }

  #upstream(instance: InstanceId, definition: unknown): Upstream {
    const { environment, machines, report, session, address, keep } = this.#options;
    let entered: string | undefined;
    const leave = (): void => {
      // After a restart of the authority another mirror may have got the number of the room that was ours.
      if (entered !== undefined && this.#rooms.get(entered)?.id === instance) this.#rooms.delete(entered);
      entered = undefined;
    };
    return {
      environment,
      report,
      keeping: keep?.(instance),
      watch: (from, answered) => {
        const authority = session(instance);
        if (authority instanceof LockstepError) answered(authority);
        else
          authority.watch(
            { instance, ...(from === undefined ? {} : { from }), ...(this.#isPacked(instance) ? { encoding: 'packed' } : {}) },
            answered,
          );
      },
      send: ({ n, event, expect }, { room, encoding }, machine) => {
        const authority = session(instance);
        if (authority instanceof LockstepError) return authority;
        const params: Methods['send']['params'] = expect === undefined ? [instance, n, event] : [instance, n, event, expect];
        const packed = encoding === 'packed' ? this.#options.packed() : undefined;
        const isSent = authority.post(packed?.packSend(params, { instance, machine }) ?? encodeNotice('send', params), packed && room);
        return isSent ? undefined : new LockstepError('TOO_LARGE', 'an event that does not fit a frame');
      },
      can: async (event) => {
        const authority = session(instance);
        if (authority instanceof LockstepError) throw authority;
        return authority.request('can', { instance, event });
      },
      machine: (image, name) => {
        const bytes = machines.image(image);
        return bytes === undefined ? this.#fetch(instance, image, name, definition) : machines.pinned(name, bytes, definition);
      },
      entered: (room) => {
        leave();
        entered = `${address(instance) ?? ''}/${room}`;
        const mirror = this.#mirrors.get(instance);
        if (mirror !== undefined) this.#rooms.set(entered, mirror);
      },
      diverged: this.#options.diverged,
      ended: (room) => {
        leave();
        this.#mirrors.delete(instance);
        const authority = session(instance);
        if (room !== undefined && !(authority instanceof LockstepError)) authority.request('unwatch', { room }).catch(() => undefined); // It forgets us anyway when we go.
      },
    };
  }

  async #fetch(instance: InstanceId, image: string, name: string, definition: unknown): Promise<Machine> {
    const authority = this.#options.session(instance);
    if (authority instanceof LockstepError) throw authority;
    const described = await authority.request('get', { image });
    const bytes = 'bytes' in described ? decodeBase64(described.bytes) : undefined;
    if (bytes === undefined) throw new LockstepError('BAD_IMAGE', `the authority of ${instance} did not send image ${image} in base64`);
    readImage(bytes, image);
    const prepared = this.#options.machines.prepare(bytes);
    if (prepared !== undefined) await prepared;
    return this.#options.machines.pinned(name, bytes, definition);
  }
}
