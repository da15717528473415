// Everything a tool knows of what happened: the steps of all peers in one order, the machines they ran, and from these any instance as it was
// at any step, what the step changed, and why. Records may arrive in any order and twice. No DOM and no network: the viewer feeds it.
// Memory is bounded: the oldest steps go first, and what came of them stays as the state that later ones are folded from.

import { assert, LockstepError } from '../../core/errors.ts';
import { Machine } from '../../core/machine.ts';
import type { Operation } from '../../core/patch.ts';
import type { Core } from '../../core/wasm.ts';
import { decodeBase64, encodeBase64 } from '../../peer/base64.ts';
import type { InspectRecord } from '../../peer/inspect/protocol.ts';
import { readInspectMessage } from '../../peer/inspect/read.ts';
import type { DivergenceRecord, ImageDescription, ImpurityRecord, InstanceDescription, PeerInfo, Traced } from '../../peer/wire.ts';
import { Chart, type ChartShape } from './chart.ts';
import { createEntry, type Entry, type ToldActor } from './entry.ts';
import { explain, type Microstep } from './explain.ts';
import { History, type Moment } from './history.ts';
import { formatLines, parseLines, type TraceLine } from './lines.ts';
import { DELAYED_FIRST } from '../../core/step.ts';
import { originOf, type Origin } from './origin.ts';
import { momentsOf } from './program.ts';
import { Programs } from './programs.ts';
import { Timeline } from './timeline.ts';

/** What is kept. Half a minute of 1,000 steps a second, or a long day of a person's clicks; about 150 MB in a browser at the most. */
export const TRACE_LIMITS = {
  stepMax: 30_000,
  /** Characters of the kept steps as JSON. */
  sizeMax: 50_000_000,
  divergenceMax: 500,
  /** Instances that are remembered, those with kept steps and those of which only a state is left. */
  instanceMax: 5_000,
  imageMax: 500,
} as const;
export type TraceLimits = { readonly [K in keyof typeof TRACE_LIMITS]: number };
/** When a limit is reached, this part of the steps goes at once, so that going is rare. */
const DROPPED_PART = 0.1;

/** A step and all around it. */
export interface View {
  readonly entry: Entry;
  readonly chart: ChartShape;
  /** Undefined before step 1, and where what came before is not in this trace. */
  readonly before: Moment | undefined;
  readonly after: Moment;
  /** [state, clock before, clock after] of every state whose clock moved. */
  readonly clocks: readonly (readonly [state: number, before: number, after: number])[];
  readonly patch: readonly Operation[];
  readonly origin: Origin;
}

interface Image {
  readonly description: ImageDescription;
  readonly machine: Machine;
  readonly chart: Chart;
}

export class TraceModel {
  readonly #core: Core;
  readonly #limits: TraceLimits;
  readonly #histories = new Map<string, History>();
  readonly #entries = new Map<string, Entry>();
  readonly #images = new Map<string, Image>();
  readonly #peers = new Map<string, PeerInfo>();
  readonly #programs = new Programs();
  /** The author's functions that peers found to depend on more than their arguments. */
  readonly impurities: ImpurityRecord[] = [];
  readonly #divergences: DivergenceRecord[] = [];
  readonly #timeline = new Timeline((entry) => (entry.told === undefined ? this.#history(entry).before(entry) : entry.told.previous));
  #size = 0;
  #version = 0;

  constructor(core: Core, limits: TraceLimits = TRACE_LIMITS) {
    this.#core = core;
    this.#limits = limits;
  }

  /** Rises with every change. */
  get version(): number {
    return this.#version;
  }

  // ── Taking in ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes a record in. @returns false when it was known already. @throws LockstepError BAD_PARAMS for a program's message that is none. */
  add(record: Traced): boolean {
    if (record.kind === 'divergence') return this.#addDivergence(record);
    if (record.kind === 'impurity') return this.impurities.length < this.#limits.divergenceMax && this.impurities.push(record) > 0;
    if (record.kind === 'inspect') return this.#addTold(record);
    const entry = createEntry(record);
    if (this.#entries.has(entry.id)) return false;
    const history = this.#historyOf(record.step.instance);
    const successor = history.insert(entry);
    assert(successor !== null, 'an entry that is in no table is in no history');
    this.#entries.set(entry.id, entry);
    this.#timeline.add(entry, successor);
    this.#size += entry.size;
    this.#version++;
    if (this.#entries.size > this.#limits.stepMax || this.#size > this.#limits.sizeMax) this.#shrink();
    return true;
  }

  /**
   * Takes an image in, so that steps that ran it can be understood.
   * @throws LockstepError BAD_IMAGE when the bytes are not the image of that hash, TOO_MANY above `imageMax`.
   */
  addImage(description: ImageDescription): void {
    if (this.#images.has(description.image)) return;
    if (this.#images.size >= this.#limits.imageMax)
      throw new LockstepError('TOO_MANY', `a trace holds at most ${this.#limits.imageMax} images`);
    const bytes = decodeBase64(description.bytes);
    if (bytes === undefined) throw new LockstepError('BAD_IMAGE', `image ${description.image}: expected base64`);
    const machine = Machine.load(this.#core, bytes);
    if (machine.hash !== description.image)
      throw new LockstepError('BAD_IMAGE', `asked for image ${description.image}, found ${machine.hash}`);
    this.#images.set(machine.hash, { description: { image: machine.hash, bytes: encodeBase64(bytes) }, machine, chart: new Chart(bytes) });
    this.#version++;
  }

  /** Takes in what an instance is now: steps that follow are folded from here, where the beginning is not known. */
  addState(description: InstanceDescription): void {
    const { instance, epoch, seq, image, state } = description;
    this.#historyOf(instance).save({ epoch, seq, image, state });
    this.#version++;
  }

  addPeer(peer: PeerInfo): void {
    this.#peers.set(peer.peer, peer);
    this.#version++;
  }

  // ── Asking ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** All steps in order; causes before what they caused. The same array until something changes. */
  get timeline(): readonly Entry[] {
    return this.#timeline.entries();
  }

  get divergences(): readonly DivergenceRecord[] {
    return this.#divergences;
  }

  /** Names of all instances that have steps here, in the order they were first seen. */
  get instances(): readonly string[] {
    return [...this.#histories.values(), ...this.#programs.actors]
      .filter(({ entries }) => entries.length > 0)
      .map(({ instance }) => instance);
  }

  hasImage(image: string): boolean {
    return this.#images.has(image);
  }

  /** Whether there is a chart for it, and its snapshot has come if a program is to tell it. */
  isDrawable({ record, told }: Entry): boolean {
    return told === undefined ? this.#images.has(record.image) : told.after !== undefined;
  }

  peerName(peer: string): string {
    return this.#peers.get(peer)?.name || this.#programs.nameOf(peer) || peer;
  }

  /** The actor of a plain XState program that this lane is of. */
  actor(instance: string): ToldActor | undefined {
    return this.#programs.actor(instance);
  }

  /** Whether messages of this program are missing that were sent before this one. */
  hasGapBefore(record: InspectRecord): boolean {
    return this.#programs.hasGapBefore(record);
  }

  /** By `instance@epoch#seq`. */
  find(id: string): Entry | undefined {
    this.#timeline.entries();
    return this.#entries.get(id);
  }

  /** The known steps of one instance, in order. */
  steps(instance: string): readonly Entry[] {
    return (this.#histories.get(instance) ?? this.#programs.actor(instance))?.entries ?? [];
  }

  /** The step before or after it in the same instance, if it is known. */
  neighbour(entry: Entry, direction: -1 | 1): Entry | undefined {
    if (entry.told !== undefined) {
      const { entries } = entry.told.actor;
      return entries[entries.indexOf(entry) + direction];
    }
    const history = this.#history(entry);
    return direction < 0 ? history.before(entry) : history.after(entry);
  }

  /** Whether what a step continues is known: the one before it, or a state to fold it onto. */
  isRooted({ instance, epoch, seq }: { readonly instance: string; readonly epoch: number; readonly seq: number }): boolean {
    return seq === 1 || this.#histories.get(instance)?.isRooted(epoch, seq) === true;
  }

  /** Which event led to the step, and which step to the event. Needs no image but for timers. */
  origin(entry: Entry): Origin {
    this.#timeline.entries();
    return originOf(entry, () => this.#timer(entry));
  }

  /**
   * The step with the instance before and after it.
   * @throws LockstepError UNKNOWN_IMAGE, STALE_SEQ when steps on the way are missing.
   */
  view(entry: Entry): View {
    const { chart, before, after } =
      entry.told === undefined ? this.#folded(entry) : { chart: entry.told.actor.chart, ...momentsOf(entry) };
    const { clocks: ticks, patch } = entry.record.step;
    const clocks: (readonly [number, number, number])[] = [];
    for (let i = 0; i < ticks.length; i += 2) {
      const now = after.state.clocks[ticks[i]!] ?? 0;
      clocks.push([ticks[i]!, now - ticks[i + 1]!, now]);
    }
    return { entry, chart, before, after, clocks, patch, origin: this.origin(entry) };
  }

  #folded(entry: Entry): Pick<View, 'chart' | 'before' | 'after'> {
    const { chart } = this.#image(entry.record.image);
    const history = this.#history(entry);
    const after = history.stateAfter(entry, this.#machineOf);
    const isFoldable = history.isFoldable(entry, (image) => this.#images.has(image));
    return { chart, after, before: isFoldable ? history.stateBefore(entry, this.#machineOf) : undefined };
  }

  /** Why the step did what it did, microstep by microstep; none where a program told what only. @throws LockstepError as `view` does, BAD_PARAMS when the record does not fit. */
  explain(entry: Entry): readonly Microstep[] {
    if (entry.told !== undefined) return [];
    const { machine, chart } = this.#image(entry.record.image);
    const before = this.#history(entry).stateBefore(entry, this.#machineOf);
    return explain(chart, machine, before?.state, entry.record.step);
  }

  // ── Files ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Everything here as JSON lines; see lines.ts. */
  export(): string {
    return formatLines(this.#lines());
  }

  *#lines(): Iterable<TraceLine> {
    for (const peer of this.#peers.values()) yield { kind: 'peer', peer };
    for (const { description } of this.#images.values()) yield { kind: 'image', image: description };
    for (const history of this.#histories.values()) {
      const base = history.describeBase(this.#images);
      if (base !== undefined) yield { kind: 'state', state: base };
    }
    for (const { record, told } of this.timeline) if (told === undefined) yield record;
    yield* this.#programs.records();
    yield* this.#divergences;
    yield* this.impurities;
  }

  /**
   * Takes in a file that `export` made.
   * @returns how many steps and messages were new.
   * @throws LockstepError BAD_VERSION, MALFORMED, BAD_IMAGE, TOO_MANY: no step was taken in then.
   */
  import(text: string): number {
    const lines = parseLines(text);
    for (const line of lines) if (line.kind === 'image') this.addImage(line.image);
    let count = 0;
    for (const line of lines) {
      if (line.kind === 'peer') {
        if (!this.#peers.has(line.peer.peer)) this.addPeer(line.peer);
      } else if (line.kind === 'state') this.addState(line.state);
      else if (line.kind !== 'image' && this.add(line) && line.kind !== 'divergence' && line.kind !== 'impurity') count++;
    }
    return count;
  }

  clear(): void {
    for (const entry of this.#timeline.dropFirst(this.#entries.size)) this.#entries.delete(entry.id);
    this.#histories.clear();
    this.#programs.clear();
    this.#divergences.length = 0;
    this.impurities.length = 0;
    this.#size = 0;
    this.#version++;
  }

  // ── Inside ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #addDivergence(record: DivergenceRecord): boolean {
    const known = this.#divergences.some(
      ({ peer, instance, seq, ours }) => peer === record.peer && instance === record.instance && seq === record.seq && ours === record.ours,
    );
    if (known) return false;
    this.#divergences.push(record);
    if (this.#divergences.length > this.#limits.divergenceMax) this.#divergences.shift();
    this.#version++;
    return true;
  }

  #addTold(record: InspectRecord): boolean {
    const message = readInspectMessage(record.message);
    const change = message === undefined ? undefined : this.#programs.take({ ...record, message });
    if (change === undefined) return false;
    const { removed, added, grown } = change;
    this.#timeline.remove(new Set(removed));
    for (const { id, size } of removed) {
      this.#entries.delete(id);
      this.#size -= size;
    }
    for (const entry of added) {
      this.#entries.set(entry.id, entry);
      this.#timeline.add(entry, undefined);
      this.#size += entry.size;
    }
    this.#size += grown;
    this.#version++;
    if (this.#entries.size > this.#limits.stepMax || this.#size > this.#limits.sizeMax) this.#shrink();
    return true;
  }

  /** Drops the oldest steps until a tenth of the room is free again. */
  #shrink(): void {
    const { timeline } = this;
    const countMax = this.#limits.stepMax * (1 - DROPPED_PART);
    const sizeMax = this.#limits.sizeMax * (1 - DROPPED_PART);
    let count = 0;
    let size = this.#size;
    while (count < timeline.length - 1 && (timeline.length - count > countMax || size > sizeMax)) size -= timeline[count++]!.size;
    const dropped = new Map<History, Entry[]>();
    this.#programs.drop(timeline.slice(0, count).filter(({ told }) => told !== undefined));
    for (const entry of timeline.slice(0, count)) {
      if (entry.told !== undefined) continue;
      const history = this.#history(entry);
      const entries = dropped.get(history);
      if (entries === undefined) dropped.set(history, [entry]);
      else entries.push(entry);
    }
    for (const [history, entries] of dropped) this.#dropFrom(history, entries);
    for (const entry of this.#timeline.dropFirst(count)) this.#entries.delete(entry.id);
    this.#size = size;
  }

  /** The timeline keeps the order within an instance, so what goes is a beginning; its outcome stays as a state. */
  #dropFrom(history: History, entries: readonly Entry[]): void {
    history.dropFirst(entries.length, this.#machineOf);
  }

  /** The timer that sent the event: one of the image's by its event, a delayed event by the timer that ended with the step. */
  #timer(entry: Entry): { readonly step: Entry | undefined } | undefined {
    const { record } = entry;
    const ofImage = this.#images.get(record.image)?.machine.timerNumber(record.step.cause.event.type);
    const timer = ofImage ?? record.step.timers.find(({ timer: number, due }) => due === null && number >= DELAYED_FIRST)?.timer;
    return timer === undefined ? undefined : { step: this.#timerStart(entry, timer) };
  }

  #timerStart(entry: Entry, timer: number): Entry | undefined {
    const history = this.#history(entry);
    for (let at = history.before(entry); at !== undefined; at = history.before(at)) {
      if (at.record.step.timers.some((change) => change.timer === timer && change.due !== null)) return at;
    }
    return undefined;
  }

  #image(hash: string): Image {
    const image = this.#images.get(hash);
    if (image === undefined) throw new LockstepError('UNKNOWN_IMAGE', `image ${hash} is not in this trace`);
    return image;
  }

  readonly #machineOf = (image: string): Machine => this.#image(image).machine;

  #history(entry: Entry): History {
    const history = this.#histories.get(entry.record.step.instance);
    assert(history !== undefined, 'an entry has a history');
    return history;
  }

  #historyOf(instance: string): History {
    let history = this.#histories.get(instance);
    if (history !== undefined) return history;
    if (this.#histories.size >= this.#limits.instanceMax) this.#forgetInstance();
    this.#histories.set(instance, (history = new History(instance)));
    return history;
  }

  /** The one longest known of those that no kept step belongs to. */
  #forgetInstance(): void {
    for (const [instance, { entries }] of this.#histories) {
      if (entries.length > 0) continue;
      this.#histories.delete(instance);
      return;
    }
  }
}
