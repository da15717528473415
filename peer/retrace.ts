// A peer that comes back from its journal remembers in its trace what it did before: the steps that it read anyway.

import type { StoredInstance } from './journal.ts';
import { KEPT_MAX } from './tracer.ts';
import type { PeerId, TraceRecord } from './wire.ts';

/**
 * @param self who ordered them.
 * @returns the newest steps of all these instances, as many as a trace keeps, in the order of their clocks; those of one instance by seq. Of steps
 * before its checkpoint nothing: they were not read.
 */
export function retrace(stored: readonly StoredInstance[], self: PeerId): readonly TraceRecord[] {
  let newest: TraceRecord[] = [];
  const cut = (): void => {
    newest = newest.sort((one, other) => one.step.at - other.step.at).slice(-KEPT_MAX);
  };
  for (const { record, steps } of stored) {
    const { machine, image } = record;
    for (const step of steps.slice(-KEPT_MAX)) newest.push({ kind: 'step', peer: self, machine, image, step });
    // Not all of a large journal is kept at once.
    if (newest.length >= KEPT_MAX * 8) cut();
  }
  cut();
  return newest;
}
