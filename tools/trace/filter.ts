// Which steps a person wants to see. Pure.

import type { Entry } from './entry.ts';

/** What is left out or empty does not restrict. */
export interface Filter {
  readonly peer?: string;
  readonly instance?: string;
  readonly event?: string;
  /** Found anywhere in the record as JSON, whatever the case. */
  readonly text?: string;
  /** Whether steps that changed nothing are left out. */
  readonly hideIgnored?: boolean;
}

export function matches(entry: Entry, filter: Filter): boolean {
  const { peer, step } = entry.record;
  if (isSet(filter.peer) && peer !== filter.peer && step.cause.peer !== filter.peer) return false;
  if (isSet(filter.instance) && step.instance !== filter.instance) return false;
  if (isSet(filter.event) && step.cause.event.type !== filter.event) return false;
  if (filter.hideIgnored === true && step.ignored === true) return false;
  return !isSet(filter.text) || JSON.stringify(entry.record).toLowerCase().includes(filter.text.toLowerCase());
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
