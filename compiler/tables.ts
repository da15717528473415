// The tables of an image: numbers states, events, transitions, functions, timers and raises in document order and fills the records of
// assembly/layout. Every number written here is the index of something that this file has numbered before.

import * as layout from '../assembly/layout.ts';
import { AUTO_EVENT } from '../core/mutation.ts';
import type { FunctionSymbol, StateSymbol, Symbols } from '../core/symbols.ts';
import type { ActionDefinition, Definition, GuardDefinition, TimerDefinition, TransitionDefinition } from './definition.ts';
import { planInitial, planTransition, type Plan } from './entry.ts';
import { candidateFinder, collectEvents, DONE_PREFIX, type Candidates, type Events } from './events.ts';
import { relationTables } from './relations.ts';
import { bad, isHistory, numberTree, unsupported, type History, type State, type Tree } from './tree.ts';
import { Records, Words, type ImageTables } from './writer.ts';

type RecordTables = Pick<
  ImageTables,
  'states' | 'events' | 'transitions' | 'histories' | 'timers' | 'raises' | 'lists' | 'select' | 'candidates'
>;

interface Numbered {
  readonly source: State;
  readonly definition: TransitionDefinition;
  readonly plan: Plan;
  /** Event number, the eventless pseudo-event, or NONE16 for an initial transition or a history default. */
  readonly event: number;
}

const KIND = {
  atomic: layout.KIND_ATOMIC,
  compound: layout.KIND_COMPOUND,
  parallel: layout.KIND_PARALLEL,
  final: layout.KIND_FINAL,
} as const;

const WORD_BITS = 32;

export class Tables {
  readonly #definition: Definition;
  readonly #tree: Tree;
  readonly #scxml: boolean;
  readonly #events: Events;
  readonly #transitions: Numbered[] = [];
  readonly #transitionNumbers = new Map<TransitionDefinition, number>();
  readonly #initials = new Map<State, number>();
  readonly #defaults = new Map<History, number>();
  readonly #listed = new Map<State, ReadonlyMap<string, readonly number[]>>();
  readonly #always = new Map<number, readonly number[]>();
  readonly #timers: { readonly state: State; readonly definition: TimerDefinition }[] = [];
  readonly #timerNumbers = new Map<TimerDefinition, number>();
  readonly #functions: FunctionSymbol[] = [];
  readonly #raises: Symbols['raises'][number][] = [];
  readonly #raiseNumbers = new Map<string, number>();
  readonly #lists = new Words([0]);
  readonly #records: RecordTables;

  /** @throws LockstepError BAD_DEFINITION, UNSUPPORTED. */
  constructor(definition: Definition) {
    this.#definition = definition;
    this.#tree = numberTree(definition);
    this.#scxml = definition.semantics !== undefined;
    this.#events = collectEvents(this.#tree, this.#scxml ? DONE_PREFIX.scxml : DONE_PREFIX.xstate);
    this.#checkLimit('states', this.#tree.states.length, layout.STATE_MAX);
    this.#checkLimit('events', this.#events.types.length, layout.EVENT_MAX);
    for (const state of this.#tree.states) this.#numberState(state);
    for (const history of this.#tree.histories) this.#checkCircle(history);
    this.#checkLimit('transitions', this.#transitions.length, layout.TRANSITION_MAX);
    this.#records = this.#fill();
  }

  records(): RecordTables {
    return this.#records;
  }

  /** By transition number. */
  transitionPaths(): string[] {
    return this.#transitions.map(({ definition }) => definition.path);
  }

  symbols(): Symbols {
    const { context, id, relations } = this.#definition;
    const contextFunction = 'function' in context ? this.#functions.length : undefined;
    return {
      id,
      states: this.#tree.states.map(stateSymbol),
      histories: this.#tree.histories.map(({ definition }) => ({ key: definition.key, id: definition.id })),
      events: this.#events.types,
      functions: 'function' in context ? [...this.#functions, context.function] : this.#functions,
      timers: this.#timers.map(({ definition }) => definition.event),
      raises: this.#raises,
      ...(relations?.done === undefined ? {} : { doneState: relations.done }),
      ...('value' in context ? { context: context.value } : {}),
      ...(contextFunction === undefined ? {} : { contextFunction }),
    };
  }

  // ── Numbering ──────────────────────────────────────────────────────────────────────────────────────────────────

  #numberState(state: State): void {
    const { definition } = state;
    if (definition.initial !== undefined) this.#initials.set(state, this.#addInitial(state, definition.initial));
    const listed = new Map<string, number[]>();
    for (const { descriptor, transitions } of definition.on) {
      const event = this.#events.numberOf(descriptor);
      const numbers = transitions.map((transition) => this.#addTransition(state, transition, event));
      listed.set(descriptor, [...(listed.get(descriptor) ?? []), ...numbers]);
    }
    this.#listed.set(state, listed);
    const always = definition.always.map((transition) => this.#addTransition(state, transition, this.#events.types.length));
    if (always.length > 0) this.#always.set(state.number, always);
    for (const timer of definition.timers) {
      this.#timerNumbers.set(timer, this.#timers.length);
      this.#timers.push({ state, definition: timer });
    }
    for (const history of state.histories) this.#addDefault(history);
  }

  #addTransition(source: State, definition: TransitionDefinition, event: number): number {
    const known = this.#transitionNumbers.get(definition);
    if (known !== undefined) return known;
    const plan = planTransition(this.#asked(source, definition));
    const number = this.#transitions.push({ source, definition, plan, event }) - 1;
    this.#transitionNumbers.set(definition, number);
    return number;
  }

  #asked(source: State, transition: TransitionDefinition): Parameters<typeof planTransition>[0] {
    return { machine: this.#definition.id, semantics: this.#definition.semantics, tree: this.#tree, source, transition };
  }

  #addInitial(source: State, definition: TransitionDefinition): number {
    const plan = planInitial(this.#asked(source, definition));
    return this.#transitions.push({ source, definition, plan, event: layout.NONE16 }) - 1;
  }

  /** A history default is only ever asked for its targets, at run time. */
  #addDefault(history: History): void {
    const { path, targets } = history.definition;
    if (targets === undefined) return;
    const nodes = targets.map((id) => this.#tree.find(id, path));
    for (const node of nodes) {
      const place = isHistory(node) ? node.parent : node;
      const inside = place.number >= history.parent.number + (isHistory(node) ? 0 : 1) && place.number <= history.parent.end;
      if (!inside)
        throw bad(this.#definition.id, path, `its default target '${node.definition.id}' lies outside '${history.parent.definition.id}'`);
    }
    const definition = { path, targets, reenter: false, actions: history.definition.actions ?? [] };
    const plan: Plan = { kind: 'dynamic', targets: nodes };
    this.#defaults.set(history, this.#transitions.push({ source: history.parent, definition, plan, event: layout.NONE16 }) - 1);
  }

  /** A default that leads back to its own history node, through other history nodes or the parent's initial state. */
  #checkCircle(start: History): void {
    const seen = new Set<History>();
    const open = [start];
    for (let history = open.pop(); history !== undefined; history = open.pop()) {
      if (seen.has(history) && history === start) {
        throw bad(
          this.#definition.id,
          start.definition.path,
          `the history node '${start.definition.id}' stands for itself while it remembers nothing`,
        );
      }
      if (seen.has(history)) continue;
      seen.add(history);
      const { targets, path } = history.definition;
      const next = targets ?? history.parent.definition.initial?.targets ?? [];
      open.push(...next.map((id) => this.#tree.find(id, path)).filter(isHistory));
    }
  }

  #addFunction(symbol: FunctionSymbol): number {
    return this.#functions.push(symbol) - 1;
  }

  #addRaise(event: Symbols['raises'][number]): number {
    const key = JSON.stringify(event);
    const known = this.#raiseNumbers.get(key);
    if (known !== undefined) return known;
    this.#raiseNumbers.set(key, this.#raises.length);
    return this.#raises.push(event) - 1;
  }

  #checkLimit(what: string, count: number, max: number): void {
    if (count > max) throw unsupported(this.#definition.id, '', `it has ${count} ${what}, an image holds ${max}`);
  }

  // ── Records ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** States come first: they give functions and raises their numbers in document order. */
  #fill(): RecordTables {
    const states = this.#stateRecords();
    const transitions = this.#transitionRecords();
    const histories = this.#historyRecords();
    const timers = this.#timerRecords();
    const { relations } = this.#definition;
    if (relations !== undefined) this.#addRaise({ type: AUTO_EVENT });
    const raises = this.#raiseRecords();
    const related = relations && {
      relations: relationTables(relations, {
        numberOf: (id) => this.#tree.find(id, '').number as number,
        list: (words) => this.#list(words),
        addFunction: (symbol) => this.#addFunction(symbol),
      }),
    };
    return { ...related, states, transitions, histories, timers, raises, ...this.#eventRecords(), lists: this.#lists.values };
  }

  #stateRecords(): Records {
    const records = new Records(this.#tree.states.length, layout.STATE_SIZE);
    for (const state of this.#tree.states) {
      const { definition, number } = state;
      const timers = definition.timers.map((timer) => this.#timerNumbers.get(timer) ?? 0);
      const invokes = definition.invokes ?? [];
      const entry = [
        ...this.#actionWords(definition.entry),
        ...timers.map((timer) => action(layout.ACTION_SCHEDULE, timer)),
        ...invokes.map((path) => action(layout.ACTION_HOST, this.#addFunction({ kind: 'invoke', path }))),
      ];
      const exit = [
        ...this.#actionWords(definition.exit),
        ...timers.map((timer) => action(layout.ACTION_CANCEL, timer)),
        ...invokes.map((path) => action(layout.ACTION_HOST, this.#addFunction({ kind: 'stop', path }))),
      ];
      records.u16(number, layout.STATE_PARENT, state.parent?.number ?? layout.NONE16);
      records.u16(number, layout.STATE_END, state.end);
      records.u8(number, layout.STATE_KIND, KIND[definition.kind]);
      records.u16(number, layout.STATE_INITIAL, this.#initials.get(state) ?? layout.NONE16);
      records.u32(number, layout.STATE_ENTRY, this.#list(entry));
      records.u32(number, layout.STATE_EXIT, this.#list(exit));
      records.u16(number, layout.STATE_DONE_EVENT, this.#events.doneEvent(state) ?? layout.NONE16);
      records.u16(number, layout.STATE_OUTPUT, this.#outputFunction(state));
      records.u32(number, layout.STATE_INVOKE, this.#list(this.#actionWords(definition.onSettled ?? [])));
      records.u32(number, layout.STATE_FINALIZE, this.#list(this.#actionWords(definition.onExternal ?? [])));
      records.u32(number, layout.STATE_HISTORIES, this.#list(state.histories.map((history) => history.number)));
    }
    return records;
  }

  /** Functions of outputs are u16: in the record NONE16 means none. */
  #outputFunction(state: State): number {
    if (state.definition.output === undefined) return layout.NONE16;
    const number = this.#addFunction(state.definition.output);
    this.#checkLimit('functions', number + 1, layout.NONE16);
    return number;
  }

  #transitionRecords(): Records {
    const records = new Records(this.#transitions.length, layout.TRANSITION_SIZE);
    this.#transitions.forEach(({ source, definition, plan, event }, number) => {
      const guard = this.#guard(definition.guard, definition.path);
      records.u16(number, layout.TRANSITION_SOURCE, source.number);
      records.u16(number, layout.TRANSITION_DOMAIN, plan.kind === 'static' ? (plan.domain?.number ?? layout.NONE16) : layout.NONE16);
      records.u16(number, layout.TRANSITION_FLAGS, flagsOf(plan, definition));
      records.u16(number, layout.TRANSITION_GUARD_KIND, guard.kind);
      records.u32(number, layout.TRANSITION_GUARD_ARG, guard.argument);
      records.u32(number, layout.TRANSITION_ACTIONS, this.#list(this.#actionWords(definition.actions)));
      records.u32(number, layout.TRANSITION_ENTRY, this.#list(entryWords(plan)));
      records.u32(number, layout.TRANSITION_TARGETS, this.#list(targetWords(plan)));
      records.u16(number, layout.TRANSITION_EVENT, event);
    });
    return records;
  }

  #guard(guard: GuardDefinition | undefined, path: string): { kind: number; argument: number } {
    if (guard === undefined) return { kind: layout.GUARD_NONE, argument: 0 };
    if (guard.kind === 'function') return { kind: layout.GUARD_HOST, argument: this.#addFunction(guard.function) };
    const state = this.#tree.find(guard.state, path);
    if (isHistory(state)) throw bad(this.#definition.id, path, `'${guard.state}' is a history node; it is never active`);
    return { kind: layout.GUARD_IN, argument: state.number };
  }

  #historyRecords(): Records {
    const records = new Records(this.#tree.histories.length, layout.HISTORY_SIZE);
    for (const history of this.#tree.histories) {
      records.u16(history.number, layout.HISTORY_PARENT, history.parent.number);
      records.u8(history.number, layout.HISTORY_DEEP, history.definition.deep ? 1 : 0);
      records.u16(history.number, layout.HISTORY_DEFAULT, this.#defaults.get(history) ?? layout.NONE16);
    }
    return records;
  }

  #timerRecords(): Records {
    const records = new Records(this.#timers.length, layout.TIMER_SIZE);
    this.#timers.forEach(({ state, definition }, number) => {
      const { delay } = definition;
      records.u16(number, layout.TIMER_EVENT, this.#events.numberOf(definition.event));
      records.u16(number, layout.TIMER_STATE, state.number);
      records.u16(number, layout.TIMER_DELAY_KIND, typeof delay === 'number' ? layout.DELAY_CONST : layout.DELAY_HOST);
      records.u32(number, layout.TIMER_DELAY, typeof delay === 'number' ? delay : this.#addFunction(delay));
    });
    return records;
  }

  #raiseRecords(): Records {
    const records = new Records(this.#raises.length, layout.RAISE_SIZE);
    this.#raises.forEach((event, number) => {
      records.u32(number, 0, this.#events.numberOf(event.type));
    });
    return records;
  }

  #eventRecords(): Pick<RecordTables, 'events' | 'select' | 'candidates'> {
    const candidatesOf = candidateFinder(this.#listed, this.#scxml);
    const types = this.#events.types;
    const records = new Records(types.length + 1, layout.EVENT_SIZE);
    const select = new Words();
    const candidates: number[] = [];
    types.forEach((type, number) => {
      this.#selectRecord({ records, select, candidates }, number, number === 0 ? new Map() : candidatesOf(type));
    });
    this.#selectRecord({ records, select, candidates }, types.length, this.#always);
    return { events: records, select: select.values, candidates };
  }

  #selectRecord(into: { records: Records; select: Words; candidates: number[] }, event: number, found: Candidates): void {
    const mask = new Array<number>(Math.ceil(this.#tree.states.length / WORD_BITS)).fill(0);
    const counts = mask.map(() => 0);
    const starts: number[] = [];
    for (const [state, transitions] of found) {
      const word = Math.floor(state / WORD_BITS);
      mask[word] = ((mask[word] ?? 0) | (1 << (state % WORD_BITS))) >>> 0;
      counts[word] = (counts[word] ?? 0) + 1;
      starts.push(into.candidates.length);
      into.candidates.push(...transitions);
    }
    starts.push(into.candidates.length);
    let before = 0;
    const rank = counts.map((count) => (before += count) - count);
    into.records.u32(event, layout.EVENT_MASK, into.select.intern(mask));
    into.records.u32(event, layout.EVENT_RANK, into.select.intern(rank));
    into.records.u32(event, layout.EVENT_STARTS, into.select.intern(starts));
    into.records.u32(event, layout.EVENT_ENTRY_COUNT, found.size);
  }

  #actionWords(actions: readonly ActionDefinition[]): number[] {
    return actions.map((definition) => {
      switch (definition.kind) {
        case 'effect':
          return action(layout.ACTION_EFFECT, this.#addFunction(definition.function));
        case 'assign':
          return action(layout.ACTION_ASSIGN, this.#addFunction(definition.function));
        case 'builtin':
          return action(layout.ACTION_HOST, this.#addFunction(definition.function));
        case 'raise-function':
          return action(layout.ACTION_RAISE_HOST, this.#addFunction(definition.function));
        case 'raise':
          return action(layout.ACTION_RAISE, this.#addRaise(definition.event));
      }
    });
  }

  /** Word 0 is the empty list. */
  #list(words: readonly number[]): number {
    return words.length === 0 ? 0 : this.#lists.intern([words.length, ...words]);
  }
}

const action = (kind: number, argument: number): number => kind * 0x1000000 + argument;

function flagsOf(plan: Plan, definition: TransitionDefinition): number {
  if (plan.kind === 'targetless') return layout.TRANSITION_TARGETLESS;
  return (plan.kind === 'dynamic' ? layout.TRANSITION_DYNAMIC : 0) | (definition.reenter ? layout.TRANSITION_REENTER : 0);
}

/** Only compounds have initial actions, so only they carry the flag. */
function entryWords(plan: Plan): number[] {
  if (plan.kind !== 'static') return [];
  return plan.entry.map(({ state, byDefault }) => {
    const flagged = byDefault && state.definition.kind === 'compound';
    return (flagged ? state.number | layout.ENTRY_DEFAULT : state.number) >>> 0;
  });
}

function targetWords(plan: Plan): number[] {
  if (plan.kind === 'targetless') return [];
  return plan.targets.map((target) => (isHistory(target) ? target.number | layout.TARGET_HISTORY : target.number) >>> 0);
}

function stateSymbol({ definition }: State): StateSymbol {
  const { key, id, tags, publicArgs, actor } = definition;
  return {
    key,
    id,
    ...(tags.length === 0 ? {} : { tags }),
    ...(publicArgs === undefined ? {} : { publicArgs }),
    ...(actor === undefined ? {} : { actor }),
  };
}
