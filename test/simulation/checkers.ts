// What must hold in every simulated world, checked from the outside: the log of what the disks kept, what users were told, what frames
// said, and what mirrors show, against a model of the machines. Imports nothing of the product (docs/spec/simulation.md).

import { Histories, type History, type KeptEntry, type KeptStep } from './histories.ts';
import { mayRead, mayWrite, type ModelEvent, modelOf, notFor, seenBy, senderOf, unanswered } from './model.ts';

export type { KeptEntry } from './histories.ts';

interface Submission {
  readonly id: string;
  readonly event: ModelEvent;
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

/** What a process keeps in memory of what happened. */
export interface Kept {
  /** Messages that have not left. */
  readonly unsent: number;
  /** Those that it orders or passes on: of their past, and how many event numbers of each sender. */
  readonly instances: readonly {
    readonly instance: string;
    readonly steps: number;
    readonly digests: number;
    readonly marks: number;
    readonly seen: readonly number[];
  }[];
}

/** The limits of the page of the protocol. Of steps and of events of one sender up to twice as many are kept before the older half goes. */
const LIMITS = { steps: 2 * 1_024, seen: 2 * 512, senders: 1_024 };
/** A state is kept for every 256 steps, and one where they begin. */
const MARKS_MAX = LIMITS.steps / 256 + 1;
/** More doubtful events than this are too many to try all ways. */
const DOUBTFUL_MAX = 8;
/** Milliseconds after a failed write in which an instance may still refuse events, because it is being read again. */
const RELOAD_MS = 20_000;
/** Milliseconds after which a timer that is due has fired, in a world at rest. */
const OVERDUE_MS = 2_000;

export class Checkers {
  readonly failures: string[] = [];
  /** What is wrong with this world from here on cannot be told. */
  isTied = false;
  readonly #now: () => number;
  readonly #histories: Histories;
  readonly #submissions = new Map<string, Submission>();
  readonly #digests = new Map<string, string>();
  /** When a disk last refused a write. */
  #failedAt = -RELOAD_MS - 1;

  constructor(now: () => number) {
    this.#now = now;
    this.#histories = new Histories({
      fail: (sentence) => this.fail(sentence),
      tied: () => (this.isTied = true),
      placed: (history, step, id) => this.#placed(history, step, id),
    });
  }

  fail(sentence: string): void {
    if (!this.isTied) this.failures.push(`${this.#now()}: ${sentence}`);
  }

  // ── Disks and processes ────────────────────────────────────────────────────────────────────────────────────────

  started(name: string): void {
    this.#histories.started(name);
  }

  durable(owner: string, entries: readonly KeptEntry[]): void {
    this.#histories.durable(owner, entries);
  }

  diskFailed(): void {
    this.#failedAt = this.#now();
  }

  /** (SIM-3) */
  #placed(history: History, { instance, seq }: KeptStep, id: string): void {
    const fate = this.#submissions.get(id)?.fate;
    // In a history that another one has left behind it is lost with the rest.
    const isNewest = history === this.#histories.newest(instance);
    if (fate?.kind === 'refused' && isNewest) this.fail(`event ${id} of ${instance} was refused and is applied at ${seq}`);
    if (!mayWrite(senderOf(id), instance)) this.fail(`event ${id} of ${instance} is of one who may not write`);
    if (instance !== 'family:kid') return;
    const parent = this.#histories.newest('family')?.places.get(id);
    if (parent === undefined) this.fail(`the kid worked on ${id}, which its parent never sent`);
  }

  // ── Those who order ────────────────────────────────────────────────────────────────────────────────────────────

  ownerOf(instance: string): string | undefined {
    return this.#histories.newest(instance)?.owner;
  }

  decides(owner: string, instance: string): void {
    this.#histories.decides(owner, instance);
  }

  /** An owner has given way, and says which of its steps the other history does not have. (SIM-6) */
  fenced(owner: string, instance: string, epoch: number, lost: readonly number[] | undefined): void {
    const mine = this.#histories.of(instance).findLast((history) => history.owner === owner && history.epoch < epoch);
    const other = this.#histories.at(instance, epoch);
    if (mine === undefined || other === undefined)
      return this.fail(`${owner} gives way for ${instance} in epoch ${epoch}, which nobody has`);
    const expected = this.#histories.lost(mine, other);
    if (lost !== undefined && lost.join() !== expected.join())
      this.fail(`${owner} says that steps ${lost.join()} of ${instance} are lost, and ${expected.join() || 'none'} are`);
  }

  // ── Users ──────────────────────────────────────────────────────────────────────────────────────────────────────

  submitted(
    holder: string,
    instance: string,
    { id, event }: { readonly id: string; readonly event: ModelEvent },
    hasExpectation: boolean,
  ): void {
    this.#submissions.set(id, { id, event, instance, holder, hasExpectation, at: this.#now(), fate: { kind: 'open' } });
  }

  /** (SIM-3) */
  answered(id: string, outcome: string, seq: number): void {
    const submission = this.#submissions.get(id)!;
    const { instance } = submission;
    const history = this.#histories.of(instance).findLast((each) => each.places.get(id) === seq);
    if (history === undefined) return this.fail(`event ${id} of ${instance} was acknowledged at ${seq}, where the disk does not have it`);
    submission.fate = { kind: 'answered', epoch: history.epoch };
    const isIgnored = history.steps[seq - 1]!.ignored === true;
    if (isIgnored !== (outcome === 'ignored')) this.fail(`event ${id} of ${instance} was answered ${outcome}`);
  }

  refused(id: string, code: string): void {
    const submission = this.#submissions.get(id)!;
    if (code === 'CLOSED') {
      submission.fate = { kind: 'unknown' };
      return;
    }
    const isKnown = ['STORAGE', 'EXPECTATION', 'STALE'].includes(code);
    const isMute = code === 'FORBIDDEN' && !mayWrite(senderOf(id), submission.instance);
    if (!isKnown && !isMute) this.fail(`event ${id} of ${submission.instance} was refused with ${code}`);
    submission.fate = { kind: 'refused' };
    if (this.#histories.newest(submission.instance)?.places.has(id) === true)
      this.fail(`event ${id} of ${submission.instance} was refused with ${code} and is applied`);
  }

  // ── Effects ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** (SIM-4) */
  effect(process: string, instance: string, what: number | string): void {
    const own = this.#histories.of(instance).filter(({ owner }) => owner === process);
    const history = own.findLast(({ ringing }) => ringing.has(what));
    if (history === undefined) return this.fail(`an effect of ${instance} ran at ${process} for ${what}, which is not durable there`);
    if (history.rung.has(what)) this.fail(`an effect of ${instance} ran twice for ${what}`);
    history.rung.add(what);
  }

  // ── Readers ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Whoever is told of a step is told of a durable one. */
  told(instance: string, epoch: number, seq: number): void {
    const history = this.#histories.at(instance, epoch);
    if (history === undefined || history.steps.length < seq) this.fail(`step ${seq} of ${instance} was told before it was durable`);
  }

  /** (SIM-5) */
  shown(holder: string, instance: string, shown: Shown): void {
    const history = this.#histories.at(instance, shown.epoch);
    const base = history?.states[shown.seq - 1];
    if (history === undefined || base === undefined)
      return this.fail(`${holder} shows seq ${shown.seq} of ${instance} in epoch ${shown.epoch}, which is not durable`);
    const pending: Submission[] = [];
    /** Those that a later event of the same holder overtook, while the authority changed its link: they will be refused as STALE. */
    const overtaken = new Set<Submission>();
    for (const submission of this.#submissions.values()) {
      if (submission.holder !== holder || submission.fate.kind === 'refused') continue;
      if ((history.places.get(submission.id) ?? Infinity) <= shown.seq) {
        for (const each of pending) overtaken.add(each);
        continue;
      }
      // Acknowledged in a history that is no more: the new one does not have it.
      if (submission.fate.kind === 'answered' && submission.fate.epoch !== shown.epoch) continue;
      pending.push(submission);
    }
    const found = JSON.stringify([shown.value, shown.context ?? {}]);
    // The refusal of an event may be lost, and what an earlier history had is not predicted again while it is sent again.
    const wasThere = (id: string): boolean => this.#histories.of(instance).some(({ places }) => places.has(id));
    const isDoubtful = (each: Submission): boolean =>
      each.hasExpectation || each.at <= this.#failedAt + RELOAD_MS || overtaken.has(each) || wasThere(each.id);
    const doubtful = pending.filter(isDoubtful);
    if (doubtful.length > DOUBTFUL_MAX) return;
    for (let left = 0; left < 2 ** doubtful.length; left++) {
      const out = new Set(doubtful.filter((_, i) => ((left >> i) & 1) === 1));
      let state = base;
      for (const each of pending) if (!out.has(each)) state = modelOf(instance).next(state, each.event, each.at) ?? state;
      if (JSON.stringify([state.value, state.context]) === found) return;
    }
    this.fail(
      `${holder} shows ${found} of ${instance} at seq ${shown.seq}, where the log has ` +
        `${JSON.stringify([base.value, base.context])} and ${pending.map(({ id }) => id).join(', ') || 'nothing'} is pending`,
    );
  }

  /** A mirror keeps no event whose sender has its answer. (SIM-1) */
  unconfirmed(holder: string, instance: string, count: number): void {
    let open = 0;
    for (const { holder: sender, fate } of this.#submissions.values()) if (sender === holder && fate.kind === 'open') open++;
    if (count > open) this.fail(`${holder} keeps ${count} events of ${instance}, and ${open} have no answer`);
  }

  /** A reader with a partial view shows what the view shows of its step, and nothing of its own ahead of it. (SIM-1, SIM-5) */
  seen(reader: string, instance: string, { epoch, seq, value, context }: Shown): void {
    const state = this.#histories.at(instance, epoch)?.states[seq - 1];
    const expected = state === undefined ? undefined : seenBy(reader, instance, state);
    if (expected === undefined) return this.fail(`${reader} shows seq ${seq} of ${instance} in epoch ${epoch}, which is not durable`);
    const [found, wanted] = [JSON.stringify([value, context]), JSON.stringify([expected.value, expected.context])];
    if (found !== wanted) this.fail(`${reader} shows ${found} of ${instance} at seq ${seq}, where its view shows ${wanted}`);
  }

  /** Whether a reader has lost the sight of the vault for now. */
  isBanned(reader: string): boolean {
    const state = this.#histories.newest('vault')?.states.at(-1);
    return state !== undefined && !mayRead(reader, state);
  }

  /** Nothing outside a view reaches its reader, and nothing of a state that it may not see. (SIM-1, SIM-5) */
  heard(reader: string, text: string): void {
    const secret = notFor(reader, text);
    if (secret !== undefined) this.fail(`${reader} was sent ${secret}`);
    for (const [shown] of text.matchAll(/shown-[a-z]*[\d.]*/g)) {
      const isAllowed = this.#histories.of('vault').some(({ states, places }) => {
        const from = places.get(shown.slice('shown-'.length));
        return from !== undefined && states.slice(from - 1).some((state) => mayRead(reader, state));
      });
      if (!isAllowed) this.fail(`${reader} was sent ${shown} of a state that it may not see`);
    }
  }

  /** @param view under which it is looked at. (SIM-6) */
  digest(holder: string, instance: string, { epoch, seq }: Shown, digest: string, view: string): void {
    const key = `${instance} ${view} ${epoch} ${seq}`;
    const before = this.#digests.get(key);
    if (before !== undefined && before !== digest) this.fail(`${holder} has digest ${digest} of ${key}, somebody else has ${before}`);
    this.#digests.set(key, digest);
  }

  /** Memory stays bounded, whatever happened before. Asked when nothing is under way. (SIM-7) */
  keeps(process: string, { unsent, instances }: Kept): void {
    if (unsent > 0) this.fail(`${process} keeps ${unsent} messages that have not left`);
    for (const { instance, steps, digests, marks, seen } of instances) {
      const over = (what: string, count: number, max: number): void => {
        if (count > max) this.fail(`${process} keeps ${count} ${what} of ${instance}, at most ${max} are to be kept`);
      };
      over('steps', steps, LIMITS.steps);
      over('digests', digests, LIMITS.steps);
      over('states', marks, MARKS_MAX);
      over('senders', seen.length, LIMITS.senders);
      over('event numbers of one sender', Math.max(0, ...seen), LIMITS.seen);
    }
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Everything is mended and delivered: nobody waits, and every mirror is where the log is. (SIM-6) */
  rested(mirrors: readonly { holder: string; instance: string; shown: Shown | undefined; standing: string; unconfirmed: number }[]): void {
    for (const { holder, instance, shown, standing, unconfirmed } of mirrors) {
      const history = this.#histories.newest(instance);
      if (standing !== 'confirmed' || unconfirmed !== 0) this.fail(`at the end ${holder} is ${standing} with ${unconfirmed} unconfirmed`);
      if (shown?.epoch !== history?.epoch || shown?.seq !== history?.steps.length)
        this.fail(`at the end ${holder} is at ${shown?.epoch}/${shown?.seq}, the log at ${history?.epoch}/${history?.steps.length}`);
    }
    for (const { id, instance, fate } of this.#submissions.values())
      if (fate.kind === 'open') this.fail(`at the end event ${id} of ${instance} has no answer`);
    for (const instance of this.#histories.instances()) {
      const live = this.#histories.of(instance).filter(({ state }) => state === 'live');
      if (live.length > 1) this.fail(`at the end ${live.map(({ owner }) => owner).join(' and ')} order ${instance}`);
      for (const history of live) this.#allRang(instance, history);
      if (instance === 'cliff') for (const history of live) this.#allAnswered(history);
      for (const { owner, states } of live)
        if (this.#histories.life(owner) === 1 && (states.at(-1)!.broken ?? 0) > 0)
          this.fail(`at the end an effect of ${instance} that threw has brought no exception`);
      const due = this.#histories.newest(instance)?.states.at(-1)!.due ?? {};
      for (const [type, at] of Object.entries(due))
        if (at + OVERDUE_MS < this.#now()) this.fail(`at the end ${type} of ${instance} has been due since ${at}`);
    }
  }

  /** What is piped to a relational machine is there as it is at the source. */
  piped(source: string, target: string, states: readonly string[]): void {
    const [from, to] = [source, target].map((instance) => this.#histories.newest(instance)?.states.at(-1)?.value);
    if (typeof from !== 'object' || typeof to !== 'object') return;
    for (const state of states)
      if (from[state]! % 2 !== to[state]! % 2) this.fail(`at the end ${state} of ${target} is not as at ${source}`);
  }

  /** What effects send arrives, unless the process of the effect has ended, or somebody else has taken over since. (TOPO-15) */
  #allAnswered(newest: History): void {
    for (const id of unanswered(newest.states.at(-1)!)) {
      let part = newest;
      let isTaken = false;
      for (; part.since >= newest.places.get(id)! && part.before !== undefined; part = part.before) isTaken ||= part.isTaken;
      if (!isTaken && this.#histories.life(part.owner) === part.ringing.get(id))
        this.fail(`at the end what the effect of ${id} at ${part.owner} sent has not come to the cliff`);
    }
  }

  /** Effects of steps that this very process made durable have run. (SIM-4) */
  #allRang(instance: string, { owner, ringing, rung }: History): void {
    for (const [what, life] of ringing)
      if (life === this.#histories.life(owner) && !rung.has(what))
        this.fail(`at the end no effect of ${instance} has run at ${owner} for ${what}`);
  }
}
