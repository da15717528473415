// Pipes: what a relational machine does becomes mutations of another one, or events of a statechart, and the other way around. Each end runs
// here or is a mirror of what runs elsewhere; what a mirror predicts is not piped, only what is confirmed. (docs/relational.md, Pipes)
//
// Ordered: all pipes of a source hear a step before any hears the next one, in the order in which they were laid; each target gets what its
// pipes send in that order. Of one step a pipe takes away first, then brings in.

import type { Actor, Standing, Subscription } from '../actor.ts';
import { LockstepError } from '../errors.ts';
import type { EventObject, Json } from '../json.ts';
import type { MutationSource } from '../mutation.ts';
import type { MutationOptions } from './types.ts';
import { list, type Names, type RelationalStep, type RelationalView } from './view.ts';
import type { Clocks } from './waits.ts';

/** What takes mutations: a machine that runs here, or the face of a mirror. */
export type PipeTarget = RelationalView & {
  add(states: readonly string[], args?: Json, options?: Pick<MutationOptions, 'source'>): unknown;
  remove(states: readonly string[], args?: Json, options?: Pick<MutationOptions, 'source'>): unknown;
  set(states: readonly string[], args?: Json, options?: Pick<MutationOptions, 'source'>): unknown;
};

export interface PipeOptions {
  /** Hears of mutations that the other side refused, or that could not be handed over. Without it they are passed over: a pipe goes on. */
  failed?(error: unknown): void;
  /** Sends no mutation that the target has no need of, and no args. */
  readonly isFlat?: boolean;
}

/** Ends a pipe; also ended by the end of its source. */
export type Pipe = Subscription;

const EXCEPTION = 'Exception';
const ERROR_PREFIX = 'Err';

// ── One state ────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * When `state` begins at the source, `active` is added to the target; when it ends, `inactive` is removed. A state named Err… brings Exception.
 * @param active, inactive default to `state`.
 * @throws LockstepError BAD_PARAMS for names that are no states.
 */
export function bind(
  source: RelationalView,
  target: PipeTarget,
  { state, active = state, inactive = active, ...options }: PipeOptions & { state: string; active?: string; inactive?: string },
): Pipe {
  const ends = [
    pipeAdd(source, target, { state, to: active, ...options }),
    pipeRemove(source, target, { state, to: inactive, ...options }),
  ];
  return { unsubscribe: () => ends.forEach((end) => end.unsubscribe()) };
}

/** Half of `bind`: only what begins. */
export function pipeAdd(source: RelationalView, target: PipeTarget, options: PipeOptions & { state: string; to?: string }): Pipe {
  return pipeMany(source, target, { ...options, begins: [[options.state, options.to ?? options.state]], ends: [] });
}

/** Half of `bind`: only what ends. */
export function pipeRemove(source: RelationalView, target: PipeTarget, options: PipeOptions & { state: string; to?: string }): Pipe {
  return pipeMany(source, target, { ...options, begins: [], ends: [[options.state, options.to ?? options.state]] });
}

// ── Several ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `bind` for several states at once: what one step brings in is one mutation, and so is what it ends. @param to by place; the same names unless given. */
export function bindMany(
  source: RelationalView,
  target: PipeTarget,
  { states, to = states, ...options }: PipeOptions & { states: readonly string[]; to?: readonly string[] },
): Pipe {
  if (to.length !== states.length)
    throw new LockstepError('BAD_PARAMS', `a pipe from ${source.id} has ${states.length} states here and ${to.length} there`);
  const pairs = states.map((state, index) => [state, to[index]!] as const);
  return pipeMany(source, target, { ...options, begins: pairs, ends: pairs });
}

/**
 * The whole machine: after each step that moves the source, the target has the states that the source has. What only begins is added, what
 * only ends is removed; a step that does both sets all that is active, and Multi states among them begin anew.
 * @throws LockstepError BAD_PARAMS when the target has not all states of the source.
 */
export function bindAny(source: RelationalView, target: PipeTarget, options: PipeOptions = {}): Pipe {
  mustHave(target, source.names);
  return source.onStep((step) => {
    const { names } = source;
    const begun = names.filter((_, index) => isBegun(step, index + 1));
    const ended = names.filter((_, index) => isEnded(step, index + 1));
    const send = sender(source, target, step, options);
    if (ended.length === 0) send('add', begun);
    else if (begun.length === 0) send('remove', ended);
    else send('set', activeOf(source, step.after));
  });
}

/** Errors: when Exception begins, `state` and Exception are added. @param state default: Exception alone. */
export function bindErr(
  source: RelationalView,
  target: PipeTarget,
  { state = EXCEPTION, ...options }: PipeOptions & { state?: string } = {},
): Pipe {
  return pipeAdd(source, target, { state: EXCEPTION, to: state, ...options });
}

type Renamed = PipeOptions & { readonly active?: string; readonly inactive?: string };

export function bindStart(source: RelationalView, target: PipeTarget, options: Renamed = {}): Pipe {
  return bind(source, target, { state: 'Start', ...options });
}

export function bindReady(source: RelationalView, target: PipeTarget, options: Renamed = {}): Pipe {
  return bind(source, target, { state: 'Ready', ...options });
}

const CONNECTION = {
  disconnected: 'Disconnected',
  connecting: 'Connecting',
  connected: 'Connected',
  disconnecting: 'Disconnecting',
} as const;

/** The four states of a connection, each to the state that is named for it; those without a name are left out. */
export function bindConnected(
  source: RelationalView,
  target: PipeTarget,
  to: { readonly [state in keyof typeof CONNECTION]?: string },
  options: PipeOptions = {},
): Pipe {
  const named = (Object.keys(CONNECTION) as (keyof typeof CONNECTION)[]).filter((state) => to[state] !== undefined);
  return bindMany(source, target, { states: named.map((state) => CONNECTION[state]), to: named.map((state) => to[state]!), ...options });
}

/**
 * Brings the target's states to what the source has now, predictions aside: for the beginning, and when a process that held pipes came back.
 * Lay the pipes first, then sync: what happens in between is in order.
 * @param states those of both machines unless given.
 * @returns how many were not the same.
 */
export function sync(
  source: RelationalView,
  target: PipeTarget,
  { states = source.names.filter((name) => target.has(name)), ...options }: PipeOptions & { readonly states?: readonly string[] } = {},
): number {
  mustHave(source, states);
  mustHave(target, states);
  const clocks = source.confirmedClocks();
  const isActive = (state: string): boolean => (clocks[numberOf(source, state)]! & 1) === 1;
  const missing = states.filter((state) => isActive(state) && target.not(state));
  const extra = states.filter((state) => !isActive(state) && target.is(state));
  const send = sender(source, target, undefined, { ...options, isFlat: true });
  send('remove', extra);
  send('add', missing);
  return missing.length + extra.length;
}

// ── Statecharts ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** An actor whose standing may change. */
type Watched = Actor<never, never, never> & { onStanding?(observer: (standing: Standing) => void): Subscription };

/** A relational state begins: a statechart, here or elsewhere, gets an event. @param event or what makes it of the mutation's args. */
export function pipeEvent(
  source: RelationalView,
  target: { send(event: EventObject): void },
  { state, event, failed }: Pick<PipeOptions, 'failed'> & { state: string; event: EventObject | ((args: Json) => EventObject) },
): Pipe {
  mustHave(source, [state]);
  return source.onStep((step) => {
    if (!isBegun(step, numberOf(source, state))) return;
    try {
      target.send(typeof event === 'function' ? event(step.args ?? null) : event);
    } catch (error) {
      failed?.(error);
    }
  });
}

/**
 * While a statechart matches a pattern, a relational state is active: added when it begins to match, and now if it does, removed when it no
 * longer does. What a mirror predicts, and what it shows while it is cut off, is not piped.
 */
export function bindValue(
  source: Pick<Actor, 'id' | 'standing'> &
    Pick<Watched, 'onStanding'> & {
      getSnapshot(): { matches(pattern: never): boolean };
      subscribe(observer: () => void): Subscription;
    },
  target: PipeTarget,
  { pattern, state, ...options }: PipeOptions & { pattern: Json; state: string },
): Pipe {
  mustHave(target, [state]);
  let was = target.is(state);
  const review = (): void => {
    if (source.standing !== 'confirmed') return;
    const is = source.getSnapshot().matches(pattern as never);
    if (is === was) return;
    was = is;
    hand(options, () => target[is ? 'add' : 'remove']([state], undefined, { source: { machine: source.id, time: 0 } }));
  };
  const subscriptions = [source.subscribe(review), source.onStanding?.(review)];
  review();
  return { unsubscribe: () => subscriptions.forEach((each) => each?.unsubscribe()) };
}

// ── How it is sent ───────────────────────────────────────────────────────────────────────────────────────────────────

interface Pairs extends PipeOptions {
  readonly begins: readonly (readonly [from: string, to: string])[];
  readonly ends: readonly (readonly [from: string, to: string])[];
}

function pipeMany(source: RelationalView, target: PipeTarget, { begins, ends, ...options }: Pairs): Pipe {
  for (const [from, to] of [...begins, ...ends]) {
    mustHave(source, [from]);
    mustHave(target, [to]);
  }
  return source.onStep((step) => {
    const send = sender(source, target, step, options);
    send(
      'remove',
      ends.filter(([from]) => isEnded(step, numberOf(source, from))).map(([, to]) => to),
    );
    send(
      'add',
      begins.filter(([from]) => isBegun(step, numberOf(source, from))).flatMap(([, to]) => withException(to)),
    );
  });
}

/** Hands mutations over, and says where they come from. @param step undefined: no step, but what is. */
function sender(
  source: RelationalView,
  target: PipeTarget,
  step: RelationalStep | undefined,
  options: PipeOptions,
): (kind: 'add' | 'remove' | 'set', states: readonly string[]) => void {
  const origin: MutationSource = { machine: source.id, time: sum(step?.before ?? source.confirmedClocks()) };
  return (kind, states) => {
    const called = [...new Set(states)];
    if (called.length === 0) return;
    if (options.isFlat === true && kind === 'add' && target.is(called)) return;
    if (options.isFlat === true && kind === 'remove' && target.not(called)) return;
    hand(options, () => target[kind](called, options.isFlat === true ? undefined : step?.args, { source: origin }));
  };
}

/** A mutation that is refused, now or later, ends no pipe. */
function hand({ failed }: PipeOptions, mutate: () => unknown): void {
  try {
    Promise.resolve(mutate()).catch((error: unknown) => failed?.(error));
  } catch (error) {
    failed?.(error);
  }
}

function withException(state: string): readonly string[] {
  return state.startsWith(ERROR_PREFIX) ? [state, EXCEPTION] : [state];
}

function mustHave(machine: RelationalView, states: Names<string>): void {
  const missing = list(states).filter((state) => !machine.has(state));
  if (missing.length > 0)
    throw new LockstepError('BAD_PARAMS', `${machine.id} has no state ${missing.map((name) => `"${name}"`).join(', ')}`);
}

function numberOf(machine: RelationalView, state: string): number {
  return machine.names.indexOf(state) + 1;
}

function activeOf(machine: RelationalView, clocks: Clocks): readonly string[] {
  return machine.names.filter((_, index) => isOdd(clocks[index + 1]!));
}

function isBegun({ before, after }: RelationalStep, state: number): boolean {
  return isOdd(after[state]!) && after[state] !== before[state];
}

/** Not active any more; a state that came and went within one step, or behind a snapshot, has ended too. */
function isEnded({ before, after }: RelationalStep, state: number): boolean {
  return !isOdd(after[state]!) && after[state] !== before[state];
}

function isOdd(tick: number): boolean {
  return (tick & 1) === 1;
}

/** 0 is the root. */
function sum(clocks: Clocks): number {
  return clocks.slice(1).reduce((total, tick) => total + tick, 0);
}
