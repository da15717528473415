// What the machines of the simulation do, written down a second time in the plainest way: a checker folds its own states from the events
// of the log and never asks the product. Shares no code with what it checks.

import { type Kind, mutate, type Relation, type Relations, type Ticks } from '../reference/relations.ts';

export interface ModelEvent {
  readonly type: string;
  /** Of a mutation. */
  readonly states?: readonly string[];
  readonly args?: { readonly id?: string; readonly key?: number; readonly isBad?: boolean };
  /** Of one that was piped here: what it tells is of another mutation. */
  readonly source?: object;
  readonly id?: string;
  readonly name?: string;
  /** Of an echo: the id of what it answers. */
  readonly of?: string;
}

export interface ModelState {
  /** Of a relational machine the ticks of its states. */
  readonly value: string | Readonly<Record<string, number>>;
  readonly context: Readonly<Record<string, unknown>> & { readonly count?: number };
  /** The effect that the step brings about, by the number or the id that it is known by. */
  readonly ring?: number | string;
  /** Of effects that threw: how many have not brought their exception. */
  readonly broken?: number;
  /** When each timer that is running is due, by the type of its event. */
  readonly due: Readonly<Record<string, number>>;
}

/** @returns undefined when the machine ignores the event. */
type Model = (state: ModelState, event: ModelEvent, at: number) => ModelState | undefined;

const CLOSING = 'xstate.after.3000.desk.open';
const STILL = 'xstate.after.900.meter.running';
/** Events that only a timer may bring, with how long it waits in milliseconds. */
export const TIMED: Readonly<Record<string, number>> = { [CLOSING]: 3_000, PONG: 700, [STILL]: 900 };

interface DeskContext {
  readonly count: number;
  readonly names: readonly string[];
  readonly isWaiting: boolean;
  readonly pongs: number;
  readonly [field: string]: unknown;
}

const desk: Model = ({ value, context, due }, event, at) => {
  const seen = context as DeskContext;
  const counted = { ...seen, count: seen.count + 1 };
  const ring = counted.count;
  switch (event.type) {
    case 'OPEN':
      return value === 'closed' ? { value: 'open', context: counted, ring, due: { ...due, [CLOSING]: at + TIMED[CLOSING]! } } : undefined;
    case 'CLOSE':
      return value === 'open' ? { value: 'closed', context: counted, due: without(due, CLOSING) } : undefined;
    case CLOSING:
      return value === 'open' ? { value: 'closed', context: counted, ring, due: without(due, CLOSING) } : undefined;
    case 'NAME':
      return event.name === '' ? undefined : { value, context: { ...counted, names: [...seen.names, event.id ?? ''] }, ring, due };
    case 'PING':
      if (seen.isWaiting) return undefined;
      return { value, context: { ...counted, isWaiting: true }, due: { ...due, PONG: at + TIMED['PONG']! } };
    case 'PONG':
      return { value, context: { ...counted, isWaiting: false, pongs: seen.pongs + 1 }, ring, due: without(due, 'PONG') };
    default:
      return undefined;
  }
};

const lamp: Model = ({ value, context, due }, { type, id }) => {
  if (type !== 'TOGGLE') return undefined;
  const { toggles } = context as { readonly toggles: number };
  return { value: value === 'off' ? 'on' : 'off', context: { toggles: toggles + 1, last: id ?? '' }, due };
};

const meter: Model = ({ value, context, due }, { type, id }, at) => {
  const { readings, ids } = context as { readonly readings: number; readonly ids: readonly string[] };
  switch (type) {
    case 'START':
      return value === 'still' ? { value: 'running', context, due: { ...due, [STILL]: at + TIMED[STILL]! } } : undefined;
    case STILL:
      return value === 'running' ? { value: 'still', context, due: without(due, STILL) } : undefined;
    case 'READ':
      return { value, context: { readings: readings + 1, last: at, ids: [...ids, id ?? ''] }, due };
    default:
      return undefined;
  }
};

interface CliffContext {
  readonly called: readonly string[];
  readonly heard: readonly string[];
}

/** An echo of nothing, or a second one, is none: the machine would take it. */
const cliff: Model = ({ value, context, due }, { type, id = '', of = '' }) => {
  const { called, heard } = context as unknown as CliffContext;
  switch (type) {
    case 'CALL':
    case 'WHISPER':
      return { value, context: { called: [...called, id], heard }, ring: id, due };
    case 'ECHO':
      return called.includes(of) && !heard.includes(of) ? { value, context: { called, heard: [...heard, of] }, due } : undefined;
    default:
      return undefined;
  }
};

/** Ids of what has no echo yet. */
export function unanswered({ context }: ModelState): readonly string[] {
  const { called, heard } = context as unknown as CliffContext;
  return called.filter((id) => !heard.includes(id));
}

const family: Model = ({ value, context, due }, { type }) => {
  const { sent, heard } = context as { readonly sent: number; readonly heard: number };
  switch (type) {
    case 'START':
      return value === 'idle' ? { value: 'busy', context, due } : undefined;
    case 'STOP':
    case 'xstate.error.actor.kid':
      return value === 'busy' ? { value: 'idle', context, due } : undefined;
    case 'TASK':
      return value === 'busy' ? { value, context: { sent: sent + 1, heard }, due } : undefined;
    case 'HEARD':
      return { value, context: { sent, heard: heard + 1 }, due };
    default:
      return undefined;
  }
};

const kid: Model = ({ value, context, due }, { type, id }) =>
  type === 'WORK' ? { value, context: { names: [...(context as { readonly names: readonly string[] }).names, id ?? ''] }, due } : undefined;

interface VaultContext {
  readonly public: { readonly names: readonly string[] };
  readonly hidden: Readonly<Record<string, readonly string[]>>;
  readonly isBanning: boolean;
}

const vault: Model = ({ value, context, due }, { type, id = '' }) => {
  const before = context as unknown as VaultContext;
  const name = senderOf(id);
  switch (type) {
    case 'SHOW':
      return { value: 'open', context: { ...before, public: { names: [...before.public.names, `shown-${id}`] } }, due };
    case 'HIDE': {
      const hidden = { ...before.hidden, [name]: [...(before.hidden[name] ?? []), `hidden-${id}`] };
      return { value: 'plotting', context: { ...before, hidden }, due };
    }
    case 'BAN':
    case 'PARDON':
      return { value, context: { ...before, isBanning: type === 'BAN' }, due };
    default:
      return undefined;
  }
};

/** Ids begin with the name of the peer that sent the event. */
export function senderOf(id: string): string {
  return /^[a-z]*/.exec(id)![0];
}

/** Readers of the vault with a partial view, and what it shows. */
const SEEN: Readonly<Record<string, (context: VaultContext, reader: string) => unknown>> = {
  alice: mine,
  vera: mine,
  bob: ({ public: shown }) => shown,
  carol: ({ public: shown }) => shown,
};

function mine({ public: shown, hidden }: VaultContext, reader: string): unknown {
  return { public: shown, mine: hidden[reader] ?? [] };
}

/** What a reader sees of a state; undefined where it sees all of it. */
export function seenBy(reader: string, instance: string, { context }: ModelState): { value: unknown; context: unknown } | undefined {
  const see = instance === 'vault' ? SEEN[reader] : undefined;
  return see === undefined ? undefined : { value: {}, context: see(context as unknown as VaultContext, reader) };
}

/** Whether a reader may see a state of the vault at all. */
export function mayRead(reader: string, { context }: ModelState): boolean {
  return reader !== 'carol' || context['isBanning'] !== true;
}

export function mayWrite(writer: string, instance: string): boolean {
  return instance !== 'vault' || writer !== 'bob';
}

/** What in a text a reader may never see, whatever the state: what others hid, and where the vault is. */
export function notFor(reader: string, text: string): string | undefined {
  if (SEEN[reader] === undefined) return undefined;
  if (text.includes('plotting')) return 'plotting';
  for (const [hidden, sender] of text.matchAll(/hidden-([a-z]*)[\d.]*/g)) if (sender !== reader || SEEN[reader] !== mine) return hidden;
  return undefined;
}

function without(due: ModelState['due'], type: string): ModelState['due'] {
  return Object.fromEntries(Object.entries(due).filter(([each]) => each !== type));
}

const PLAIN: Relation = { add: [], remove: [], require: [], after: [], isAuto: false, isMulti: false };
const EXCEPTION: readonly [string, Relation] = ['Exception', { ...PLAIN, isMulti: true }];
const GATE: Relations = new Map([
  ['Bell', { ...PLAIN, isMulti: true }],
  ['Closed', { ...PLAIN, remove: ['Open'], isAuto: true }],
  EXCEPTION,
  ['Lit', { ...PLAIN, add: ['Bell'] }],
  ['Locked', { ...PLAIN, require: ['Closed'] }],
  ['Open', { ...PLAIN, remove: ['Closed'], after: ['Bell'] }],
]);
const PANEL: Relations = new Map([EXCEPTION, ['Locked', PLAIN], ['Open', PLAIN]]);

/** A relational machine, by the slow resolver. @param ring the final handler that is an effect, of the machine that has handlers. */
function related(relations: Relations, ring?: string): { readonly initial: ModelState; readonly next: Model } {
  const names = [...relations.keys()];
  const ticked = (ticks: Ticks): Readonly<Record<string, number>> => Object.fromEntries(names.map((name) => [name, ticks.get(name)!]));
  const next: Model = ({ value, context, due, broken = 0 }, { type, states = [], args }) => {
    const ticks = new Map(Object.entries(value as Readonly<Record<string, number>>));
    const says = (handler: string): boolean => ring === undefined || handler !== 'LockedEnter' || args?.key === 42;
    const made = mutate(relations, ticks, { kind: type.replace('relational.', '') as Kind, states }, says);
    if (!made.isMade) return undefined;
    const isException = type === 'relational.exception';
    if (isException && broken === 0) return undefined;
    const isRung = ring !== undefined && !isException && made.finals.includes(ring);
    const after = { value: ticked(made.ticks), context, due, broken: isException ? broken - 1 : broken };
    return isRung ? { ...after, ring: args?.id ?? '', broken: broken + (args?.isBad === true ? 1 : 0) } : after;
  };
  return { initial: { value: ticked(new Map(names.map((name) => [name, 0]))), context: {}, due: {} }, next };
}

/** Names of the states of a relational machine; undefined of others. */
export function statesOf(instance: string): readonly string[] | undefined {
  const { value } = modelOf(instance).initial;
  return typeof value === 'string' ? undefined : Object.keys(value);
}

const MODELS: Readonly<Record<string, { readonly initial: ModelState; readonly next: Model }>> = {
  desk: { initial: { value: 'closed', context: { count: 0, names: [], isWaiting: false, pongs: 0 }, due: {} }, next: desk },
  front: { initial: { value: 'closed', context: { count: 0, names: [], isWaiting: false, pongs: 0 }, due: {} }, next: desk },
  lamp: { initial: { value: 'off', context: { toggles: 0, last: '' }, due: {} }, next: lamp },
  family: { initial: { value: 'idle', context: { sent: 0, heard: 0 }, due: {} }, next: family },
  vault: { initial: { value: 'open', context: { public: { names: [] }, hidden: {}, isBanning: false }, due: {} }, next: vault },
  meter: { initial: { value: 'still', context: { readings: 0, last: 0, ids: [] }, due: {} }, next: meter },
  cliff: { initial: { value: 'calm', context: { called: [], heard: [] }, due: {} }, next: cliff },
  gate: related(GATE, 'BellState'),
  panel: related(PANEL),
  kid: { initial: { value: '', context: { names: [] }, due: {} }, next: kid },
};

/** The model of an instance, by the part of its name that says what it is. */
export function modelOf(instance: string): { readonly initial: ModelState; readonly next: Model } {
  const name = instance.split(/[/:]/).at(-1) ?? '';
  const model = MODELS[name];
  if (model === undefined) throw new Error(`no model of ${instance}`);
  return model;
}
