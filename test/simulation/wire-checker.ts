// Reads the frames at the peers' ends of their sockets: steps of a room go on from the answer to `watch` without a gap, and nobody is told
// of a step before it is durable. Imports nothing of the product.

import type { ReadFrame } from './frames.ts';
import { Memberships } from './memberships.ts';

/** One socket, as long as it lives. */
export interface Wire {
  readonly owner: string;
  /** Whether frames of rooms may be missing on it. */
  readonly isExcused: boolean;
}

export interface WireFindings {
  fail(sentence: string): void;
  told(instance: string, epoch: number, seq: number): void;
}

/** Tells the lines of a shared socket apart: each is a wire of its own, and what is said about lines is nobody's. */
export class Lines {
  readonly #lines = new WeakMap<Wire, Map<string, Wire>>();

  /** @returns undefined for a frame about the socket itself. */
  of(socket: Wire, { line }: ReadFrame): Wire | undefined {
    if (line === undefined) return socket;
    if (line === '') return undefined;
    const lines = this.#lines.get(socket) ?? new Map<string, Wire>();
    this.#lines.set(socket, lines);
    const wire = lines.get(line) ?? new Line(socket, line);
    lines.set(line, wire);
    return wire;
  }
}

class Line implements Wire {
  readonly #socket: Wire;
  readonly owner: string;

  constructor(socket: Wire, line: string) {
    this.#socket = socket;
    this.owner = `${socket.owner}, line ${line}`;
  }

  get isExcused(): boolean {
    return this.#socket.isExcused;
  }
}

interface Listening {
  readonly instance: string;
  readonly epoch: number;
  seq: number;
}

interface Watched {
  readonly room: number;
  readonly epoch: number;
  readonly steps?: readonly (readonly [seq: number])[];
  /** One difference in the place of all steps. */
  readonly merged?: readonly [seq: number];
  readonly snapshot?: { readonly seq: number };
}

interface Asked {
  readonly instance: string;
  readonly from?: { readonly seq: number };
}

export class WireChecker {
  readonly #findings: WireFindings;
  /** Of each socket: questions that are open, and rooms that it listens to. */
  readonly #asked = new WeakMap<Wire, Map<string, Asked>>();
  readonly #rooms = new WeakMap<Wire, Map<string, Listening>>();
  readonly #names = new WeakMap<Wire, string>();
  readonly memberships = new Memberships();

  constructor(findings: WireFindings) {
    this.#findings = findings;
  }

  said(wire: Wire, { address, messages }: ReadFrame): void {
    const asked = this.#asked.get(wire) ?? new Map<string, Asked>();
    this.#asked.set(wire, asked);
    for (const { id, method, params } of messages) {
      if (address === '') this.memberships.said(this.nameOf(wire), { ...(method === undefined ? {} : { method }), params });
      if (method === 'hello') this.#names.set(wire, (params as { readonly secret: string }).secret);
      // Numbers of questions begin again with each session.
      if (method === 'watch') asked.set(`${address} ${String(id)}`, params as Asked);
      else if (method !== undefined) asked.delete(`${address} ${String(id)}`);
    }
  }

  /** Who is at the near end of a wire: of a line only its own hello says so. */
  nameOf(wire: Wire): string {
    return this.#names.get(wire) ?? wire.owner;
  }

  heard(wire: Wire, { address, messages }: ReadFrame): void {
    for (const message of messages) {
      if (message.method === 'step' && address.startsWith('#')) this.#step(wire, address.slice(1), message.params as StepParams);
      if (message.method === 'moved') this.#moved(wire, address, message.params as MovedParams);
      // What was missed may have said that a room speaks of another history: whoever hears that asks again.
      if (message.method === 'lagging')
        for (const room of message.params as readonly string[]) this.#rooms.get(wire)?.delete(room.slice(1));
      const question = this.#asked.get(wire)?.get(`${address} ${String(message.id)}`);
      if (question !== undefined && (message.result as Partial<Watched> | undefined)?.room !== undefined)
        this.#watched(wire, address, question, message.result as Watched);
    }
  }

  #watched(wire: Wire, authority: string, { instance, from }: Asked, { room, epoch, steps, merged, snapshot }: Watched): void {
    const seq = snapshot?.seq ?? merged?.[0] ?? steps?.at(-1)?.[0] ?? from?.seq ?? 0;
    this.#findings.told(instance, epoch, seq);
    if (from !== undefined && steps?.[0] !== undefined && steps[0][0] !== from.seq + 1)
      this.#findings.fail(`${wire.owner} asked for ${instance} from ${from.seq} and got steps from ${steps[0][0]}`);
    const rooms = this.#rooms.get(wire) ?? new Map<string, Listening>();
    this.#rooms.set(wire, rooms);
    const key = `${authority}/${room}`;
    const before = rooms.get(key);
    const isSame = before !== undefined && before.epoch === epoch && before.instance === instance;
    rooms.set(key, { instance, epoch, seq: isSame ? Math.max(seq, before.seq) : seq });
  }

  /** A room that speaks of another history from now on, or not at all, is not listened to: whoever hears that asks again. */
  #moved(wire: Wire, address: string, { room, reason }: MovedParams): void {
    const authority = address.startsWith('#') ? address.slice(1) : `${address}/${room}`;
    if (reason !== 'room') this.#rooms.get(wire)?.delete(authority);
  }

  #step(wire: Wire, address: string, [, steps]: StepParams): void {
    const listening = this.#rooms.get(wire)?.get(address);
    if (listening === undefined) return;
    for (const [seq] of steps) {
      this.#findings.told(listening.instance, listening.epoch, seq);
      if (seq > listening.seq + 1 && !wire.isExcused)
        this.#findings.fail(`${wire.owner} heard step ${seq} of ${listening.instance} after ${listening.seq}, and nothing was lost`);
      listening.seq = Math.max(listening.seq, seq);
    }
  }
}

interface MovedParams {
  readonly room: number;
  readonly reason: string;
}

type StepParams = readonly [room: number, steps: readonly (readonly [seq: number])[]];
