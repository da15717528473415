// What is compared of a machine after every event, by either side.

import { alike, textOf } from './log.ts';

/** Effects first: the first difference is then the earliest. */
export interface View {
  readonly effects: readonly string[];
  /** What children and listeners were told. */
  readonly outside: readonly string[];
  readonly states: readonly string[];
  readonly value: unknown;
  readonly context: unknown;
  readonly status: string;
  readonly output: unknown;
  readonly timers: readonly string[];
  readonly children: readonly string[];
  readonly tags: readonly string[];
  readonly meta: unknown;
  /** Of status error, as far as both say it in the same words. */
  readonly error: string | undefined;
}

/** How a step ended that has no view. */
export type Fault =
  /** Out of microsteps. */
  | 'loop'
  /** Machine and children send each other events without an end. */
  | 'storm';

/** Events of its own making that a machine may get in one move. */
export const MAIL_MAX = 40;

/** A difference between XState and us, as opposed to a chart that neither runs. */
export class Differs extends Error {}

/** @throws Differs showing the first line that differs. */
export function compare(what: string, expected: unknown, found: unknown): void {
  const [one, other] = [expected, found].map((value) => alike(JSON.stringify(value, undefined, 1) ?? 'undefined').split('\n'));
  const line = one!.findIndex((text, index) => text !== other![index]);
  if (line < 0 && one!.length === other!.length) return;
  const part = (lines: readonly string[]): string => lines.slice(Math.max(0, line - 3), line + 5).join('\n');
  throw new Differs(`after ${what}, from line ${line}\nXState in document order:\n${part(one!)}\nours:\n${part(other!)}`);
}

/** The name of something that waits for its time, the same on both sides: what it will send, to whom, and when. */
export function timerKey(event: unknown, to: string, delayMs: number): string {
  return `${textOf(event)} to ${alike(to)} ${delayMs}`;
}

/** What an error says, in the words that both sides have: what a function or a child threw, or that there was nobody to send to. */
export function errorWords(error: unknown): string {
  const text = error instanceof Error ? error.message : typeof error === 'string' ? error : JSON.stringify(error);
  return /ill\W*\d+|Unable to send event to actor '\w+'/.exec(text)?.[0] ?? 'something else';
}

/** The same value with its keys in one order. */
export function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const fields = value as { readonly [key: string]: unknown };
  return Object.fromEntries(
    Object.keys(fields)
      .sort()
      .map((key) => [key, sorted(fields[key])]),
  );
}
