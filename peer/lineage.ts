// Which histories an instance has gone through: every authority begins a new one, in a higher epoch, that goes on from a step of the one
// before. Two histories of an instance are the same up to the step where the later one left the other. Pure. (docs/topologies.md)

/** Histories that are told of: whoever was away for more cannot say which of its own steps are lost. */
const LINEAGE_MAX = 16;

/** The histories that one goes on from, oldest first: each one's epoch, and the last step that was taken over from it. */
export type Lineage = readonly (readonly [epoch: number, last: number])[];

/** One history, told from its beginning. */
export interface Descent {
  readonly epoch: number;
  readonly lineage: Lineage;
}

/** The lineage of a history that goes on from step `last` of this one. */
export function continued({ epoch, lineage }: Descent, last: number): Lineage {
  return [...lineage, [epoch, last] as const].slice(-LINEAGE_MAX);
}

/** The last step that two histories, of two authorities, both have; undefined when it is not known. */
export function lastCommon(one: Descent, other: Descent): number | undefined {
  // Two may have taken it over in one epoch: what they made of it there is not the same.
  const isOneEpoch = one.epoch === other.epoch;
  const others = new Map(isOneEpoch ? other.lineage : whole(other));
  for (const [epoch, last] of [...(isOneEpoch ? one.lineage : whole(one))].reverse()) {
    const theirs = others.get(epoch);
    if (theirs !== undefined) return Math.min(last, theirs);
  }
  return undefined;
}

function whole({ epoch, lineage }: Descent): (readonly [epoch: number, last: number])[] {
  return [...lineage, [epoch, Infinity]];
}
