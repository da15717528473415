// What foo and bar tell each other, and the log that each of them keeps. Pure functions: they run wherever the machines do.

export interface Message {
  readonly from: string;
  readonly text: string;
}
export type Log = readonly Message[];

/** Messages that a log keeps; older ones fall out. */
const KEPT_MAX = 50;
/** Characters of a message. */
const TEXT_MAX = 500;

/** The guard of both machines: an empty message is refused, wherever it comes from. */
export function saysSomething(text: unknown): text is string {
  return typeof text === 'string' && text.trim() !== '';
}

export function append(log: Log, from: unknown, text: string): Log {
  return [...log, { from: String(from).slice(0, TEXT_MAX), text: text.trim().slice(0, TEXT_MAX) }].slice(-KEPT_MAX);
}
