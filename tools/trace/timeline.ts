// The steps of all instances of all peers in one order: by moment, and at the same moment causes before what they caused. A step is never
// before its predecessor in the same instance, nor before its source. The order depends on the records alone, not on their arrival.
//
// Sources. A step names the peer that sent its event, not the step that made that peer send it. When that peer is an authority itself, the
// source shown is its latest step with effects, at most SOURCE_WINDOW_MS before: a good guess where machines talk to each other, and called
// one on the screen. It is exact when the peer runs one machine at a time. Plain XState programs name the sender: no guess there.

import { bySeq, type Entry } from './entry.ts';

const SOURCE_WINDOW_MS = 300;

export class Timeline {
  #entries: Entry[] = [];
  #added: Entry[] = [];
  /** Entries from this moment on have to be placed again. */
  #staleFrom = Infinity;
  /** By peer: its settled steps with effects, in order. */
  readonly #effectful = new Map<string, Entry[]>();
  readonly #before: (entry: Entry) => Entry | undefined;

  /** @param before the step that precedes another in the same instance, if it is known. */
  constructor(before: (entry: Entry) => Entry | undefined) {
    this.#before = before;
  }

  /** @param successor the step that follows it in its instance, if it came before: it may have to move. */
  add(entry: Entry, successor: Entry | undefined): void {
    this.#added.push(entry);
    this.#staleFrom = Math.min(
      this.#staleFrom,
      entry.record.step.at,
      successor === undefined || successor.index < 0 ? Infinity : successor.moment,
    );
  }

  /** In order; the same array until something is added or dropped. */
  entries(): readonly Entry[] {
    if (this.#added.length > 0) this.#settle();
    return this.#entries;
  }

  /** Takes entries out again, wherever they stand. */
  remove(gone: ReadonlySet<Entry>): void {
    if (gone.size > 0)
      this.#keepOnly(
        this.entries().filter((entry) => !gone.has(entry)),
        gone,
      );
  }

  /** Forgets the first `count`. @returns them. */
  dropFirst(count: number): readonly Entry[] {
    const dropped = this.entries().slice(0, count);
    this.#keepOnly(this.#entries.slice(count), new Set(dropped));
    return dropped;
  }

  #keepOnly(kept: Entry[], gone: ReadonlySet<Entry>): void {
    this.#entries = kept;
    kept.forEach((entry, index) => {
      entry.index = index;
      if (entry.source !== undefined && gone.has(entry.source)) entry.source = undefined;
    });
    for (const [peer, entries] of this.#effectful)
      this.#keep(
        peer,
        entries.filter((entry) => !gone.has(entry)),
      );
  }

  #settle(): void {
    let kept = this.#entries.length;
    while (kept > 0 && this.#entries[kept - 1]!.moment >= this.#staleFrom) kept--;
    const tail = this.#entries.slice(kept).concat(this.#added);
    for (const [peer, entries] of this.#effectful)
      this.#keep(
        peer,
        entries.filter((entry) => entry.index < kept),
      );
    this.#entries = this.#entries.slice(0, kept);
    this.#added = [];
    this.#staleFrom = Infinity;
    this.#setMoments(tail);
    tail.sort((a, b) => a.moment - b.moment || byName(a, b));
    for (let from = 0; from < tail.length;) {
      let to = from + 1;
      while (to < tail.length && tail[to]!.moment === tail[from]!.moment) to++;
      this.#place(tail.slice(from, to));
      from = to;
    }
  }

  /** Predecessors first, so that their moments are there. */
  #setMoments(tail: Entry[]): void {
    for (const entry of tail.toSorted(bySeq)) entry.moment = Math.max(entry.record.step.at, this.#before(entry)?.moment ?? 0);
  }

  /** Appends the steps of one moment, causes first. */
  #place(group: readonly Entry[]): void {
    for (const entry of group) {
      entry.source = undefined;
      if (entry.record.step.effects.length === 0) continue;
      const earlier = this.#effectful.get(entry.record.peer);
      if (earlier === undefined) this.#effectful.set(entry.record.peer, [entry]);
      else earlier.push(entry);
    }
    const members = new Set(group);
    for (const entry of group) entry.source = entry.told === undefined ? this.#sourceOf(entry, members) : entry.told.source;
    const depths = new Map<Entry, number>();
    const depth = (entry: Entry): number => {
      const known = depths.get(entry);
      if (known !== undefined) return known;
      const causes = [this.#before(entry), entry.source].filter((cause) => cause !== undefined && members.has(cause)) as Entry[];
      const found = causes.length === 0 ? 0 : Math.max(...causes.map(depth)) + 1;
      depths.set(entry, found);
      return found;
    };
    // Predecessors first, so that long chains within one moment cost no recursion.
    if (group.length > 1) for (const entry of group.toSorted(bySeq)) depth(entry);
    const ordered = group.length === 1 ? group : group.toSorted((a, b) => depth(a) - depth(b) || byName(a, b));
    for (const entry of ordered) {
      entry.index = this.#entries.length;
      this.#entries.push(entry);
    }
  }

  #sourceOf(entry: Entry, group: ReadonlySet<Entry>): Entry | undefined {
    const { cause } = entry.record.step;
    if (cause.n === 0) return undefined;
    const candidates = this.#effectful.get(cause.peer) ?? [];
    for (let i = candidates.length - 1; i >= 0; i--) {
      const candidate = candidates[i]!;
      if (entry.moment - candidate.moment > SOURCE_WINDOW_MS) return undefined;
      if (!isCausedLater(candidate, entry) && !(group.has(candidate) && this.#comesFrom(candidate, entry, group))) return candidate;
    }
    return undefined;
  }

  /** Whether `entry` is among the causes of `candidate` within their moment: it would be its own cause. */
  #comesFrom(candidate: Entry, entry: Entry, group: ReadonlySet<Entry>): boolean {
    const seen = new Set<Entry>();
    const open: (Entry | undefined)[] = [candidate];
    for (let at = open.pop(); at !== undefined || open.length > 0; at = open.pop()) {
      if (at === undefined || seen.has(at) || !group.has(at)) continue;
      if (at === entry) return true;
      seen.add(at);
      open.push(this.#before(at), at.source);
    }
    return false;
  }

  #keep(peer: string, entries: Entry[]): void {
    if (entries.length === 0) this.#effectful.delete(peer);
    else this.#effectful.set(peer, entries);
  }
}

/** An event that the peer sent later cannot have led to one that it sent before; a step does not send to its own past. */
function isCausedLater(candidate: Entry, entry: Entry): boolean {
  const own = candidate.record.step;
  const step = entry.record.step;
  if (own.instance === step.instance && (own.epoch > step.epoch || (own.epoch === step.epoch && own.seq >= step.seq))) return true;
  return own.cause.peer === step.cause.peer && own.cause.n >= step.cause.n;
}

/** Settles ties, the same way on every screen. */
function byName(a: Entry, b: Entry): number {
  return compare(a.record.peer, b.record.peer) || compare(a.record.step.instance, b.record.step.instance) || bySeq(a, b);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
