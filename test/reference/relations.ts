// The slow resolver: what a relational machine makes of a mutation, written for reading from the rules of docs/relational.md, over names and
// sets. It shares nothing with the core, which must agree with it on every mutation: what is made, each clock, each handler and their order.

export interface Relation {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly require: readonly string[];
  readonly after: readonly string[];
  readonly isAuto: boolean;
  readonly isMulti: boolean;
}

/** By name; Exception is among them. */
export type Relations = ReadonlyMap<string, Relation>;

/** Ticks by name: odd = active. */
export type Ticks = ReadonlyMap<string, number>;

/** `exception` takes the states named back, and adds Exception. */
export type Kind = 'add' | 'remove' | 'set' | 'toggle' | 'exception';

export interface Made {
  readonly isMade: boolean;
  readonly ticks: Ticks;
  /** Negotiation handlers in the order in which they were asked, those of the automatic mutation behind. */
  readonly asked: readonly string[];
  /** Final handlers in the order in which they are to run. */
  readonly finals: readonly string[];
}

/** States whose mutation brings no automatic one. */
const SILENT = new Set(['Healthcheck', 'Heartbeat']);
const EXCEPTION = 'Exception';

/** What one mutation is about. */
interface Call {
  readonly kind: 'add' | 'remove' | 'set';
  readonly states: readonly string[];
  readonly isAutomatic: boolean;
  /** Where these are, they are to be where they were before. */
  readonly takenBack: ReadonlySet<string>;
}

interface Transition {
  readonly ticks: Ticks;
  readonly finals: readonly string[];
  readonly isChanged: boolean;
}

const NONE: ReadonlySet<string> = new Set();

/** @param says what a negotiation handler answers. */
export function mutate(
  relations: Relations,
  ticks: Ticks,
  mutation: { kind: Kind; states: readonly string[] },
  says: (handler: string) => boolean,
): Made {
  const asked: string[] = [];
  const ask = (handler: string): boolean => {
    asked.push(handler);
    return says(handler);
  };
  const machine = new Machine(relations, ticks);
  const first = machine.transition(callOf(mutation, machine), mutation.kind === 'exception' ? undefined : ask);
  if (first === undefined) return { isMade: false, ticks, asked, finals: [] };
  const called = mutation.kind === 'exception' ? [EXCEPTION] : mutation.states;
  const isSilent = called.length > 0 && called.every((state) => SILENT.has(state));
  if (!first.isChanged || isSilent) return { isMade: true, ticks: first.ticks, asked, finals: first.finals };
  const behind = new Machine(relations, first.ticks);
  const autos = behind.autos();
  const second = autos.length === 0 ? undefined : behind.automatic(autos, ask);
  if (second === undefined) return { isMade: true, ticks: first.ticks, asked, finals: first.finals };
  return { isMade: true, ticks: second.ticks, asked, finals: [...first.finals, ...second.finals] };
}

function callOf({ kind, states }: { kind: Kind; states: readonly string[] }, machine: Machine): Call {
  const unique = [...new Set(states)];
  if (kind === 'exception') return { kind: 'add', states: [EXCEPTION], isAutomatic: false, takenBack: new Set(unique) };
  const decided = kind === 'toggle' ? (unique.every((state) => machine.isActive(state)) ? 'remove' : 'add') : kind;
  return { kind: decided, states: unique, isAutomatic: false, takenBack: NONE };
}

/** A machine as it stands before a mutation. */
class Machine {
  readonly #relations: Relations;
  readonly #ticks: Ticks;
  readonly #order: readonly string[];

  constructor(relations: Relations, ticks: Ticks) {
    this.#relations = relations;
    this.#ticks = ticks;
    this.#order = handlerOrder(relations);
  }

  isActive(state: string): boolean {
    return this.#ticks.get(state)! % 2 === 1;
  }

  #of(state: string): Relation {
    return this.#relations.get(state)!;
  }

  /** All inactive automatic states that no active state removes. */
  autos(): string[] {
    const active = this.#order.filter((state) => this.isActive(state));
    return this.#order.filter(
      (state) => this.#of(state).isAuto && !this.isActive(state) && !active.some((other) => this.#of(other).remove.includes(state)),
    );
  }

  /** @param ask without it nobody is. @returns undefined when it is cancelled. */
  transition(call: Call, ask: ((handler: string) => boolean) | undefined): Transition | undefined {
    const target = this.#resolve(call);
    if (ask !== undefined && call.kind !== 'remove' && !call.states.every((state) => target.has(state))) return undefined;
    if (ask !== undefined && this.#refusal(call, target, ask) !== undefined) return undefined;
    return this.#make(call, target);
  }

  /** Goes on without those that bring in what is refused, for as long as somebody is to blame and somebody is left. */
  automatic(autos: readonly string[], ask: (handler: string) => boolean): Transition | undefined {
    for (let states = autos; states.length > 0;) {
      const call: Call = { kind: 'add', states, isAutomatic: true, takenBack: NONE };
      const target = this.#resolve(call);
      if (!states.some((state) => target.has(state))) return undefined;
      const refusal = this.#refusal(call, target, ask);
      if (refusal === undefined) return this.#make(call, target);
      const kept = states.filter((state) => !this.#isToBlame(state, refusal));
      if (kept.length === states.length) return undefined;
      states = kept;
    }
    return undefined;
  }

  // ── Resolving ──────────────────────────────────────────────────────────────────────────────────────────────────

  #resolve(call: Call): ReadonlySet<string> {
    // Those that a state which is left removes are out for good, and what only they brought with them.
    const banned = new Set<string>();
    for (;;) {
      const considered = this.#withRequirements(this.#considered(call, banned));
      const dropped = new Set<string>();
      for (const state of [...considered].reverse()) {
        const isRemoved = considered.some((other) => other !== state && !dropped.has(other) && this.#of(other).remove.includes(state));
        if (isRemoved) dropped.add(state);
      }
      if (dropped.size === 0) return new Set(considered);
      const left = considered.filter((state) => !dropped.has(state));
      for (const state of dropped) if (left.some((other) => this.#of(other).remove.includes(state))) banned.add(state);
    }
  }

  /** The called states, then the active ones, then what is added by those that begin. */
  #considered({ kind, states, takenBack }: Call, banned: ReadonlySet<string>): string[] {
    const called = kind === 'remove' ? [] : states;
    const staying = kind === 'set' ? [] : this.#order.filter((state) => this.isActive(state) !== takenBack.has(state));
    const considered = [...new Set([...called, ...staying.filter((state) => kind !== 'remove' || !states.includes(state))])];
    const list = considered.filter((state) => !banned.has(state));
    const bringing = list.filter((state) => called.includes(state));
    for (const state of bringing) {
      for (const other of this.#brought(state)) {
        if (banned.has(other) || list.includes(other)) continue;
        list.push(other);
        bringing.push(other);
      }
    }
    return list;
  }

  /** What a state adds when it begins, or begins anew. */
  #brought(state: string): readonly string[] {
    const { add, isMulti } = this.#of(state);
    return this.isActive(state) && !isMulti ? [] : add;
  }

  /** Without those whose requirements are not among them, until all are met. */
  #withRequirements(states: readonly string[]): readonly string[] {
    const met = states.filter((state) => this.#of(state).require.every((needed) => states.includes(needed)));
    return met.length === states.length ? met : this.#withRequirements(met);
  }

  // ── Negotiating ────────────────────────────────────────────────────────────────────────────────────────────────

  /** @returns what the first handler that says no is about; undefined when none does. */
  #refusal(call: Call, target: ReadonlySet<string>, ask: (handler: string) => boolean): { state?: string; isLeaving: boolean } | undefined {
    const { left, entered } = this.#moves(call, target);
    for (const state of left) if (!ask(`${state}Exit`)) return { state, isLeaving: true };
    for (const state of entered) if (!ask(`${state}Enter`)) return { state, isLeaving: false };
    const active = this.#order.filter((state) => this.isActive(state));
    if (call.kind !== 'remove')
      for (const state of active) if (target.has(state) && !ask(state + state)) return { state, isLeaving: false };
    for (const from of active)
      for (const to of this.#order) if (from !== to && target.has(to) && !ask(from + to)) return { state: to, isLeaving: false };
    return ask('AnyEnter') ? undefined : { isLeaving: false };
  }

  /** Whether an automatic state, or what comes with it, is what was refused; or removes what was refused to go. */
  #isToBlame(auto: string, { state, isLeaving }: { state?: string; isLeaving: boolean }): boolean {
    if (state === undefined) return false;
    const coming = [auto];
    for (const each of coming) coming.push(...this.#brought(each).filter((other) => !coming.includes(other)));
    return coming.some((each) => (isLeaving ? this.#of(each).remove.includes(state) : each === state));
  }

  // ── Making it ──────────────────────────────────────────────────────────────────────────────────────────────────

  #moves({ kind, states }: Call, target: ReadonlySet<string>): { left: readonly string[]; entered: readonly string[] } {
    const isAnew = (state: string): boolean => kind !== 'remove' && states.includes(state) && this.#of(state).isMulti;
    return {
      left: this.#order.filter((state) => this.isActive(state) && !target.has(state)),
      entered: this.#order.filter((state) => target.has(state) && (!this.isActive(state) || isAnew(state))),
    };
  }

  #make(call: Call, target: ReadonlySet<string>): Transition {
    const { left, entered } = this.#moves(call, target);
    const ticks = new Map(this.#ticks);
    for (const state of left) ticks.set(state, ticks.get(state)! + 1);
    for (const state of entered) ticks.set(state, ticks.get(state)! + (this.isActive(state) ? 2 : 1));
    const isHeard = (state: string): boolean => !call.takenBack.has(state);
    const finals = [
      ...left.filter(isHeard).map((state) => `${state}End`),
      ...entered.filter(isHeard).map((state) => `${state}State`),
      'AnyState',
    ];
    return { ticks, finals, isChanged: left.length + entered.length > 0 };
  }
}

/**
 * Handlers run behind those of what their state requires, then of what it is after, else by number: that of the name. An `after` that
 * contradicts what is required, or an `after` before it, is passed over.
 */
function handlerOrder(relations: Relations): readonly string[] {
  const names = [...relations.keys()].sort();
  const before = new Map(names.map((name) => [name, new Set(relations.get(name)!.require)]));
  const isBehind = (name: string, other: string, seen = new Set<string>()): boolean => {
    if (name === other) return true;
    if (seen.has(name)) return false;
    seen.add(name);
    return [...before.get(name)!].some((each) => isBehind(each, other, seen));
  };
  for (const name of names)
    for (const other of [...relations.get(name)!.after].sort()) if (!isBehind(other, name)) before.get(name)!.add(other);
  const order: string[] = [];
  const begun = new Set<string>();
  const visit = (name: string): void => {
    if (begun.has(name)) return;
    begun.add(name);
    for (const needed of [...before.get(name)!].sort()) visit(needed);
    order.push(name);
  };
  names.forEach(visit);
  return order;
}
