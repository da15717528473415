// The copy behind a mirror with a partial view or a filter: the document that it shows, moved by patches, without an image. It runs no
// events; what it shows is what the authority confirmed. Asked about what it does not show it says so, and never merely no.

import { LockstepError } from '../core/errors.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { HashText } from '../core/digest.ts';
import type { StateNames, StateValue } from '../core/machine.ts';
import { applyPatch, type Operation } from '../core/patch.ts';
import { plain } from '../core/plain.ts';
import { Snapshot, type SnapshotFace } from '../core/snapshot.ts';
import { askedBy, isSelective, shows, valueOfPaths } from './filter.ts';
import { checked } from './shape.ts';
import type { Sight } from './sight.ts';
import { sightDigest } from './sighting.ts';
import type { Filter, Seeing } from './wire.ts';
import { sight as sightShape } from './wire-shapes.ts';

const EVERYTHING: Filter = {};

export class SightReplica {
  /** Nothing to run events with. */
  readonly machine = undefined;
  readonly predicts = false;
  readonly #hash: HashText;
  readonly #filter: Filter;
  /** Whose the clocks are; undefined where none are shown. */
  readonly #states: ShownStates | undefined;
  #sight: Sight;
  /** Stays the same object while the same states are active. */
  #value: Json | undefined;
  #snapshot: Snapshot | undefined;
  seq: number;

  /** @throws LockstepError BAD_PARAMS when the clocks are not those of the states. */
  constructor(hash: HashText, { seq, sight, states, isRelational }: Required<Pick<Seeing, 'sight'>> & Seeing, filter = EVERYTHING) {
    this.#hash = hash;
    this.seq = seq;
    this.#filter = filter;
    this.#sight = plain(sight, '') as unknown as Sight;
    this.#states = states === undefined ? undefined : new ShownStates(states, isRelational === true, isSelective(filter));
    this.#mustFit(this.#sight);
  }

  /**
   * What is kept after an answer to `watch`: the same replica, unless all of the sight is new.
   * @throws LockstepError BAD_PARAMS when it does not have the digest of the answer.
   */
  static after(
    before: SightReplica | undefined,
    seen: Seeing,
    { hash, filter, digest }: { readonly hash: HashText; readonly filter: Filter | undefined; readonly digest: string },
  ): SightReplica {
    const replica = seen.sight === undefined ? before : new SightReplica(hash, { ...seen, sight: seen.sight }, filter);
    if (replica !== undefined && replica === before) {
      if (seen.patch !== undefined) replica.apply(replica.seq, seen.seq, seen.patch, seen.clocks);
      replica.seq = seen.seq;
    }
    if (replica?.digest() !== digest) throw new LockstepError('BAD_PARAMS', 'the answer to watch does not show what it has the digest of');
    return replica;
  }

  /** Frozen. */
  get sight(): Sight {
    return this.#sight;
  }

  get status(): Sight['status'] {
    return this.#sight.status;
  }

  digest(): string {
    return sightDigest(this.#hash, this.#sight);
  }

  /** The same object until something in it changes. */
  snapshot(): Snapshot {
    return (this.#snapshot ??= this.#shown());
  }

  /**
   * @param base the step as of which the authority's room was told last.
   * @param clocks place, ticks to add, …
   * @returns whether it is news.
   * @throws LockstepError STALE_SEQ when something is missing before this, BAD_PARAMS when it does not fit; nothing changed then.  (VIEW-8)
   */
  apply(base: number, seq: number, patch: readonly Operation[], clocks: readonly number[] = []): boolean {
    if (seq <= this.seq) return false;
    if (base > this.seq) throw new LockstepError('STALE_SEQ', `have ${this.seq}, got what changed since ${base}`);
    if (patch.length > 0 || clocks.length > 0) this.#see(patch, clocks);
    this.seq = seq;
    return true;
  }

  /** What is the same stays the same object, so that nobody draws it again. */
  #see(patch: readonly Operation[], clocks: readonly number[]): void {
    const ticked = this.#ticked(clocks);
    const patched = checked('what is seen', sightShape, applyPatch({ ...this.#sight, clocks: ticked } as unknown as Json, patch));
    this.#mustFit(patched);
    const sight = plain(patched, '') as unknown as Sight;
    const isSame = sight.clocks?.every((tick, place) => isActive(tick) === isActive(this.#sight.clocks![place]!)) === true;
    if (!isSame) this.#value = undefined;
    this.#sight = sight;
    this.#snapshot = undefined;
  }

  #ticked(clocks: readonly number[]): Sight['clocks'] {
    if (clocks.length === 0) return this.#sight.clocks;
    const ticked = [...(this.#sight.clocks ?? [])];
    for (let i = 0; i < clocks.length; i += 2) {
      const ticks = ticked[clocks[i]!]! + clocks[i + 1]!;
      // NaN where there is no such place: the shape refuses it.
      ticked[clocks[i]!] = this.#filter.clocks === 'shallow' ? ticks % 2 : ticks;
    }
    return ticked;
  }

  #mustFit({ clocks }: Sight): void {
    const count = this.#states?.names.length;
    if (clocks?.length !== count)
      throw new LockstepError('BAD_PARAMS', `what is seen has ${clocks?.length ?? 'no'} clocks, expected those of ${count ?? 'no'} states`);
  }

  // ── What is shown, and what is not ─────────────────────────────────────────────────────────────────────────────

  get states(): StateNames {
    if (this.#states === undefined) throw hidden('clocks');
    return this.#states;
  }

  get clocks(): readonly number[] {
    if (this.#sight.clocks === undefined) throw hidden('clocks');
    return [0, ...this.#sight.clocks];
  }

  get confirmedClocks(): readonly number[] | undefined {
    return this.#states && this.clocks;
  }

  tick(state: string): number {
    if (this.#states === undefined) throw hidden(`the clock of ${state}`);
    return this.clocks[this.#states.stateNumber(state)]!;
  }

  can(event: EventObject): boolean {
    throw hidden(`what "${event.type}" would do`);
  }

  predict(): boolean {
    return false;
  }

  rebase(): void {
    // Nothing of one's own is ahead of it.
  }

  dispose(): void {
    // Plain JSON; nothing to give back.
  }

  #shown(): Snapshot {
    const { status, tags, context, output, error } = this.#sight;
    const value = (this.#value ??= this.#valueOf());
    const tagSet: ReadonlySet<string> = new Set(tags);
    const face: SnapshotFace = {
      value: () => value as StateValue,
      tags: () => tagSet,
      active: () => [...pathsOf(value as StateValue, '')],
      canFrom: (_key, _context, event) => {
        throw hidden(`what "${event.type}" would do`);
      },
    };
    if (!isSelective(this.#filter)) return new Snapshot(face, 0, status, context, output, error);
    return new FilteredSnapshot(face, (path) => this.#isShown(path), { status, context, output, error });
  }

  #valueOf(): Json {
    const { clocks, value } = this.#sight;
    if (clocks === undefined || this.#states === undefined) return value;
    const active = this.#states.names.filter((_, place) => isActive(clocks[place]!));
    return this.#states.isRelational ? Object.freeze(Object.fromEntries(active.map((name) => [name, NOTHING]))) : valueOfPaths(active);
  }

  #isShown(path: string): boolean {
    return this.#states === undefined ? shows(this.#filter, path) : this.#states.names.includes(path);
  }
}

const NOTHING: Json = Object.freeze({});

/** A snapshot that knows which states it does not show. */
class FilteredSnapshot extends Snapshot {
  readonly #shows: (path: string) => boolean;

  constructor(
    face: SnapshotFace,
    shown: (path: string) => boolean,
    { status, context, output, error }: Pick<Snapshot, 'status' | 'context' | 'output' | 'error'>,
  ) {
    super(face, 0, status, context, output, error);
    this.#shows = shown;
  }

  /** @throws LockstepError UNSUPPORTED when the pattern names a state that the filter leaves out. */
  override matches(pattern: Json): boolean {
    for (const path of askedBy(pattern)) if (!this.#shows(path)) throw leftOut(path);
    return super.matches(pattern);
  }

  /** A state that is left out may have any. */
  override get tags(): ReadonlySet<string> {
    throw hidden('tags while it leaves states out', 'filter');
  }

  override hasTag(tag: string): boolean {
    throw hidden(`whether there is the tag "${tag}" while it leaves states out`, 'filter');
  }
}

/** Those that a filter shows, in the order of their clocks. */
class ShownStates implements StateNames {
  readonly names: readonly string[];
  readonly isRelational: boolean;
  readonly isPartial: boolean;
  readonly #numbers: ReadonlyMap<string, number>;

  constructor(names: readonly string[], isRelational: boolean, isPartial: boolean) {
    this.names = names;
    this.isRelational = isRelational;
    this.isPartial = isPartial;
    this.#numbers = new Map(names.map((name, place) => [name, place + 1]));
  }

  stateNumber(name: string): number {
    const number = this.#numbers.get(name);
    if (number !== undefined) return number;
    throw this.isPartial ? leftOut(name) : new LockstepError('BAD_PARAMS', `there is no state "${name}"`);
  }
}

/** Key paths, outermost first; a view has no ids. */
function* pathsOf(value: StateValue, path: string): Iterable<string> {
  if (typeof value === 'string') yield path + value;
  else
    for (const [key, inner] of Object.entries(value)) {
      yield path + key;
      yield* pathsOf(inner, `${path}${key}.`);
    }
}

function isActive(tick: number): boolean {
  return tick % 2 === 1;
}

function leftOut(state: string): LockstepError {
  return new LockstepError(
    'UNSUPPORTED',
    `the filter of this mirror leaves out the state "${state}": whether it is active is not known here`,
  );
}

function hidden(what: string, by: 'partial view' | 'filter' = 'partial view'): LockstepError {
  return new LockstepError('UNSUPPORTED', `a ${by} does not show ${what}`);
}
