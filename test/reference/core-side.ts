// A plain chart run by the core, at its exports: put into any standing, stepped, and told in the words of the slow stepper. Works for the
// WebAssembly build and for the TypeScript dialect; charts have at most 32 states.

import { assign, raise, stateIn } from 'xstate';
import {
  FAULT_FUEL,
  HANDLE_ARG_MASK,
  HANDLE_DONE,
  HANDLE_RAISE,
  IMAGE_TRANSITIONS,
  INSTANCE_CONFIGURATION,
  INSTANCE_STATUS,
  RECORD_ASSIGN,
  RECORD_EFFECT,
  RECORD_ENTER,
  RECORD_EXIT,
  RECORD_INTERNAL,
  RECORD_TRANSITION,
  STEP_IGNORED,
  TRANSITION_SIZE,
  TRANSITION_SOURCE,
} from '../../assembly/layout.ts';
import { compileMachine, type Image } from '../../compiler/index.ts';
import type { CoreExports } from '../../core/abi.ts';
import { bind } from '../../core/bind.ts';
import { Machine } from '../../core/machine.ts';
import type { Core } from '../../core/wasm.ts';
import type { Chart, PlainChart, PlainNode, PlainTransition, State } from './chart.ts';
import { EXTERNAL, type Standing, type Stepped } from './stepper.ts';

/** What one step did, in numbers that compare fast: the same for the core and for the slow stepper. */
export interface Found {
  readonly result: 'fuel' | 'ignored' | 'taken' | number;
  readonly status: number;
  /** One bit per state. */
  readonly configuration: number;
  /** One word per history node. */
  readonly memory: readonly number[];
  /** Words of the trace, see codeOf. */
  readonly trace: readonly number[];
}

/** By the core's number of a status. */
const STATUSES = ['new', 'active', 'done'] as const;

const codes = new Map<string, number>();
const texts: string[] = [];

/** A number for a piece of a trace, the same throughout the process. */
export function codeOf(text: string): number {
  let code = codes.get(text);
  if (code === undefined) {
    code = texts.push(text) - 1;
    codes.set(text, code);
  }
  return code;
}

/** The same apart from the trace: of a quiet step, which leaves none. */
export function isSameButQuiet(expected: Found, quiet: Found): boolean {
  return quiet.trace.length === 0 && isSame({ ...expected, trace: quiet.trace }, quiet);
}

export function isSame(a: Found, b: Found): boolean {
  if (a.result !== b.result || a.status !== b.status || a.configuration !== b.configuration) return false;
  if (a.trace.length !== b.trace.length || a.memory.length !== b.memory.length) return false;
  for (let i = 0; i < a.trace.length; i += 1) if (a.trace[i] !== b.trace[i]) return false;
  for (let i = 0; i < a.memory.length; i += 1) if (a.memory[i] !== b.memory[i]) return false;
  return true;
}

export function describe({ result, status, configuration, memory, trace }: Found, { states, histories }: Chart): string {
  const names = (bits: number): string =>
    states
      .filter(({ order }) => ((bits >>> order) & 1) === 1)
      .map(({ id }) => id)
      .join(' ');
  return JSON.stringify(
    {
      result,
      status,
      active: names(configuration),
      memory: Object.fromEntries(histories.map(({ id }, index) => [id, names(memory[index] ?? 0)])),
      trace: trace.map((code) => texts[code]),
    },
    undefined,
    1,
  );
}

/** What the slow stepper found. */
export function foundByReference(chart: Chart, before: Standing, stepped: Stepped | 'fuel'): Found {
  const { after, trace, taken } = stepped === 'fuel' ? { after: before, trace: [], taken: false } : stepped;
  return {
    result: stepped === 'fuel' ? 'fuel' : taken ? 'taken' : 'ignored',
    status: STATUSES.indexOf(after.status),
    configuration: bitsOf(after.active),
    memory: chart.histories.map((history) => bitsOf(after.memory.get(history) ?? [])),
    trace: trace.map(codeOf),
  };
}

function bitsOf(states: Iterable<{ readonly order: number }>): number {
  let bits = 0;
  for (const { order } of states) bits |= 1 << order;
  return bits >>> 0;
}

/** The standing of a chart that was found so. */
export function standingOf({ states, histories }: Chart, { status, configuration, memory }: Found): Standing {
  const setOf = (bits: number): Set<State> => new Set(states.filter(({ order }) => ((bits >>> order) & 1) === 1));
  return {
    status: STATUSES[status]!,
    active: setOf(configuration),
    memory: new Map(histories.flatMap((history, index) => (memory[index] === 0 ? [] : [[history, setOf(memory[index]!)] as const]))),
  };
}

/** The chart as an image. */
export function imageOf(plain: PlainChart): Image {
  return compileMachine(definitionOf(plain));
}

/** The chart with implementations for its names, as createMachine() takes them. */
export function definitionOf(plain: PlainChart): { config: PlainChart; implementations: object } {
  const guards: Record<string, unknown> = {};
  const actions: Record<string, unknown> = {};
  for (const name of namesIn(plain, ({ guard }) => (guard === undefined ? [] : [guard])))
    guards[name] = name.startsWith('in ') ? stateIn(`#${name.slice(3)}`) : () => true;
  const inNode = ({ entry = [], exit = [], initial }: PlainNode): readonly string[] => [
    ...entry,
    ...exit,
    ...(typeof initial === 'object' ? (initial.actions ?? []) : []),
  ];
  for (const name of namesIn(plain, ({ actions: listed = [] }) => listed, inNode)) {
    if (name === 'assign') actions[name] = assign({});
    else if (name.startsWith('raise ')) actions[name] = raise({ type: name.slice(6) });
  }
  return { config: plain, implementations: { guards, actions } };
}

function namesIn(
  node: PlainNode,
  ofTransition: (transition: PlainTransition) => readonly string[],
  ofNode: (node: PlainNode) => readonly string[] = () => [],
): Set<string> {
  const transitions = [...Object.values(node.on ?? {}).flat(), ...(node.always ?? []), ...(node.onDone ?? [])];
  const below = Object.values(node.states ?? {}).flatMap((child) => [...namesIn(child, ofTransition, ofNode)]);
  return new Set([...ofNode(node), ...transitions.flatMap(ofTransition), ...below]);
}

// ── The core ─────────────────────────────────────────────────────────────────────────────────────────────────────

export class CoreSide {
  readonly #machine: Machine;
  readonly #exports: CoreExports;
  readonly #instance: number;
  readonly #stateCount: number;
  readonly #historyCount: number;
  /** Word indexes. */
  readonly #clocks: number;
  readonly #memory: number;
  readonly #decode: Decoder;
  /** By function number: which bit a guard asks for. */
  readonly #bitOf: readonly number[];

  constructor(core: Core, image: Image, plain: PlainChart) {
    this.#machine = Machine.load(core, image.bytes, bind(image.symbols, definitionOf(plain)));
    this.#exports = core.exports;
    this.#instance = core.exports.create(this.#machine.handle);
    this.#stateCount = this.#machine.stateCount;
    this.#historyCount = this.#machine.historyCount;
    this.#clocks = ((this.#instance + INSTANCE_CONFIGURATION) >>> 2) + 2;
    this.#memory = this.#clocks + ((this.#stateCount + 1) & ~1);
    this.#decode = new Decoder(this.#machine);
    this.#bitOf = image.symbols.functions.map(({ kind, name }) => (kind === 'guard' && name !== undefined ? Number(name.slice(1)) : 0));
  }

  dispose(): void {
    this.#exports.destroy(this.#instance);
    this.#exports.unload(this.#machine.handle);
  }

  /** The initial macrostep of an instance that has done nothing. */
  start(bits: number): Found {
    const { words } = this.#machine.core;
    words.fill(0, (this.#instance + INSTANCE_STATUS) >>> 2, (this.#instance + this.#machine.strideBytes) >>> 2);
    this.#answer(bits);
    return this.#found(this.#exports.start(this.#instance, 0));
  }

  /** One event of an instance that stands as given: its clocks are the lowest that fit. @param flags of layout.ts. */
  step(
    { configuration, memory, status }: Pick<Found, 'configuration' | 'memory' | 'status'>,
    type: string,
    bits: number,
    flags = 0,
  ): Found {
    const { words } = this.#machine.core;
    words[(this.#instance + INSTANCE_STATUS) >>> 2] = status;
    words[(this.#instance + INSTANCE_CONFIGURATION) >>> 2] = configuration;
    for (let state = 0; state < this.#stateCount; state += 1) words[this.#clocks + state] = (configuration >>> state) & 1;
    for (let history = 0; history < this.#historyCount; history += 1) words[this.#memory + history] = memory[history]!;
    this.#answer(bits);
    return this.#found(this.#exports.step(this.#instance, this.#machine.eventNumber(type), flags));
  }

  #answer(bits: number): void {
    this.#machine.core.host = { guard: (fn) => (bits >>> this.#bitOf[fn]!) & 1, action: () => 0 };
  }

  #found(result: number): Found {
    const { words } = this.#machine.core;
    const configuration = words[(this.#instance + INSTANCE_CONFIGURATION) >>> 2]!;
    let odd = 0;
    for (let state = 0; state < this.#stateCount; state += 1) odd |= (words[this.#clocks + state]! & 1) << state;
    if (odd >>> 0 !== configuration) throw new Error(`the configuration is ${configuration}, the clocks say ${odd >>> 0}`);
    return {
      result: result === FAULT_FUEL ? 'fuel' : result === STEP_IGNORED ? 'ignored' : result > 0 ? 'taken' : result,
      status: words[(this.#instance + INSTANCE_STATUS) >>> 2]!,
      configuration,
      memory: Array.from(words.subarray(this.#memory, this.#memory + this.#historyCount)),
      trace: this.#decode.trace(this.#exports.output(), this.#exports.outputCount()),
    };
  }
}

/** Turns records into words of a trace. */
class Decoder {
  readonly #machine: Machine;
  /** By record kind and argument. */
  readonly #known = new Map<number, number>();
  /** By function number, then by handle. */
  readonly #effects = new Map<number, Map<number, number>>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  trace(pointer: number, count: number): number[] {
    const { words } = this.#machine.core;
    const trace: number[] = [];
    for (let at = pointer >>> 2; at < (pointer >>> 2) + count * 2; at += 2) {
      const code = this.#code(words[at]!, words[at + 1]!);
      if (code !== undefined) trace.push(code);
    }
    return trace;
  }

  #code(word: number, aux: number): number | undefined {
    const kind = word >>> 24;
    const argument = word & 0xffffff;
    switch (kind) {
      case RECORD_EXIT:
      case RECORD_ENTER:
      case RECORD_ASSIGN:
      case RECORD_TRANSITION: {
        const known = this.#known.get(word);
        if (known !== undefined) return known;
        const code = codeOf(this.#text(kind, argument));
        this.#known.set(word, code);
        return code;
      }
      case RECORD_EFFECT: {
        const ofFunction = this.#effects.get(argument) ?? new Map<number, number>();
        this.#effects.set(argument, ofFunction);
        const known = ofFunction.get(aux);
        if (known !== undefined) return known;
        const code = codeOf(`effect ${this.#machine.symbols.functions[argument]!.name ?? ''} on ${this.#type(aux)}`);
        ofFunction.set(aux, code);
        return code;
      }
      case RECORD_INTERNAL:
        return codeOf(`event ${this.#type(aux)}`);
      default:
        return undefined;
    }
  }

  #text(kind: number, argument: number): string {
    const { states } = this.#machine.symbols;
    if (kind === RECORD_EXIT) return `exit ${states[argument]!.id}`;
    if (kind === RECORD_ENTER) return `enter ${states[argument]!.id}`;
    if (kind === RECORD_ASSIGN) return 'assign';
    const { core, handle } = this.#machine;
    const transitions = core.words[(handle + IMAGE_TRANSITIONS) >>> 2]!;
    const source = core.words[(handle + transitions + argument * TRANSITION_SIZE + TRANSITION_SOURCE) >>> 2]! & 0xffff;
    return `take ${states[source]!.id}`;
  }

  #type(handle: number): string {
    const { raises, states } = this.#machine.symbols;
    if ((handle & HANDLE_DONE) !== 0) return `xstate.done.state.${states[handle & HANDLE_ARG_MASK]!.id}`;
    if ((handle & HANDLE_RAISE) !== 0) return raises[handle & HANDLE_ARG_MASK]!.type;
    return EXTERNAL;
  }
}
