// What the disks of a simulated world kept of each instance, as a tree of histories: every authority begins one, from nothing or from a step of
// another one, and is the only one that goes on with it. Checks that they are gapless, that the model agrees with each step, and that of those
// that were handed over, none is gone on with before or after its time. Imports nothing of the product.

import { type ModelEvent, modelOf, type ModelState, TIMED } from './model.ts';

/** A step as a disk keeps it: what the checkers look at. */
export interface KeptStep {
  readonly instance: string;
  readonly epoch: number;
  readonly seq: number;
  readonly at: number;
  readonly cause: {
    readonly peer: string;
    readonly n: number;
    /** Of the first record of a history that goes on from another one: from which, and who handed it over. */
    readonly event: { readonly type: string; readonly epoch?: number; readonly giver?: string };
  };
  readonly ignored?: true;
}

export type KeptEntry =
  | { readonly kind: 'create'; readonly step: KeptStep }
  | { readonly kind: 'step'; readonly step: KeptStep }
  | { readonly kind: 'delete'; readonly instance: string }
  | { readonly kind: 'moved'; readonly moved: { readonly instance: string; readonly peer: string; readonly epoch: number } }
  | {
      readonly kind: 'checkpoint';
      readonly checkpoint: { readonly instance: string; readonly epoch: number; readonly giver?: string | undefined };
    }
  | { readonly kind: 'image' | 'machine' };

/** One history of an instance: what is before `since` was taken over from another one. */
export interface History {
  readonly epoch: number;
  /** Whose disk has it. */
  readonly owner: string;
  readonly since: number;
  readonly before: History | undefined;
  readonly giver: string | undefined;
  readonly steps: KeptStep[];
  /** After each step. */
  readonly states: ModelState[];
  /** Where each event stands, by its id. */
  readonly places: Map<string, number>;
  /** Of its own part, by what the effect of a step is known by: in which life of the owner it became durable, when an effect belongs to it. */
  readonly ringing: Map<number | string, number>;
  readonly rung: Set<number | string>;
  /** Its owner went on with it by its own decision: effects of steps before it may have been lost with the one who ordered it. */
  isTaken: boolean;
  /** It was handed over and its owner has not been told; its owner goes on with it; it is over. */
  state: 'doubtful' | 'live' | 'over';
}

export interface Findings {
  fail(sentence: string): void;
  /** Two peers took an instance over in one epoch, which one take-over in a thousand does that is not alone: no epoch names a history any more. */
  tied(): void;
  /** A step has become durable. */
  placed(history: History, step: KeptStep, id: string): void;
}

export class Histories {
  readonly #findings: Findings;
  readonly #histories = new Map<string, History[]>();
  /** How many processes of a name there have been. */
  readonly #lives = new Map<string, number>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  // ── Reading ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Those that somebody goes on with, or did, the oldest epoch first. */
  of(instance: string): readonly History[] {
    return (this.#histories.get(instance) ?? []).filter(({ state }) => state !== 'doubtful');
  }

  newest(instance: string): History | undefined {
    return this.of(instance).at(-1);
  }

  at(instance: string, epoch: number): History | undefined {
    return this.of(instance).findLast((history) => history.epoch === epoch);
  }

  instances(): Iterable<string> {
    return this.#histories.keys();
  }

  /** How many processes of this name there have been. */
  life(owner: string): number {
    return this.#lives.get(owner) ?? 0;
  }

  // ── Processes ──────────────────────────────────────────────────────────────────────────────────────────────────

  started(owner: string): void {
    this.#lives.set(owner, this.life(owner) + 1);
  }

  /** Somebody decides that it goes on with what it has, whatever the one who handed it over says: it does when its disk says so. */
  decides(owner: string, instance: string): void {
    for (const history of this.#histories.get(instance) ?? [])
      if (history.owner === owner && history.state === 'doubtful') history.isTaken = true;
  }

  /** Steps of an owner that a later history does not have. */
  lost(mine: History, other: History): readonly number[] {
    const parted = mine.steps.findIndex((step, i) => other.steps[i] !== step);
    return mine.steps.slice(Math.max(mine.since, parted < 0 ? mine.steps.length : parted)).map(({ seq }) => seq);
  }

  // ── Disks ──────────────────────────────────────────────────────────────────────────────────────────────────────

  durable(owner: string, entries: readonly KeptEntry[]): void {
    for (const entry of entries) {
      if (entry.kind === 'create' && entry.step.cause.event.epoch !== undefined) this.#goOn(owner, entry.step);
      else if (entry.kind === 'create') this.#create(owner, entry.step);
      else if (entry.kind === 'step') this.#step(owner, entry.step);
      else if (entry.kind === 'moved') this.#moved(owner, entry.moved);
      else if (entry.kind === 'delete') this.#forget(owner, entry.instance);
      else if (entry.kind === 'checkpoint' && entry.checkpoint.giver === undefined) this.#decided(owner, entry.checkpoint);
    }
  }

  #decided(owner: string, { instance, epoch }: { readonly instance: string; readonly epoch: number }): void {
    for (const history of this.#histories.get(instance) ?? [])
      if (history.owner === owner && history.epoch === epoch && history.state === 'doubtful' && history.isTaken) history.state = 'live';
  }

  #add(instance: string, history: History): void {
    this.#histories.set(
      instance,
      [...(this.#histories.get(instance) ?? []), history].sort((one, other) => one.epoch - other.epoch),
    );
  }

  /** (SIM-2) */
  #create(owner: string, step: KeptStep): void {
    const { instance, epoch, seq } = step;
    const before = this.newest(instance);
    if (seq !== 1) this.#findings.fail(`${instance} begins with step ${seq}`);
    if (before !== undefined && before.epoch >= epoch)
      this.#findings.fail(`${instance} begins again with epoch ${epoch} after ${before.epoch}`);
    if (before !== undefined && before.owner !== owner)
      this.#findings.fail(`${instance} begins again at ${owner}, and ${before.owner} has it`);
    if (before !== undefined) before.state = 'over';
    this.#add(instance, {
      epoch,
      owner,
      since: 0,
      before: undefined,
      giver: undefined,
      steps: [step],
      states: [modelOf(instance).initial],
      places: new Map(),
      ringing: new Map(),
      rung: new Set(),
      isTaken: false,
      state: 'live',
    });
  }

  /** From a step of another history: as all that was taken, or what is taken when the one who gave it says so. (SIM-6) */
  #goOn(owner: string, step: KeptStep): void {
    const { instance, epoch, seq, cause } = step;
    const { epoch: from, giver } = cause.event;
    const before = this.at(instance, from!);
    if (before === undefined || before.steps.length < seq || before.epoch >= epoch)
      return this.#findings.fail(`${instance} goes on at ${owner} in epoch ${epoch} from step ${seq} of ${from}, which is not durable`);
    const other = this.#histories.get(instance)!.find((each) => each.epoch === epoch);
    if (other !== undefined && other.owner !== owner) this.#findings.tied();
    if (other !== undefined) this.#findings.fail(`${instance} goes on twice in epoch ${epoch}`);
    this.#forget(owner, instance);
    this.#add(instance, {
      epoch,
      owner,
      since: seq,
      before,
      giver,
      steps: before.steps.slice(0, seq),
      states: before.states.slice(0, seq),
      places: new Map([...before.places].filter(([, place]) => place <= seq)),
      ringing: new Map(),
      rung: new Set(),
      isTaken: giver === undefined,
      state: giver === undefined ? 'live' : 'doubtful',
    });
  }

  #step(owner: string, step: KeptStep): void {
    const { instance, epoch, seq, at, cause } = step;
    const history = this.#histories.get(instance)?.findLast((each) => each.epoch === epoch && each.owner === owner);
    if (history === undefined || seq !== history.steps.length + 1)
      return this.#findings.fail(
        `step ${seq} of ${instance} in epoch ${epoch} at ${owner} follows step ${history?.steps.length ?? 0} of ${history?.epoch ?? 0}`,
      );
    if (history.state === 'doubtful')
      this.#findings.fail(`${owner} makes step ${seq} of ${instance} in epoch ${epoch}, and was not told that it is its own`);
    if (history.state === 'over') this.#findings.fail(`${owner} makes step ${seq} of ${instance} in epoch ${epoch}, which is over`);
    const event: ModelEvent = cause.event;
    const before = history.states.at(-1)!;
    if (event.type in TIMED && (before.due[event.type] ?? Infinity) > at)
      this.#findings.fail(`${event.type} of ${instance} came at ${at} and was due at ${before.due[event.type] ?? 'no time'}`);
    const after = modelOf(instance).next(before, event, at);
    if ((after === undefined) !== (step.ignored === true))
      this.#findings.fail(
        `step ${seq} of ${instance} (${event.type}) is ${step.ignored === true ? '' : 'not '}ignored, and the model differs`,
      );
    history.steps.push(step);
    history.states.push(after ?? before);
    if (after?.ring !== undefined) history.ringing.set(after.ring, this.life(owner));
    const id = event.id ?? (event.source === undefined ? event.args?.id : undefined) ?? '';
    if (id === '') return;
    const earlier = history.places.get(id);
    if (earlier !== undefined) this.#findings.fail(`event ${id} of ${instance} was applied twice, at ${earlier} and ${seq}`);
    history.places.set(id, seq);
    this.#findings.placed(history, step, id);
  }

  /** An owner writes down that another one has it: handed over whole, or lost to a higher epoch. */
  #moved(owner: string, { instance, peer, epoch }: { readonly instance: string; readonly peer: string; readonly epoch: number }): void {
    const mine = this.#histories.get(instance)?.findLast((each) => each.owner === owner && each.state === 'live');
    this.#forget(owner, instance);
    if (mine === undefined) return;
    mine.state = 'over';
    const next = this.#histories.get(instance)!.find((each) => each.epoch === epoch);
    if (next === undefined || next.owner !== peer || epoch <= mine.epoch)
      return this.#findings.fail(`${owner} leaves ${instance} to ${peer} in epoch ${epoch}, where it is not`);
    if (next.state !== 'doubtful') return;
    if (next.before !== mine || next.since !== mine.steps.length)
      this.#findings.fail(`${owner} hands ${instance} over with ${mine.steps.length} steps, and ${peer} has ${next.since}`);
    next.state = 'live';
  }

  /** What it was given, and was not told to be its own, is dropped. */
  #forget(owner: string, instance: string): void {
    const histories = this.#histories.get(instance);
    if (histories === undefined) return;
    this.#histories.set(
      instance,
      histories.filter((each) => each.owner !== owner || each.state !== 'doubtful'),
    );
  }
}
