// What the functions of a random chart have in common: they look at all that they are given, and what acts writes down what it saw.

import { printsAs } from '../support/print-config.ts';
import { Features } from './features.ts';

export interface Given {
  readonly context: unknown;
  readonly event: unknown;
}

/** A child actor in the hands of the test: what it does of its own accord. */
export interface Kid {
  poke(what: number, k: number): void;
}

/** What the effects of a run saw, in order, and what reached the world outside: children, parent and listeners. */
export class Log {
  readonly entries: string[] = [];
  readonly outside: string[] = [];
  readonly features = new Features();
  /** By id: the children of the side that runs. */
  kids = new Map<string, Kid>();

  write(name: string, found: Given, params: unknown): void {
    this.entries.push(`${name} ${textOf([found.context, found.event, params])}`);
  }

  take(): string[] {
    return this.entries.splice(0);
  }

  takeOutside(): string[] {
    return this.outside.splice(0);
  }
}

/** FNV-1a over everything a function can see. */
export function mix(found: Given, salt: unknown): number {
  const text = textOf([found.context, found.event, salt]);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** An action that writes down what it saw. */
export function effect(log: Log, name: string): (found: Given, params: unknown) => void {
  return printsAs(`effect('${name}')`, (found: Given, params: unknown): void => {
    log.write(name, found, params);
  });
}

// ── Alike on both sides ──────────────────────────────────────────────────────────────────────────────────────────

/** XState numbers actors that nobody named with one counter for the whole process, we by their logic and a counter of the instance. */
const UNNAMED = /x:\d+|(?:kid|vow|flow|tide|sum|inner|actor)\.\d+/g;

/** As JSON. Of a child's snapshot what is data; actors that nobody named are numbered as they appear. */
export function textOf(value: unknown): string {
  return alike(JSON.stringify(value, seesSnapshot(value) ? dataOnly : undefined) ?? 'undefined');
}

export function alike(text: string): string {
  if (!text.includes('x:') && !text.includes('.')) return text;
  const numbers = new Map<string, number>();
  return text.replaceAll(UNNAMED, (id) => {
    const number = numbers.get(id) ?? numbers.size;
    numbers.set(id, number);
    return `~${number}`;
  });
}

const SNAPSHOT = 'xstate.snapshot.';

/** Whether the event among these values carries a snapshot. */
function seesSnapshot(value: unknown): boolean {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.some((one) => typeof (one as Typed | undefined)?.type === 'string' && (one as Typed).type.startsWith(SNAPSHOT));
}

interface Typed {
  readonly type: string;
  readonly snapshot: Readonly<Record<string, unknown>>;
}

function dataOnly(this: unknown, key: string, value: unknown): unknown {
  if (key !== 'snapshot' || !seesSnapshot(this)) return value;
  const { status, value: state, context, output } = (this as Typed).snapshot;
  return { status, value: state, context, output };
}
