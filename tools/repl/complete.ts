// What could stand where the cursor is: from the table and from the names that the session knows. Asks nobody.

import { COMMANDS, COMMAND_NAMES, isCommand, type CommandShape, type ParameterKind } from './table.ts';

/** Names as they are now; asked for when they are needed. */
export interface Names {
  readonly peers: readonly string[];
  readonly instances: readonly string[];
  readonly machines: readonly string[];
  events(instance: string): readonly string[];
  states(instance: string): readonly string[];
}

/** In the shape that node:readline takes: what fits, and the text that it would replace. */
export type Completion = readonly [fitting: string[], text: string];

export function complete(line: string, names: Names): Completion {
  const words = line.trimStart().split(/\s+/);
  const text = words.at(-1) ?? '';
  if (words.length <= 1) return [fit(COMMAND_NAMES, text), text];
  const command = words[0]!;
  if (!isCommand(command)) return [[], text];
  const shape: CommandShape = COMMANDS[command];
  const parameter = shape.parameters[words.length - 2];
  if (parameter === undefined) return [[], text];
  if (parameter.kind === 'states') return completeStates(names.states(words[1]!), text);
  return [fit(candidates(parameter.kind, words[1]!, names), text), text];
}

/** The last of several names. */
function completeStates(states: readonly string[], text: string): Completion {
  const at = Math.max(text.lastIndexOf(',') + 1, 0);
  const begun = text.slice(at).replace(/^-/, '');
  const kept = text.slice(0, text.length - begun.length);
  return [fit(states, begun).map((state) => kept + state), text];
}

/** The instance whose events or states could complete the line, if it is at that. */
export function needsMachineOf(line: string): string | undefined {
  const [command = '', instance, ...rest] = line.trimStart().split(/\s+/);
  if (!isCommand(command) || rest.length !== 1) return undefined;
  const shape: CommandShape = COMMANDS[command];
  const kind = shape.parameters[1]?.kind;
  return kind === 'event' || kind === 'state' || kind === 'states' ? instance : undefined;
}

/** Those that begin with the text, each with the space that follows a whole word. */
function fit(candidates: readonly string[], text: string): string[] {
  return candidates.filter((candidate) => candidate.startsWith(text)).map((candidate) => `${candidate} `);
}

function candidates(kind: ParameterKind, first: string, names: Names): readonly string[] {
  switch (kind) {
    case 'command':
      return COMMAND_NAMES;
    case 'peer':
      return names.peers;
    case 'instance':
      return names.instances;
    case 'machine':
      return names.machines;
    case 'event':
      return names.events(first);
    case 'state':
    case 'states':
      return names.states(first);
    case 'switch':
      return ['on', 'off'];
    case 'name':
    case 'json':
    case 'duration':
    case 'file':
    case 'rest':
      return [];
  }
}
