// What one start or step did, read from the core's output before the next one overwrites it. Parts are worked out when they are asked for,
// so that a local machine whose effects nobody records pays only for what it uses.

import { RECORD_EFFECT, RECORD_ENTER, RECORD_EXIT, RECORD_HISTORY } from '../assembly/layout.ts';
import type { ContextMark, EventObject, Json } from './json.ts';
import { diff } from './diff.ts';
import type { Operation } from './patch.ts';
import type { Request } from './request.ts';
import type { MadeRequest } from './run.ts';
import type { ChildChange, HostResult, Status, TimerChange } from './step.ts';
import type { PendingChange } from './pending.ts';

/** In the place of a function number: the effect was asked for by an earlier step. */
export const FN_NONE = -1;

/** An effect to run, with the context and the event that it saw. */
export interface Effect {
  /** Function number in the image, or FN_NONE. */
  readonly fn: number;
  /** The author's name for it, or its path. */
  readonly name: string;
  readonly context: Json;
  readonly event: EventObject;
  /** What a builtin asks for; without one the author's function is to be called. */
  readonly request?: Request;
}

/** Everything Outcome needs of the run; owned by it afterwards. */
export interface OutcomeSource {
  readonly taken: boolean;
  /** The core's records, {kind << 24 | arg, aux} each. */
  readonly records: readonly number[];
  /** Whether this is step 1: its patch makes the whole context. */
  readonly first: boolean;
  /** Whether it is XState's first step. */
  readonly startsActorsFirst: boolean;
  readonly before: Json;
  readonly after: Json;
  /** The one before the first assign and the one after each; undefined when none ran. */
  readonly contexts: readonly ContextMark[] | undefined;
  /** What the core itself says; else the difference of before and after. */
  readonly patch: readonly Operation[] | undefined;
  readonly requests: readonly MadeRequest[] | undefined;
  readonly host: readonly HostResult[];
  readonly status: Status | undefined;
  readonly output: Json | undefined;
  readonly error: string | undefined;
  readonly pending: PendingChange;
  /** Of its stamp: ASKED_TIME, ASKED_CHANCE. */
  readonly asked: number;
  readonly historyMemory: readonly (readonly [history: number, states: readonly number[]])[];
  eventOf(handle: number): EventObject;
  nameOf(fn: number): string;
}

const NO_CLOCKS: readonly number[] = Object.freeze([]);
const NO_EFFECTS: readonly Effect[] = Object.freeze([]);
const NO_REQUESTS: readonly MadeRequest[] = Object.freeze([]);

export class Outcome {
  readonly #source: OutcomeSource;

  constructor(source: OutcomeSource) {
    this.#source = source;
  }

  /** False: the event enabled nothing. It still has a place in the order. */
  get taken(): boolean {
    return this.#source.taken;
  }

  /** The core's own records of what happened, in order. */
  get records(): readonly number[] {
    return this.#source.records;
  }

  /** state, ticks, state, ticks, … ascending by state. */
  get clocks(): readonly number[] {
    return clocksOf(this.#source.records);
  }

  get history(): OutcomeSource['historyMemory'] {
    return this.#source.historyMemory;
  }

  /** Only when it changed. */
  get status(): Status | undefined {
    return this.#source.status;
  }

  get output(): Json | undefined {
    return this.#source.output;
  }

  get error(): string | undefined {
    return this.#source.error;
  }

  /** The context that the step began with; null at the first one, whose patch makes it all. */
  get before(): Json {
    return this.#source.first ? null : this.#source.before;
  }

  get after(): Json {
    return this.#source.after;
  }

  /** What the step did to the context. */
  get patch(): readonly Operation[] {
    return this.#source.patch ?? diff(this.before, this.after);
  }

  get host(): readonly HostResult[] {
    return this.#source.host;
  }

  get timers(): readonly TimerChange[] {
    return this.#source.pending.timers;
  }

  get children(): readonly ChildChange[] {
    return this.#source.pending.children;
  }

  /** Ids made so far, when this step made some. */
  get ids(): number | undefined {
    return this.#source.pending.ids;
  }

  /** Which parts of the stamp its functions looked at: ASKED_TIME, ASKED_CHANCE. */
  get asked(): number {
    return this.#source.asked;
  }

  get effects(): readonly Effect[] {
    return effectsOf(this.#source);
  }
}

function clocksOf(records: readonly number[]): readonly number[] {
  let ticks: Map<number, number> | undefined;
  for (let i = 0; i < records.length; i += 2) {
    const kind = records[i]! >>> 24;
    if (kind !== RECORD_ENTER && kind !== RECORD_EXIT) continue;
    const state = records[i]! & 0xffffff;
    ticks ??= new Map();
    ticks.set(state, (ticks.get(state) ?? 0) + 1);
  }
  if (ticks === undefined) return NO_CLOCKS;
  if (ticks.size === 1) return [...ticks].flat();
  return [...ticks].sort(([a], [b]) => a - b).flat();
}

/** The author's effects and the requests of builtins, in the order in which they are carried out. */
function effectsOf(source: OutcomeSource): readonly Effect[] {
  const effects = effectsAsMade(source);
  return source.requests === undefined ? effects : inOrder(effects, source.startsActorsFirst);
}

/**
 * An actor that the same step stops again, or whose id another one takes, never starts; what had its id before is stopped in its place.
 * In its first step a machine of XState starts its actors before anything else that it asks for.
 */
function inOrder(effects: readonly Effect[], startsActorsFirst: boolean): readonly Effect[] {
  if (startsActorsFirst) {
    const others = effects.filter((effect, index) => !isOfActors(effect.request) && !isLost(effect, effects.slice(index + 1)));
    return [...starts(effects), ...others.map(inTime)];
  }
  return effects.map((effect, index): Effect => {
    const { request } = effect;
    if (request?.kind !== 'spawn') return effect;
    const { id } = request.child;
    return effects.slice(index + 1).some((later) => touches(later, id)) ? { ...effect, request: { kind: 'stop', id } } : effect;
  });
}

/** The actors that are left at the end of a first step, in the order of their ids. */
function starts(effects: readonly Effect[]): Iterable<Effect> {
  const left = new Map<string, Effect>();
  for (const effect of effects) {
    const { request } = effect;
    if (request?.kind === 'spawn') left.set(request.child.id, effect);
    else if (request?.kind === 'stop') left.delete(request.id);
  }
  return left.values();
}

function isOfActors(request: Request | undefined): boolean {
  return request?.kind === 'spawn' || request?.kind === 'stop';
}

/** Whether it is sent to an actor that does not start, because the step stops it or gives its id away. */
function isLost({ request }: Effect, later: readonly Effect[]): boolean {
  if (request?.kind !== 'send') return false;
  return later.filter((effect) => touches(effect, request.to)).length > (request.isEarly === true ? 1 : 0);
}

/** Whether it starts or stops an actor of that id. */
function touches({ request }: Effect, id: string): boolean {
  return request?.kind === 'spawn' ? request.child.id === id : request?.kind === 'stop' && request.id === id;
}

/** Sent when its receiver runs. */
function inTime(effect: Effect): Effect {
  const { request } = effect;
  if (request?.kind !== 'send' || request.isEarly !== true) return effect;
  return { ...effect, request: { kind: 'send', to: request.to, event: request.event } };
}

/** In the order in which they came up. */
function effectsAsMade(source: OutcomeSource): readonly Effect[] {
  const { records, contexts } = source;
  const requests = source.requests ?? NO_REQUESTS;
  let effects: Effect[] | undefined;
  let seen = 0;
  let made = 0;
  for (let i = 0; i <= records.length; i += 2) {
    const number = i >>> 1;
    for (; made < requests.length && requests[made]!.at <= number; made++) (effects ??= []).push(requested(source, requests[made]!));
    if (i === records.length || records[i]! >>> 24 !== RECORD_EFFECT) continue;
    while (contexts !== undefined && seen + 1 < contexts.length && contexts[seen + 1]!.from <= number) seen++;
    const fn = records[i]! & 0xffffff;
    const context = contexts === undefined ? source.before : contexts[seen]!.context;
    (effects ??= []).push({ fn, name: source.nameOf(fn), context, event: source.eventOf(records[i + 1]!) });
  }
  return effects ?? NO_EFFECTS;
}

function requested(source: OutcomeSource, { fn, context, event, request }: MadeRequest): Effect {
  return { fn, name: request.kind === 'call' ? request.name : source.nameOf(fn), context, event, request };
}

/** History numbers whose memory changed, each once. */
export function changedHistories(records: readonly number[]): number[] {
  const changed = new Set<number>();
  for (let i = 0; i < records.length; i += 2) {
    if (records[i]! >>> 24 === RECORD_HISTORY) changed.add(records[i]! & 0xffffff);
  }
  return [...changed].sort((a, b) => a - b);
}
