// One typed line to a command with its arguments. Words stand between spaces, or in quotes; JSON is read to its own end, so it needs none.
// Nothing here knows what a command does.

import { LockstepError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { COMMANDS, COMMAND_NAMES, isCommand, usage, type CommandName, type CommandShape, type Parameter } from './table.ts';

/** Argument texts by parameter name; those left out are absent. */
export type Arguments = { readonly [parameter: string]: string };

export interface ParsedCommand {
  readonly command: CommandName;
  readonly args: Arguments;
}

const WORD = /^(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"']\S*))(?=\s|$)/;
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m)?$/;
const UNIT_MS = { ms: 1, s: 1_000, m: 60_000 } as const;

/**
 * @returns undefined for an empty line and for a comment, which begins with `#`.
 * @throws LockstepError UNKNOWN_METHOD for an unknown command, BAD_PARAMS when its arguments do not fit the table.
 */
export function parseLine(line: string): ParsedCommand | undefined {
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return undefined;
  const name = text.split(/\s/, 1)[0]!;
  if (!isCommand(name)) throw new LockstepError('UNKNOWN_METHOD', `no command "${name}"${suggestion(name)}; try help`);
  return { command: name, args: parseArguments(name, text.slice(name.length).trim()) };
}

function parseArguments(command: CommandName, text: string): Arguments {
  const shape: CommandShape = COMMANDS[command];
  const args: Record<string, string> = {};
  let rest = text;
  for (const parameter of shape.parameters) {
    if (rest === '') {
      if (parameter.optional === true) continue;
      throw new LockstepError('BAD_PARAMS', `${command} needs ${parameter.name}: ${usage(command)}`);
    }
    if (isSkipped(parameter, rest)) continue;
    const taken = take(command, parameter, rest);
    args[parameter.name] = taken.value;
    rest = rest.slice(taken.size).trim();
  }
  if (rest !== '') throw new LockstepError('BAD_PARAMS', `${command} does not expect "${rest}": ${usage(command)}`);
  return args;
}

/** An optional word is left out when JSON stands in its place. */
function isSkipped(parameter: Parameter, rest: string): boolean {
  return parameter.optional === true && parameter.kind !== 'json' && parameter.kind !== 'rest' && /^[{[]/.test(rest);
}

function take(command: CommandName, parameter: Parameter, text: string): { readonly value: string; readonly size: number } {
  switch (parameter.kind) {
    case 'rest':
      return { value: text, size: text.length };
    case 'json':
      return takeJson(command, parameter, text);
    case 'state':
      return /^[{[]/.test(text) ? takeJson(command, parameter, text) : takeWord(command, parameter, text);
    default:
      return takeWord(command, parameter, text);
  }
}

function takeWord(command: CommandName, parameter: Parameter, text: string): { readonly value: string; readonly size: number } {
  const match = WORD.exec(text);
  if (match === null) throw new LockstepError('BAD_PARAMS', `${command}: the quote in ${parameter.name} is not closed`);
  const value = match[1]?.replaceAll(/\\(.)/g, '$1') ?? match[2] ?? match[3]!;
  if (value === '') throw new LockstepError('BAD_PARAMS', `${command}: ${parameter.name} is empty`);
  return { value, size: match[0].length };
}

function takeJson(command: CommandName, parameter: Parameter, text: string): { readonly value: string; readonly size: number } {
  const size = jsonSize(text);
  const value = text.slice(0, size);
  try {
    JSON.parse(value);
  } catch (error) {
    throw new LockstepError('BAD_PARAMS', `${command}: ${parameter.name} is not JSON: ${(error as SyntaxError).message}`);
  }
  return { value, size };
}

/** Characters of the JSON value that `text` begins with: to the closing bracket, or to the space after a scalar. */
function jsonSize(text: string): number {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (quoted) {
      if (character === '\\') i++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (depth === 0 && /\s/.test(character)) return i;
    if (depth === 0 && !quoted && /["}\]]/.test(character)) return i + 1;
  }
  return text.length;
}

/** A JSON argument's value; the parser has checked it. */
export function jsonOf(text: string | undefined): Json | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Json);
}

/** `a.b`, or a state value as JSON. */
export function stateOf(text: string): Json {
  return /^[{[]/.test(text) ? (JSON.parse(text) as Json) : text;
}

/** @returns milliseconds. @throws LockstepError BAD_PARAMS */
export function durationMs(text: string): number {
  const match = DURATION.exec(text);
  if (match === null) throw new LockstepError('BAD_PARAMS', `"${text}" is no duration: expected 500, 500ms, 10s or 2m`);
  return Number(match[1]) * UNIT_MS[(match[2] ?? 'ms') as keyof typeof UNIT_MS];
}

/** The nearest command, when it is near: one letter wrong, missing, too many, or two swapped; or a beginning. */
function suggestion(name: string): string {
  const near = COMMAND_NAMES.find((command) => command.startsWith(name) || distance(command, name) <= 2);
  return near === undefined ? '' : `, did you mean ${near}?`;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
