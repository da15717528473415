// An image as tools look at it: its states as a tree, its transitions with names for what they are called, and which transitions stand
// ready for an event. Read from the bytes that the core runs (assembly/layout), so that what is shown is what ran. Pure.

import {
  EVENT_ENTRY_COUNT,
  EVENT_SIZE,
  EVENT_STARTS,
  GUARD_HOST,
  GUARD_IN,
  IMAGE_CANDIDATES,
  IMAGE_EVENTS,
  IMAGE_LISTS,
  IMAGE_RELATIONS,
  IMAGE_SELECT,
  IMAGE_STATES,
  IMAGE_TRANSITIONS,
  IMAGE_TRANSITION_COUNT,
  NONE16,
  RELATION_REMOVE,
  RELATION_REQUIRE,
  RELATION_SIZE,
  SEMANTICS_RELATIONAL,
  STATE_END,
  STATE_KIND,
  STATE_PARENT,
  STATE_SIZE,
  TARGET_HISTORY,
  TRANSITION_EVENT,
  TRANSITION_GUARD_ARG,
  TRANSITION_GUARD_KIND,
  TRANSITION_SIZE,
  TRANSITION_SOURCE,
  TRANSITION_TARGETS,
} from '../../assembly/layout.ts';
import { eventResolver } from '../../core/descriptor.ts';
import { readImage } from '../../core/image.ts';
import type { Symbols } from '../../core/symbols.ts';
import { xxh64 } from '../../core/xxh64.ts';
import { eventText } from './names.ts';

export type ChartStateKind = 'atomic' | 'compound' | 'parallel' | 'final';
const KINDS: readonly ChartStateKind[] = ['atomic', 'compound', 'parallel', 'final'];

export interface ChartState {
  readonly number: number;
  readonly key: string;
  readonly id: string;
  readonly kind: ChartStateKind;
  /** -1 for the root. */
  readonly parent: number;
  /** Last descendant; the state itself when it has none. */
  readonly end: number;
  readonly depth: number;
  readonly tags: readonly string[];
}

export interface ChartTransition {
  readonly number: number;
  readonly source: number;
  /** `always`, an event type or wildcard, or `initial`. */
  readonly event: string;
  /** Keys of the states and history nodes it leads to; empty when it stays. */
  readonly targets: readonly string[];
  /** The author's name of the guard, or what it asks; `guard` for one without a name. */
  readonly guard: string | undefined;
}

/** What a drawing needs to know of a machine, wherever that is known from. */
export interface ChartShape {
  /** In document order, the root first; no history nodes. */
  readonly states: readonly ChartState[];
  readonly transitions: readonly ChartTransition[];
  /** Key path from the root, without the root: `a.b`; the root's own key for the root. */
  path(state: number): string;
  /** `idle —HELLO [isReady]→ busy` */
  describe(transition: number): string;
  timerName(timer: number): string;
  /** Of a relational machine: its states have relations, and no transitions. */
  readonly isRelational?: boolean;
}

/** What a state of a relational machine says of others, by number. */
export interface ChartRelations {
  readonly require: readonly number[];
  readonly remove: readonly number[];
}

export class Chart implements ChartShape {
  readonly hash: string;
  readonly symbols: Symbols;
  readonly isRelational: boolean;
  readonly states: readonly ChartState[];
  readonly transitions: readonly ChartTransition[];
  readonly #view: DataView;
  readonly #eventNumber: (type: string) => number;

  /** @throws LockstepError BAD_IMAGE when the bytes are no image. */
  constructor(bytes: Uint8Array) {
    const image = readImage(bytes, xxh64);
    this.hash = image.hash;
    this.symbols = image.symbols;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#eventNumber = eventResolver(image.symbols.events);
    this.isRelational = (image.semantics & SEMANTICS_RELATIONAL) !== 0;
    this.states = this.#readStates();
    const count = this.#view.getUint32(IMAGE_TRANSITION_COUNT, true);
    this.transitions = Array.from({ length: count }, (_, number) => this.#readTransition(number));
  }

  /** The event number that `always` transitions are listed under. */
  get always(): number {
    return this.symbols.events.length;
  }

  eventNumber(type: string): number {
    return this.#eventNumber(type);
  }

  /** Transitions listed for an event number, as the core meets them: state by state in document order, each state's in priority order. */
  candidates(event: number): readonly number[] {
    const view = this.#view;
    const at = view.getUint32(IMAGE_EVENTS, true) + event * EVENT_SIZE;
    const entries = view.getUint32(at + EVENT_ENTRY_COUNT, true);
    const select = view.getUint32(IMAGE_SELECT, true);
    const starts = select + view.getUint32(at + EVENT_STARTS, true) * 4;
    if (entries === 0) return [];
    const from = view.getUint32(starts, true);
    const to = view.getUint32(starts + entries * 4, true);
    const candidates = view.getUint32(IMAGE_CANDIDATES, true);
    return Array.from({ length: to - from }, (_, i) => view.getUint32(candidates + (from + i) * 4, true));
  }

  /** What a host function is called: the author's name, or where it stands in the definition. */
  functionName(fn: number): string {
    const symbol = this.symbols.functions[fn];
    return symbol?.name ?? symbol?.path ?? `function ${fn}`;
  }

  timerName(timer: number): string {
    return this.symbols.timers[timer] ?? `timer ${timer}`;
  }

  /** Key path from the root, without the root: `a.b`; the root's own key for the root. */
  path(state: number): string {
    return pathOf(this.states, state);
  }

  /** `idle —HELLO [isReady]→ busy` */
  describe(transition: number): string {
    return describeTransition(this, this.transitions[transition]!);
  }

  #readStates(): ChartState[] {
    const at = this.#view.getUint32(IMAGE_STATES, true);
    const states: ChartState[] = [];
    this.symbols.states.forEach((symbol, number) => {
      const state = at + number * STATE_SIZE;
      const parent = this.#view.getUint16(state + STATE_PARENT, true);
      states.push({
        number,
        key: symbol.key,
        id: symbol.id,
        kind: KINDS[this.#view.getUint8(state + STATE_KIND)] ?? 'atomic',
        parent: parent === NONE16 ? -1 : parent,
        end: this.#view.getUint16(state + STATE_END, true),
        depth: parent === NONE16 ? 0 : states[parent]!.depth + 1,
        tags: symbol.tags ?? [],
      });
    });
    return states;
  }

  #readTransition(number: number): ChartTransition {
    const at = this.#view.getUint32(IMAGE_TRANSITIONS, true) + number * TRANSITION_SIZE;
    const event = this.#view.getUint16(at + TRANSITION_EVENT, true);
    return {
      number,
      source: this.#view.getUint16(at + TRANSITION_SOURCE, true),
      event: event === NONE16 ? 'initial' : event === this.always ? 'always' : (this.symbols.events[event] ?? `event ${event}`),
      targets: this.#readTargets(this.#view.getUint32(at + TRANSITION_TARGETS, true)),
      guard: this.#guardName(this.#view.getUint16(at + TRANSITION_GUARD_KIND, true), this.#view.getUint32(at + TRANSITION_GUARD_ARG, true)),
    };
  }

  relations(state: number): ChartRelations {
    const at = this.#view.getUint32(IMAGE_RELATIONS, true) + state * RELATION_SIZE;
    const list = (field: number): number[] => this.#list(this.#view.getUint32(at + field, true));
    return { require: list(RELATION_REQUIRE), remove: list(RELATION_REMOVE) };
  }

  #list(list: number): number[] {
    const at = this.#view.getUint32(IMAGE_LISTS, true) + list * 4;
    const count = this.#view.getUint32(at, true);
    return Array.from({ length: count }, (_, i) => this.#view.getInt32(at + 4 + i * 4, true));
  }

  #readTargets(list: number): string[] {
    return this.#list(list).map((word) => {
      const history = word & ~TARGET_HISTORY;
      return (word & TARGET_HISTORY) === 0 ? this.path(word) : (this.symbols.histories[history]?.id ?? `history ${history}`);
    });
  }

  #guardName(kind: number, arg: number): string | undefined {
    if (kind === GUARD_HOST) return guardText(this.functionName(arg));
    return kind === GUARD_IN ? `in ${this.path(arg)}` : undefined;
  }
}

/** A function that the author gave no name is called by where it stands, which is where a guard is shown anyway. */
function guardText(name: string): string {
  return name.startsWith('/') ? 'guard' : name;
}

export function pathOf(states: readonly ChartState[], state: number): string {
  const keys: string[] = [];
  for (let at = state; at > 0; at = states[at]!.parent) keys.unshift(states[at]!.key);
  return keys.length === 0 ? states[0]!.key : keys.join('.');
}

export function describeTransition(chart: ChartShape, { source, event, guard, targets }: ChartTransition): string {
  const condition = guard === undefined ? '' : ` [${guard}]`;
  const to = targets.length === 0 ? '(stays)' : targets.join(', ');
  return `${chart.path(source)} —${eventText(event)}${condition}→ ${to}`;
}
