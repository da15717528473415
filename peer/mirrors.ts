// All mirrors of one peer: one per instance, shared by everyone who watches it here, each with its way to the authority and the room in
// which it hears steps.

import { LockstepError } from '../core/errors.ts';
import type { Machine } from '../core/machine.ts';
import { encodeBriefSend, encodeNotice, type Message, type Notice, readNotice, refusalOf } from './codec-json.ts';
import type { Core } from '../core/wasm.ts';
import type { Environment } from './environment.ts';
import { peerOfRoom, roomAddress } from './identity.ts';
import { imageFrom } from './image-request.ts';
import type { Keep } from './keeping.ts';
import type { Report } from './log.ts';
import type { Machines } from './machines.ts';
import { Mirror } from './mirror.ts';
import type { Packed } from './packed.ts';
import { Roads } from './roads.ts';
import type { Session } from './session.ts';
import type { Upstream, WatchAsked, WatchFrom } from './upstream.ts';
import type { Filter, InstanceId, Methods, Mode, Notifications, PeerId, WatchResult } from './wire.ts';

export interface MirrorsOptions {
  readonly environment: Environment;
  readonly core: Core;
  readonly sights: Upstream['sights'];
  readonly machines: Machines;
  readonly report: Report;
  /** The peer that orders an instance; undefined while there is no server. */
  readonly address: (instance: InstanceId) => PeerId | undefined;
  /** With a peer; CLOSED while there is no link, UNREACHABLE while there is nobody to talk to. */
  readonly session: (peer: PeerId | undefined) => Session | LockstepError;
  /** The packed encoding while the link carries it. */
  readonly packed: () => Packed | undefined;
  /** Whether to ask for packed rooms. */
  readonly asksPacked: () => boolean;
  /** How rooms elsewhere are to tell what happens. */
  readonly mode: Mode;
  /** This peer's name. */
  readonly self: () => PeerId | undefined;
  /** What a peer that is traced says of itself, in a room. */
  readonly traced: (peer: PeerId, notice: Notice) => void;
  /** Another peer orders it now. */
  readonly located: (instance: InstanceId, peer: PeerId) => void;
  readonly diverged: Upstream['diverged'];
  readonly keep: Keep | undefined;
}

/** A mirror, and where it may watch. */
interface Entry {
  readonly mirror: Mirror;
  readonly roads: Roads;
  /** Whom it asked before hello was answered. */
  asked: PeerId | undefined;
}

/**
 * Mirrors that ask before hello is answered, so few that what they ask of one peer is one frame: they cannot say yet which process of it they
 * mean, and must all mean the same.                                                                                      (SYNC-37, SYNC-38)
 */
const EARLY_MAX = 256;

export interface Watching {
  /** The author's machine object. */
  readonly definition: unknown;
  readonly isPatient: boolean;
  /** Peers to watch at rather than the authority. */
  readonly sources: readonly PeerId[];
  readonly view: string | undefined;
  readonly filter: Filter | undefined;
}

type WatchParams = Methods['watch']['params'];

/** How often in one go a mirror follows an instance to the next authority. */
const MOVES_MAX = 3;

export class Mirrors {
  readonly #options: MirrorsOptions;
  readonly #mirrors = new Map<InstanceId, Entry>();
  /** By the address of the room that they listen to. */
  readonly #rooms = new Map<string, Mirror>();
  /** Whether those who asked before hello was answered asked for packed rooms. */
  #isEarlyPacked = false;

  constructor(options: MirrorsOptions) {
    this.#options = options;
  }

  /** @throws LockstepError why there will be no mirror. */
  async watch(instance: InstanceId, { definition, isPatient, sources, view, filter }: Watching): Promise<Mirror> {
    let entry = this.#mirrors.get(instance);
    const { mirror: known } = entry ?? {};
    if (known && ((view !== undefined && known.view !== view) || JSON.stringify(known.filter) !== JSON.stringify(filter)))
      throw new LockstepError('BAD_PARAMS', `${instance} is watched here with another view or filter`);
    if (entry === undefined) {
      const roads = new Roads(sources, () => this.#options.address(instance));
      const upstream = this.#upstream(instance, roads, { definition, view, filter });
      const begun = (entry = { mirror: new Mirror(instance, upstream, { view, filter, isPatient }), roads, asked: undefined });
      this.#mirrors.set(instance, begun);
      if (upstream.keeping === undefined) this.#begin(begun);
      else {
        const machine = async (name: string, bytes: Uint8Array): Promise<Machine> => this.#machine(name, bytes, definition);
        void upstream.keeping.restore(begun.mirror, machine).then(() => this.#begin(begun));
      }
    }
    const { mirror } = entry;
    mirror.hold();
    await mirror.opened;
    return mirror;
  }

  #begin({ mirror, roads }: Entry): void {
    const source = this.#options.session(roads.address);
    // Without a link the peer resumes all mirrors when there is one; without an authority the answer is that there is none.
    if (!(source instanceof LockstepError) || source.code !== 'CLOSED') mirror.resume();
  }

  /** A link is there on which hello is not answered yet: asks where it was told before. @returns whether anything was asked. */
  resumeEarly(): boolean {
    this.#isEarlyPacked = this.#options.asksPacked();
    let count = 0;
    for (const entry of this.#mirrors.values()) {
      const { mirror, roads } = entry;
      const { address } = roads;
      const asks = count < EARLY_MAX && address !== undefined && address !== this.#options.self() && mirror.epoch > 0;
      entry.asked = asks ? address : undefined;
      if (!asks) continue;
      count++;
      mirror.resume();
    }
    return count > 0;
  }

  /** Hello is answered: asks for what was missed, unless that is under way. */
  opened(): void {
    const isAsAsked = this.#isEarlyPacked === this.#options.asksPacked();
    for (const entry of [...this.#mirrors.values()]) {
      const { mirror, roads, asked } = entry;
      entry.asked = undefined;
      const isAsked = isAsAsked && asked !== undefined && asked === roads.address;
      if (!isAsked && this.#isReachable(roads)) mirror.resume();
    }
  }

  /** A peer is back: asks for what was missed. */
  resume(peer: PeerId): void {
    for (const { mirror, roads } of [...this.#mirrors.values()]) if (roads.prefers(peer)) mirror.resume();
  }

  /** Another peer orders it now. */
  follow(instance: InstanceId): void {
    this.#mirrors.get(instance)?.mirror.resume();
  }

  /** The peer that the mirror of an instance hears. */
  source(instance: InstanceId): PeerId | undefined {
    return this.#mirrors.get(instance)?.roads.address;
  }

  /** The link is gone: only what is ordered right here goes on. */
  cutOff(): void {
    for (const { mirror, roads } of this.#mirrors.values()) if (!this.#isReachable(roads)) mirror.cutOff(false);
  }

  /** A peer has gone, and its rooms with it: whoever comes under its name may give their numbers to others.       (SYNC-42) */
  lost(peer: PeerId): void {
    for (const address of this.#rooms.keys()) if (peerOfRoom(address) === peer) this.#rooms.delete(address);
    for (const { mirror, roads } of this.#mirrors.values()) {
      if (roads.address !== peer) continue;
      roads.next();
      mirror.lostAuthority();
    }
  }

  /** What is said in a room. @param address of the room. */
  hear(address: string, message: Message | LockstepError): void {
    const mirror = this.#rooms.get(address);
    if (message instanceof LockstepError) return mirror?.missed();
    if (message.kind !== 'notice') return;
    const { method, params } = message;
    try {
      if (method === 'step') mirror?.stepped(readNotice('step', params));
      else if (method === 'trace') this.#options.traced(peerOfRoom(address), message);
      else if (method === 'present') this.#present(peerOfRoom(address), readNotice('present', params));
      else if (method === 'seen') mirror?.seen(readNotice('seen', params));
      else if (method === 'moved' && mirror !== undefined) {
        const notice = readNotice('moved', params);
        // A source that it has left already, for a better one, says nothing of the road that it is on.
        if (notice.reason !== 'offline' || this.source(mirror.id) === peerOfRoom(address)) mirror.moved(notice);
      }
    } catch (error) {
      this.#options.report('warn', `${peerOfRoom(address)} sent a ${method} that cannot be read`, error);
      mirror?.missed();
    }
  }

  #present(authority: PeerId, [instance, present]: Notifications['present']): void {
    const entry = this.#mirrors.get(instance);
    if (entry?.roads.address === authority) entry.mirror.present(present);
  }

  /** What an authority says of an event that a mirror sent to its room. */
  settled(authority: PeerId, params: unknown): void {
    const [room, n, answer] = readNotice('settled', params);
    this.#rooms.get(roomAddress(authority, room))?.settled(n, 'code' in answer ? refusalOf(answer) : answer);
  }

  /** Frames of this room were lost on the way. */
  missed(address: string): void {
    this.#rooms.get(address)?.missed();
  }

  close(error: LockstepError): void {
    for (const { mirror } of [...this.#mirrors.values()]) mirror.close(error);
  }

  /** What is ordered right here never becomes bytes. */
  #isPacked(roads: Roads): boolean {
    return this.#options.asksPacked() && roads.address !== this.#options.self();
  }

  /** What is ordered right here need not be run a second time. */
  #isBrief(roads: Roads): boolean {
    return this.#options.mode === 'brief' && roads.address !== this.#options.self();
  }

  #isReachable(roads: Roads): boolean {
    return !(this.#options.session(roads.address) instanceof LockstepError);
  }

  #upstream(instance: InstanceId, roads: Roads, { definition, view, filter }: Pick<Watching, 'definition' | 'view' | 'filter'>): Upstream {
    const { environment, machines, report, keep, core, sights } = this.#options;
    /** Where it listens. */
    let entered: { readonly source: PeerId; readonly room: number } | undefined;
    const listening = (): Session | LockstepError => this.#options.session(entered?.source ?? roads.address);
    const leave = (): void => {
      if (entered === undefined) return;
      const key = roomAddress(entered.source, entered.room);
      // After a restart of the authority another mirror may have got the number of the room that was ours.
      if (this.#rooms.get(key)?.id === instance) this.#rooms.delete(key);
      entered = undefined;
    };
    const unwatch = (source: PeerId, room: number): void => {
      roads.admitted.delete(source);
      const session = this.#options.session(source);
      if (!(session instanceof LockstepError)) session.request('unwatch', { room, instance }).catch(() => undefined); // It forgets us anyway when we go.
    };
    /** Who answered the newest question. */
    let heard: PeerId = '';
    /** Along the roads, each of them once, for as long as the answer is wanted. */
    const watch = (from: WatchFrom, { answered, isWanted }: WatchAsked, tries: number, moves = MOVES_MAX): void => {
      const { address } = roads;
      const source = this.#options.session(address);
      roads.asked = address;
      const told = (error: LockstepError | undefined, result?: WatchResult): void => {
        // Of the mirror that there is now, which may have come in the place of the one that asked.
        const current = this.#mirrors.get(instance)?.roads;
        if (result !== undefined && address !== undefined) {
          // Where it was asked again since, it stays: that question must not be overtaken.
          if (address === current?.asked) current.admitted.set(address, result.room);
          else unwatch(address, result.room);
        }
        if (!isWanted() || address !== current?.asked) return;
        if (error === undefined) heard = address ?? '';
        // Without a link no road leads anywhere.
        if (error === undefined || error.code === 'CLOSED') return answered(error, result);
        const onwards = (): void => {
          if (!isWanted()) return;
          roads.next();
          if (tries <= 1) answered(error);
          else watch(from, { answered, isWanted }, tries - 1, moves);
        };
        if (error.code !== 'FENCED' || moves === 0 || source instanceof LockstepError) return onwards();
        // It was ordered there, and who does now is known there.
        source.request('where', { instance }).then(({ peer }) => {
          if (!isWanted()) return;
          this.#options.located(instance, peer);
          watch(from, { answered, isWanted }, tries, moves - 1);
        }, onwards);
      };
      if (source instanceof LockstepError) return told(source);
      const params: { -readonly [Name in keyof WatchParams]: WatchParams[Name] } = { instance };
      if (this.#isPacked(roads)) params.encoding = 'packed';
      if (this.#isBrief(roads)) params.mode = 'brief';
      if (view !== undefined) params.view = view;
      if (filter !== undefined) params.filter = filter;
      if (from !== undefined) params.from = from;
      source.watch(params, told);
    };
    return {
      environment,
      report,
      core,
      sights,
      instances: () => machines.instances,
      keeping: keep?.(instance),
      watch: (from, question) => watch(from, question, roads.count),
      stalled: () => roads.next(),
      located: (peer) => this.#options.located(instance, peer),
      send: ({ n, event, expect }, { room, encoding, mode }, machine) => {
        const source = listening();
        if (source instanceof LockstepError) return source;
        const params: Methods['send']['params'] = expect === undefined ? [instance, n, event] : [instance, n, event, expect];
        const packed = encoding === 'packed' ? this.#options.packed() : undefined;
        const isPacked = packed !== undefined && machine !== undefined;
        const message = isPacked
          ? packed.packSend(params, { instance, machine })
          : mode === 'brief'
            ? encodeBriefSend(params)
            : encodeNotice('send', params);
        const isSent = isPacked ? source.post(message, room) : source.post(message);
        return isSent ? undefined : new LockstepError('TOO_LARGE', 'an event that does not fit a frame');
      },
      ask: async (method, params) => {
        const source = listening();
        if (source instanceof LockstepError) throw source;
        return source.request(method, params);
      },
      machine: (image, name) => {
        const bytes = machines.image(image);
        return bytes === undefined ? this.#fetch(listening(), image, { name, definition }) : this.#machine(name, bytes, definition);
      },
      entered: (room) => {
        const source = heard;
        leave();
        entered = { source, room };
        roads.admitted.set(source, room);
        for (const [other, left] of [...roads.admitted]) if (other !== source) unwatch(other, left);
        const entry = this.#mirrors.get(instance);
        if (entry !== undefined) this.#rooms.set(roomAddress(source, room), entry.mirror);
      },
      diverged: this.#options.diverged,
      ended: () => {
        leave();
        this.#mirrors.delete(instance);
        for (const [source, room] of [...roads.admitted]) unwatch(source, room);
      },
    };
  }

  async #fetch(
    source: Session | LockstepError,
    image: string,
    { name, definition }: { readonly name: string; readonly definition: unknown },
  ): Promise<Machine> {
    if (source instanceof LockstepError) throw source;
    return this.#machine(name, await imageFrom(source, image, this.#options.machines.hashBytes), definition);
  }

  /** What its image and its definition need may have to be brought in first. */
  #machine(name: string, bytes: Uint8Array, definition: unknown): Machine | Promise<Machine> {
    const { machines } = this.#options;
    const pinned = (): Machine => machines.pinned(name, bytes, definition);
    const prepared = machines.prepare(bytes, definition);
    return prepared === undefined ? pinned() : prepared.then(pinned);
  }
}
