// The copy behind a mirror with a partial view: the document that the view shows, moved by patches, without an image. It has no clocks and
// runs no events; what it shows is what the authority confirmed.

import { LockstepError } from '../core/errors.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { HashText } from '../core/digest.ts';
import type { StateValue } from '../core/machine.ts';
import { applyPatch, type Operation } from '../core/patch.ts';
import { plain } from '../core/plain.ts';
import { Snapshot, type SnapshotFace } from '../core/snapshot.ts';
import { checked } from './shape.ts';
import type { Sight } from './sight.ts';
import { sightDigest } from './sighting.ts';
import { sight as sightShape } from './wire-shapes.ts';

export class SightReplica {
  /** Nothing to run events with. */
  readonly machine = undefined;
  readonly predicts = false;
  readonly #hash: HashText;
  #sight: Sight;
  #snapshot: Snapshot | undefined;
  seq: number;

  constructor(hash: HashText, seq: number, sight: Sight) {
    this.#hash = hash;
    this.seq = seq;
    this.#sight = plain(sight, '') as unknown as Sight;
  }

  get status(): Sight['status'] {
    return this.#sight.status;
  }

  digest(): string {
    return sightDigest(this.#hash, this.#sight);
  }

  /** The same object until something in it changes. */
  snapshot(): Snapshot {
    return (this.#snapshot ??= snapshotOf(this.#sight));
  }

  load(seq: number, sight: Sight): void {
    this.#see(sight);
    this.seq = seq;
  }

  /**
   * @param base the step as of which the authority's room was told last.
   * @throws LockstepError STALE_SEQ when something is missing before this, BAD_PARAMS when it does not fit; nothing changed then.  (VIEW-8)
   */
  apply(base: number, seq: number, patch: readonly Operation[]): void {
    if (seq <= this.seq) return;
    if (base > this.seq) throw new LockstepError('STALE_SEQ', `have ${this.seq}, got what changed since ${base}`);
    if (patch.length > 0) this.#see(checked('what is seen', sightShape, applyPatch(this.#sight as unknown as Json, patch)));
    this.seq = seq;
  }

  /** What is the same stays the same object, so that nobody draws it again. */
  #see(sight: Sight): void {
    this.#sight = plain(sight, '') as unknown as Sight;
    this.#snapshot = undefined;
  }

  // ── What only a whole replica has ──────────────────────────────────────────────────────────────────────────────

  get clocks(): readonly number[] {
    throw partial('clocks');
  }

  tick(state: string): number {
    throw partial(`the clock of ${state}`);
  }

  can(event: EventObject): boolean {
    throw partial(`what "${event.type}" would do`);
  }

  predict(): boolean {
    return false;
  }

  rebase(): void {
    // Nothing of one's own is ever ahead of it.
  }

  dispose(): void {
    // Plain JSON; nothing to give back.
  }
}

function snapshotOf({ status, value, tags, context, output, error }: Sight): Snapshot {
  const tagSet: ReadonlySet<string> = new Set(tags);
  const face: SnapshotFace = {
    value: () => value as StateValue,
    tags: () => tagSet,
    active: () => [...pathsOf(value as StateValue, '')],
    canFrom: (_key, _context, event) => {
      throw partial(`what "${event.type}" would do`);
    },
  };
  return new Snapshot(face, 0, status, context, output, error);
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

function partial(what: string): LockstepError {
  return new LockstepError('UNSUPPORTED', `a partial view does not show ${what}`);
}
