// The commands of the REPL as data: parsing, help and completion all read this table, so that they cannot disagree. What a command does
// is in session.ts, under the same name.

/** What a parameter holds: how it is read from the line, and what completes it. */
export type ParameterKind =
  /** One of the command names. */
  | 'command'
  | 'peer'
  | 'instance'
  | 'machine'
  /** A new name. */
  | 'name'
  /** An event type of the instance named before it. */
  | 'event'
  /** A state of the instance named before it: `a.b`, or a state value as JSON. */
  | 'state'
  /** States of the instance named before it, with commas between them. */
  | 'states'
  /** One JSON value; may hold spaces. */
  | 'json'
  /** `500` or `500ms`, `10s`, `2m`. */
  | 'duration'
  | 'switch'
  | 'file'
  /** Everything up to the end of the line. */
  | 'rest';

export interface Parameter {
  readonly name: string;
  readonly kind: ParameterKind;
  readonly optional?: true;
}

export interface CommandShape {
  readonly parameters: readonly Parameter[];
  readonly summary: string;
}

const instance: Parameter = { name: 'INSTANCE', kind: 'instance' };
const peer: Parameter = { name: 'PEER', kind: 'peer' };
const state: Parameter = { name: 'STATE', kind: 'state' };
const states: Parameter = { name: 'STATES', kind: 'states' };
const timeout: Parameter = { name: 'TIMEOUT', kind: 'duration', optional: true };
const mutation: readonly Parameter[] = [instance, states, { name: 'ARGS', kind: 'json', optional: true }];

export const COMMANDS = {
  help: { parameters: [{ name: 'COMMAND', kind: 'command', optional: true }], summary: 'what can be typed here' },
  peers: { parameters: [], summary: 'who is connected, and who of them hosts machines' },
  use: { parameters: [peer], summary: 'attach to a peer: bare instance and machine names are then its own' },
  ls: { parameters: [{ ...peer, optional: true }], summary: 'machines and instances of the attached or the named peer' },
  inspect: { parameters: [instance], summary: 'value, context, status, seq, clocks, timers, machine, image and digest' },
  send: {
    parameters: [instance, { name: 'EVENT', kind: 'event' }, { name: 'JSON', kind: 'json', optional: true }],
    summary: 'send an event; JSON holds its other fields; answered when the step is durable',
  },
  watch: { parameters: [instance], summary: 'print every change of an instance from now on' },
  unwatch: { parameters: [instance], summary: 'stop printing the changes of an instance' },
  wait: {
    parameters: [instance, state, timeout],
    summary: 'wait until the state matches; fails with TIMEOUT after TIMEOUT (10s unless given)',
  },
  add: { parameters: mutation, summary: 'activate states (A,B) of a relational machine; ARGS is for its handlers' },
  remove: { parameters: mutation, summary: 'deactivate states of a relational machine' },
  set: { parameters: mutation, summary: 'activate these states of a relational machine, and no others but what they imply' },
  toggle: { parameters: mutation, summary: 'deactivate states when all of them are active, else activate them' },
  when: {
    parameters: [instance, states, timeout],
    summary: 'wait until states are active, or with - in front inactive (A,-B), all at once',
  },
  time: { parameters: [instance, state], summary: 'how often a state was entered and left: its clock; odd means active' },
  create: {
    parameters: [
      { name: 'MACHINE', kind: 'machine' },
      { name: 'NAME', kind: 'name', optional: true },
      { name: 'INPUT', kind: 'json', optional: true },
    ],
    summary: 'start an instance of a machine',
  },
  delete: { parameters: [instance], summary: 'end an instance and forget it' },
  define: {
    parameters: [
      { name: 'NAME', kind: 'name' },
      { name: 'FILE.json', kind: 'file' },
    ],
    summary: 'publish the machine in a JSON file, in XState form',
  },
  trace: { parameters: [{ name: 'on|off', kind: 'switch', optional: true }], summary: 'print every step of the attached peer' },
  eval: {
    parameters: [peer, { name: 'SOURCE', kind: 'rest' }],
    summary: 'run JavaScript in a peer that opted in to it',
  },
  quit: { parameters: [], summary: 'leave' },
} as const satisfies { readonly [name: string]: CommandShape };

export type CommandName = keyof typeof COMMANDS;

/** In the order of the table. */
export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];

export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** `send INSTANCE EVENT [JSON]` */
export function usage(name: CommandName): string {
  const shape: CommandShape = COMMANDS[name];
  return [name, ...shape.parameters.map((parameter) => (parameter.optional === true ? `[${parameter.name}]` : parameter.name))].join(' ');
}

/** One line per command, or two about one of them. */
export function helpText(name?: CommandName): string {
  if (name !== undefined) return `${usage(name)}\n  ${COMMANDS[name].summary}`;
  const width = Math.max(...COMMAND_NAMES.map((each) => usage(each).length));
  return COMMAND_NAMES.map((each) => `${usage(each).padEnd(width)}  ${COMMANDS[each].summary}`).join('\n');
}
