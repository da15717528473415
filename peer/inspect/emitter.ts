// Tells the steps of authorities as messages of Stately's inspect protocol. It is fed as a trace is (images, states, steps, names of peers)
// and folds each instance along, because a message holds the whole snapshot and a step only what it changed. Peers are told as actors
// too: they are who sent the events.

import { LockstepError } from '../../core/errors.ts';
import { InstanceCopy } from '../../core/copy.ts';
import type { EventObject, Json } from '../../core/json.ts';
import type { Machine } from '../../core/machine.ts';
import { definitionOf } from '../../core/outline.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import type { Step } from '../../core/step.ts';
import { decodeBase64 } from '../base64.ts';
import type { ImageDescription, InstanceDescription, PeerId, PeerInfo, Traced, TraceRecord } from '../wire.ts';
import { INSPECT_VERSION, type InspectMessage, type InspectSnapshot, type OwnFields } from './protocol.ts';

/** Anything that takes messages: a socket's send, an array's push, postMessage. */
export type InspectSink = (message: InspectMessage) => void;

/** Instances folded along; the one first told goes, and is told anew when its state is described. */
const INSTANCE_MAX = 5_000;
/** Steps of one instance that wait for its image, or for a state to continue. */
const WAITING_MAX = 2_048;

/** What a snapshot that no event led to says: the copy was brought up to date. */
export const SYNC_EVENT: EventObject = Object.freeze({ type: 'lockstep.sync' });

export interface EmitterOptions {
  readonly send: InspectSink;
  /** @throws LockstepError BAD_IMAGE */
  readonly load: (bytes: Uint8Array) => Machine;
  /** ms since the epoch. */
  readonly now: () => number;
}

interface Told {
  readonly instance: InstanceCopy;
  readonly peer: PeerId;
  epoch: number;
}

export class InspectEmitter {
  readonly #options: EmitterOptions;
  readonly #machines = new Map<string, Machine>();
  readonly #told = new Map<string, Told>();
  readonly #waiting = new Map<string, { state: InstanceDescription | undefined; records: TraceRecord[] }>();
  readonly #names = new Map<PeerId, string>();
  readonly #toldPeers = new Set<PeerId>();

  constructor(options: EmitterOptions) {
    this.#options = options;
  }

  // ── Feeding, as a trace model is fed ───────────────────────────────────────────────────────────────────────────

  /** @returns false for what it knew, or has no use for. */
  add(record: Traced): boolean {
    if (record.kind !== 'step') return false;
    const { instance, epoch, seq } = record.step;
    const told = this.#told.get(instance);
    if (told !== undefined && told.epoch === epoch && seq <= told.instance.seq) return false;
    const machine = this.#machines.get(record.image);
    if (machine !== undefined && seq === 1) this.#begin(record, machine);
    else if (machine !== undefined && told?.epoch === epoch && seq === told.instance.seq + 1) this.#advance(told, record);
    else this.#wait(record);
    return true;
  }

  /** @throws LockstepError BAD_IMAGE when the bytes are not the image of that hash. */
  addImage({ image, bytes }: ImageDescription): void {
    const decoded = decodeBase64(bytes);
    const machine = decoded === undefined ? undefined : this.#options.load(decoded);
    if (machine?.hash !== image) throw new LockstepError('BAD_IMAGE', `asked for image ${image}, found ${machine?.hash ?? 'no base64'}`);
    this.addMachine(machine);
  }

  addMachine(machine: Machine): void {
    if (this.#machines.has(machine.hash)) return;
    this.#machines.set(machine.hash, machine);
    for (const instance of [...this.#waiting.keys()]) this.#retry(instance);
  }

  hasImage(image: string): boolean {
    return this.#machines.has(image);
  }

  /** What an instance is now: told as it stands, unless it was already. */
  addState(state: InstanceDescription): void {
    const told = this.#told.get(state.instance);
    if (told !== undefined && told.epoch === state.epoch && state.seq <= told.instance.seq) return;
    this.#waitingOf(state.instance).state = state;
    this.#retry(state.instance);
  }

  addPeer({ peer, name }: PeerInfo): void {
    this.#names.set(peer, name);
  }

  /** Whether the step can be told, or was. */
  isRooted({ instance, epoch, seq }: Pick<Step, 'instance' | 'epoch' | 'seq'>): boolean {
    const told = this.#told.get(instance);
    return seq === 1 || (told?.epoch === epoch && seq <= told.instance.seq + 1);
  }

  /** What plain XState programs told is not told again. */
  hasGapBefore(): boolean {
    return false;
  }

  close(): void {
    for (const { instance } of this.#told.values()) instance.dispose();
    this.#told.clear();
    this.#waiting.clear();
  }

  // ── Telling ────────────────────────────────────────────────────────────────────────────────────────────────────

  #begin(record: TraceRecord, machine: Machine): void {
    const { step } = record;
    const told = this.#open(step.instance, record.peer, machine, step.epoch);
    told.instance.apply(step);
    this.#introduce(told, record.machine, step.instance);
    this.#tell(told, record);
    this.#retry(step.instance);
  }

  #advance(told: Told, record: TraceRecord): void {
    told.instance.apply(record.step);
    this.#tell(told, record);
    this.#retry(record.step.instance);
  }

  /** The event, then what it led to. */
  #tell({ instance }: Told, { peer, step }: TraceRecord): void {
    const { cause, seq, epoch, at, digest } = step;
    const sourceId = cause.event.type === 'xstate.init' ? undefined : cause.n === 0 ? step.instance : this.#peerActor(cause.peer);
    const own = { instance: step.instance, epoch, seq, peer, at, ...(digest === undefined ? {} : { digest }) };
    const base = this.#base(step.instance, peer, own);
    const { event } = cause;
    this.#options.send({ type: '@xstate.event', ...base, event, ...(sourceId === undefined ? {} : { sourceId }) });
    this.#options.send({ type: '@xstate.snapshot', ...base, event, snapshot: inspectSnapshot(instance.snapshot()) });
  }

  #introduce({ instance, peer, epoch }: Told, name: string, id: string): void {
    const rootId = this.#peerActor(peer);
    this.#options.send({
      type: '@xstate.actor',
      ...this.#base(id, peer, { instance: id, epoch, seq: instance.seq, peer }),
      name,
      parentId: rootId,
      definition: JSON.stringify(definitionOf(instance.machine)),
      snapshot: inspectSnapshot(instance.snapshot()),
    });
  }

  /** @returns the session id of a peer, which is told first when it is new. */
  #peerActor(peer: PeerId): string {
    const sessionId = peerSession(peer);
    if (this.#toldPeers.has(peer)) return sessionId;
    this.#toldPeers.add(peer);
    const name = this.#names.get(peer) ?? peer;
    this.#options.send({
      type: '@xstate.actor',
      ...this.#base(sessionId, peer, { peer }),
      name,
      definition: JSON.stringify({ id: name }),
      snapshot: { status: 'active' },
    });
    return sessionId;
  }

  #base(sessionId: string, peer: PeerId, own: OwnFields) {
    return inspectBase({ sessionId, rootId: peerSession(peer), now: this.#options.now(), own });
  }

  // ── Folding ────────────────────────────────────────────────────────────────────────────────────────────────────

  #open(id: string, peer: PeerId, machine: Machine, epoch: number): Told {
    this.#told.get(id)?.instance.dispose();
    this.#told.delete(id);
    const [oldest] = this.#told.keys();
    if (this.#told.size >= INSTANCE_MAX && oldest !== undefined) {
      this.#told.get(oldest)?.instance.dispose();
      this.#told.delete(oldest);
    }
    const told: Told = { instance: InstanceCopy.create(machine), peer, epoch };
    this.#told.set(id, told);
    return told;
  }

  #waitingOf(instance: string) {
    let waiting = this.#waiting.get(instance);
    if (waiting === undefined) this.#waiting.set(instance, (waiting = { state: undefined, records: [] }));
    return waiting;
  }

  #wait(record: TraceRecord): void {
    const { records } = this.#waitingOf(record.step.instance);
    if (records.length < WAITING_MAX) records.push(record);
  }

  /** Something came that the waiting may have waited for. */
  #retry(id: string): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    const { state, records } = waiting;
    const next = this.#next(id, records);
    if (next !== undefined) {
      waiting.records = records.filter((record) => record !== next);
      this.add(next);
      return;
    }
    const machine = state === undefined ? undefined : this.#machines.get(state.image);
    if (state !== undefined && machine !== undefined) this.#load(id, state, machine);
    if (waiting.records.length === 0 && waiting.state === undefined) this.#waiting.delete(id);
  }

  /** The step to tell now: the first of its instance, or the one that follows. */
  #next(id: string, records: readonly TraceRecord[]): TraceRecord | undefined {
    const told = this.#told.get(id);
    return records.find(({ image, step: { epoch, seq } }) => {
      if (!this.#machines.has(image)) return false;
      return told === undefined ? seq === 1 : told.epoch === epoch && seq === told.instance.seq + 1;
    });
  }

  #load(id: string, state: InstanceDescription, machine: Machine): void {
    const waiting = this.#waitingOf(id);
    waiting.state = undefined;
    const told = this.#told.get(id);
    if (told !== undefined && told.epoch === state.epoch && state.seq <= told.instance.seq) return;
    const peer = id.includes('/') ? id.slice(0, id.indexOf('/')) : 'server';
    const opened = this.#open(id, peer, machine, state.epoch);
    opened.instance.load(state.state, state.seq);
    waiting.records = waiting.records.filter(
      ({ step }) => step.epoch > state.epoch || (step.epoch === state.epoch && step.seq > state.seq),
    );
    this.#introduce(opened, state.machine, id);
    const own = { instance: id, epoch: state.epoch, seq: state.seq, peer, digest: state.digest };
    const snapshot = inspectSnapshot(opened.instance.snapshot());
    this.#options.send({ type: '@xstate.snapshot', ...this.#base(id, peer, own), event: SYNC_EVENT, snapshot });
    this.#retry(id);
  }
}

/** No instance is named like it. */
function peerSession(peer: PeerId): string {
  return `#${peer}`;
}

export function inspectBase(options: {
  readonly sessionId: string;
  readonly rootId: string;
  readonly now: number;
  readonly own: OwnFields;
}) {
  const { sessionId, rootId, now, own } = options;
  return { _version: INSPECT_VERSION, createdAt: String(now), id: null, rootId, sessionId, ...own };
}

/** In the shape of XState's snapshots as JSON. */
export function inspectSnapshot({ status, value, context, output, error, tags }: Snapshot<unknown, never>): InspectSnapshot {
  return {
    status,
    value: value as Json,
    context: context as Json,
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
    tags: [...tags],
    children: {},
    historyValue: {},
  };
}
