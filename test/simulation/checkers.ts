// What must hold in every simulated world, checked from the outside: the log of what the disks kept, what users were told, what frames
// said, and what mirrors show, against a model of the machines. Imports nothing of the product (docs/spec/simulation.md).

import { mayRead, mayWrite, type ModelEvent, modelOf, type ModelState, notFor, seenBy, senderOf, TIMED } from './model.ts';

/** A step as a disk keeps it: what the checkers look at. */
export interface KeptStep {
  readonly instance: string;
  readonly epoch: number;
  readonly seq: number;
  readonly at: number;
  readonly cause: { readonly peer: string; readonly n: number; readonly event: { readonly type: string } };
  readonly ignored?: true;
}

export type KeptEntry =
  | { readonly kind: 'create'; readonly step: KeptStep }
  | { readonly kind: 'step'; readonly step: KeptStep }
  | { readonly kind: 'image' | 'machine' | 'checkpoint' | 'delete' };

/** One life of an instance, from its first step. */
interface History {
  readonly epoch: number;
  readonly steps: KeptStep[];
  /** After each step. */
  readonly states: ModelState[];
  /** Where each event stands, by its id. */
  readonly places: Map<string, number>;
  readonly counts: Set<number>;
  readonly effects: Set<number>;
}

interface Submission {
  readonly event: ModelEvent & { readonly id: string };
  readonly instance: string;
  readonly holder: string;
  readonly hasExpectation: boolean;
  readonly at: number;
  fate: { readonly kind: 'open' | 'refused' | 'unknown' } | { readonly kind: 'answered'; readonly epoch: number };
}

/** What a mirror shows. */
export interface Shown {
  readonly epoch: number;
  readonly seq: number;
  readonly value: unknown;
  readonly context: unknown;
}

/** More doubtful events than this are too many to try all ways. */
const DOUBTFUL_MAX = 8;
/** Milliseconds after a failed write in which an instance may still refuse events, because it is being read again. */
const RELOAD_MS = 20_000;
/** Milliseconds after which a timer that is due has fired, in a world at rest. */
const OVERDUE_MS = 2_000;

export class Checkers {
  readonly failures: string[] = [];
  readonly #now: () => number;
  readonly #histories = new Map<string, History[]>();
  readonly #submissions = new Map<string, Submission>();
  readonly #digests = new Map<string, string>();
  /** When a disk last refused a write. */
  #failedAt = -RELOAD_MS - 1;

  constructor(now: () => number) {
    this.#now = now;
  }

  fail(sentence: string): void {
    this.failures.push(`${this.#now()}: ${sentence}`);
  }

  #newest(instance: string): History | undefined {
    return this.#histories.get(instance)?.at(-1);
  }

  #history(instance: string, epoch: number): History | undefined {
    return this.#histories.get(instance)?.findLast((history) => history.epoch === epoch);
  }

  // ── Disks ──────────────────────────────────────────────────────────────────────────────────────────────────────

  durable(entries: readonly KeptEntry[]): void {
    for (const entry of entries) {
      if (entry.kind === 'create') this.#create(entry.step);
      else if (entry.kind === 'step') this.#step(entry.step);
    }
  }

  diskFailed(): void {
    this.#failedAt = this.#now();
  }

  /** (SIM-2) */
  #create(step: KeptStep): void {
    const { instance, epoch, seq } = step;
    const before = this.#newest(instance);
    if (seq !== 1) this.fail(`${instance} begins with step ${seq}`);
    if (before !== undefined && before.epoch >= epoch) this.fail(`${instance} begins again with epoch ${epoch} after ${before.epoch}`);
    const histories = this.#histories.get(instance) ?? [];
    const states = [modelOf(instance).initial];
    histories.push({ epoch, steps: [step], states, places: new Map(), counts: new Set(), effects: new Set() });
    this.#histories.set(instance, histories);
  }

  #step(step: KeptStep): void {
    const { instance, epoch, seq, at, cause } = step;
    const history = this.#newest(instance);
    if (history === undefined || history.epoch !== epoch || seq !== history.steps.length + 1)
      return this.fail(`step ${seq} of ${instance} in epoch ${epoch} follows step ${history?.steps.length ?? 0} of ${history?.epoch ?? 0}`);
    const event: ModelEvent = cause.event;
    const before = history.states.at(-1)!;
    if (event.type in TIMED && (before.due[event.type] ?? Infinity) > at)
      this.fail(`${event.type} of ${instance} came at ${at} and was due at ${before.due[event.type] ?? 'no time'}`);
    const after = modelOf(instance).next(before, event, at);
    if ((after === undefined) !== (step.ignored === true))
      this.fail(`step ${seq} of ${instance} (${event.type}) is ${step.ignored === true ? '' : 'not '}ignored, and the model differs`);
    history.steps.push(step);
    history.states.push(after ?? before);
    if (after !== undefined && typeof after.context.count === 'number') history.counts.add(after.context.count);
    if (event.id !== undefined && event.id !== '') this.#place(history, step, event.id);
  }

  /** (SIM-3) */
  #place(history: History, { instance, seq }: KeptStep, id: string): void {
    const earlier = history.places.get(id);
    if (earlier !== undefined) this.fail(`event ${id} of ${instance} was applied twice, at ${earlier} and ${seq}`);
    history.places.set(id, seq);
    const fate = this.#submissions.get(id)?.fate;
    if (fate?.kind === 'refused') this.fail(`event ${id} of ${instance} was refused and is applied at ${seq}`);
    if (!mayWrite(senderOf(id), instance)) this.fail(`event ${id} of ${instance} is of one who may not write`);
    if (instance !== 'family:kid') return;
    const parent = this.#newest('family')?.places.get(id);
    if (parent === undefined) this.fail(`the kid worked on ${id}, which its parent never sent`);
  }

  // ── Users ──────────────────────────────────────────────────────────────────────────────────────────────────────

  submitted(holder: string, instance: string, event: ModelEvent & { readonly id: string }, hasExpectation: boolean): void {
    this.#submissions.set(event.id, { event, instance, holder, hasExpectation, at: this.#now(), fate: { kind: 'open' } });
  }

  /** (SIM-3) */
  answered(id: string, outcome: string, seq: number): void {
    const submission = this.#submissions.get(id)!;
    const { instance } = submission;
    const history = this.#histories.get(instance)?.findLast((each) => each.places.get(id) === seq);
    if (history === undefined) return this.fail(`event ${id} of ${instance} was acknowledged at ${seq}, where the disk does not have it`);
    submission.fate = { kind: 'answered', epoch: history.epoch };
    const isIgnored = history.steps[seq - 1]!.ignored === true;
    if (isIgnored !== (outcome === 'ignored')) this.fail(`event ${id} of ${instance} was answered ${outcome}`);
  }

  refused(id: string, code: string): void {
    const submission = this.#submissions.get(id)!;
    if (code === 'CLOSED' || code === 'FENCED') {
      submission.fate = { kind: 'unknown' };
      return;
    }
    const isKnown = ['STORAGE', 'EXPECTATION', 'STALE'].includes(code);
    const isMute = code === 'FORBIDDEN' && !mayWrite(senderOf(id), submission.instance);
    if (!isKnown && !isMute) this.fail(`event ${id} of ${submission.instance} was refused with ${code}`);
    submission.fate = { kind: 'refused' };
    if (this.#newest(submission.instance)?.places.has(id) === true)
      this.fail(`event ${id} of ${submission.instance} was refused with ${code} and is applied`);
  }

  // ── Effects ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** (SIM-4) */
  effect(instance: string, count: number): void {
    const history = this.#newest(instance);
    if (history?.counts.has(count) !== true)
      return this.fail(`an effect of ${instance} ran for step number ${count}, which is not durable`);
    if (history.effects.has(count)) this.fail(`an effect of ${instance} ran twice for step number ${count}`);
    history.effects.add(count);
  }

  // ── Readers ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Whoever is told of a step is told of a durable one. */
  told(instance: string, epoch: number, seq: number): void {
    const history = this.#history(instance, epoch);
    if (history === undefined || history.steps.length < seq) this.fail(`step ${seq} of ${instance} was told before it was durable`);
  }

  /** (SIM-5) */
  shown(holder: string, instance: string, shown: Shown): void {
    const history = this.#history(instance, shown.epoch);
    const base = history?.states[shown.seq - 1];
    if (history === undefined || base === undefined)
      return this.fail(`${holder} shows seq ${shown.seq} of ${instance} in epoch ${shown.epoch}, which is not durable`);
    const pending: Submission[] = [];
    /** Those that a later event of the same holder overtook, while the authority changed its link: they will be refused as STALE. */
    const overtaken = new Set<Submission>();
    for (const submission of this.#submissions.values()) {
      if (submission.holder !== holder || submission.fate.kind === 'refused') continue;
      if ((history.places.get(submission.event.id) ?? Infinity) <= shown.seq) {
        for (const each of pending) overtaken.add(each);
        continue;
      }
      // Acknowledged in a history that is no more: the new one does not have it.
      if (submission.fate.kind === 'answered' && submission.fate.epoch !== shown.epoch) continue;
      pending.push(submission);
    }
    const found = JSON.stringify([shown.value, shown.context ?? {}]);
    // The refusal of an event may be lost, and what an earlier history had is not predicted again while it is sent again.
    const wasThere = (id: string): boolean => this.#histories.get(instance)!.some(({ places }) => places.has(id));
    const isDoubtful = (each: Submission): boolean =>
      each.hasExpectation || each.at <= this.#failedAt + RELOAD_MS || overtaken.has(each) || wasThere(each.event.id);
    const doubtful = pending.filter(isDoubtful);
    if (doubtful.length > DOUBTFUL_MAX) return;
    for (let left = 0; left < 2 ** doubtful.length; left++) {
      const out = new Set(doubtful.filter((_, i) => ((left >> i) & 1) === 1));
      let state = base;
      for (const each of pending) if (!out.has(each)) state = modelOf(instance).next(state, each.event, 0) ?? state;
      if (JSON.stringify([state.value, state.context]) === found) return;
    }
    this.fail(
      `${holder} shows ${found} of ${instance} at seq ${shown.seq}, where the log has ` +
        `${JSON.stringify([base.value, base.context])} and ${pending.map(({ event }) => event.id).join(', ') || 'nothing'} is pending`,
    );
  }

  /** A reader with a partial view shows what the view shows of its step, and nothing of its own ahead of it. (SIM-1, SIM-5) */
  seen(reader: string, instance: string, { epoch, seq, value, context }: Shown): void {
    const state = this.#history(instance, epoch)?.states[seq - 1];
    const expected = state === undefined ? undefined : seenBy(reader, instance, state);
    if (expected === undefined) return this.fail(`${reader} shows seq ${seq} of ${instance} in epoch ${epoch}, which is not durable`);
    const [found, wanted] = [JSON.stringify([value, context]), JSON.stringify([expected.value, expected.context])];
    if (found !== wanted) this.fail(`${reader} shows ${found} of ${instance} at seq ${seq}, where its view shows ${wanted}`);
  }

  /** Whether a reader has lost the sight of the vault for now. */
  isBanned(reader: string): boolean {
    const state = this.#newest('vault')?.states.at(-1);
    return state !== undefined && !mayRead(reader, state);
  }

  /** Nothing outside a view reaches its reader, and nothing of a state that it may not see. (SIM-1, SIM-5) */
  heard(reader: string, text: string): void {
    const secret = notFor(reader, text);
    if (secret !== undefined) this.fail(`${reader} was sent ${secret}`);
    for (const [shown] of text.matchAll(/shown-[a-z]*[\d.]*/g)) {
      const isAllowed = this.#histories.get('vault')?.some(({ states, places }) => {
        const from = places.get(shown.slice('shown-'.length));
        return from !== undefined && states.slice(from - 1).some((state) => mayRead(reader, state));
      });
      if (isAllowed !== true) this.fail(`${reader} was sent ${shown} of a state that it may not see`);
    }
  }

  /** @param view under which it is looked at. (SIM-6) */
  digest(holder: string, instance: string, { epoch, seq }: Shown, digest: string, view: string): void {
    const key = `${instance} ${view} ${epoch} ${seq}`;
    const before = this.#digests.get(key);
    if (before !== undefined && before !== digest) this.fail(`${holder} has digest ${digest} of ${key}, somebody else has ${before}`);
    this.#digests.set(key, digest);
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Everything is mended and delivered: nobody waits, and every mirror is where the log is. (SIM-6) */
  rested(mirrors: readonly { holder: string; instance: string; shown: Shown | undefined; standing: string; unconfirmed: number }[]): void {
    for (const { holder, instance, shown, standing, unconfirmed } of mirrors) {
      const history = this.#newest(instance);
      if (standing !== 'confirmed' || unconfirmed !== 0) this.fail(`at the end ${holder} is ${standing} with ${unconfirmed} unconfirmed`);
      if (shown?.epoch !== history?.epoch || shown?.seq !== history?.steps.length)
        this.fail(`at the end ${holder} is at ${shown?.epoch}/${shown?.seq}, the log at ${history?.epoch}/${history?.steps.length}`);
    }
    for (const { event, instance, fate } of this.#submissions.values())
      if (fate.kind === 'open') this.fail(`at the end event ${event.id} of ${instance} has no answer`);
    for (const [instance, histories] of this.#histories) {
      const due = histories.at(-1)!.states.at(-1)!.due;
      for (const [type, at] of Object.entries(due))
        if (at + OVERDUE_MS < this.#now()) this.fail(`at the end ${type} of ${instance} has been due since ${at}`);
    }
  }
}
