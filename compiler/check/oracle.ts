// Who answers the core instead of the author's functions: questions of data that are not computed (data.ts) are answered both ways, one run
// after another. Within a run the same question about the same context and event has one answer.

import { HOST_CHANGED, INSTANCE_CONFIGURATION } from '../../assembly/layout.ts';
import type { Json } from '../../core/json.ts';
import { matchesValue, type Machine } from '../../core/machine.ts';
import { builtinType, own, readSource, referenceName } from '../../core/source.ts';
import type { FunctionSymbol } from '../../core/symbols.ts';
import type { CoreHost } from '../../core/wasm.ts';
import type { Value } from '../expression/tree.ts';
import { Choices } from './choices.ts';
import type { Data } from './data.ts';
import { at, Questions, type Condition, type Question } from './questions.ts';

/**
 * So often a run is asked the same question in the same configuration and may answer both ways; after that the answer is no. A round that
 * changes the context and comes back has shown all that it can lead to.
 */
const ROUNDS_MAX = 2;

/** In the place of a question's number: less the function that raises an event, whose type is as open as a question. */
const RAISED = -1;

/** What an action means here: whether the context may be another one behind it, and what the core is told. */
interface Meaning {
  readonly renews: boolean;
  readonly answer: number;
  /** It raises events that only it knows. */
  readonly raises?: true;
}

const NOTHING: Meaning = { renews: false, answer: 0 };
const RENEWS: Meaning = { renews: true, answer: 0 };
const CHANGES: Meaning = { renews: false, answer: HOST_CHANGED };
const BUILTINS: Readonly<Record<string, Meaning>> = {
  'xstate.enqueueActions': { renews: true, answer: HOST_CHANGED, raises: true },
  'xstate.spawnChild': CHANGES,
  'xstate.stopChild': CHANGES,
};

export class Oracle implements CoreHost {
  readonly questions: readonly Question[];
  /** How many of them are answered both ways in any case: the first ones. */
  readonly openCount: number;
  /** What is known of the context at the moment; of another configuration before each run. */
  valuation: readonly Value[] = [];
  readonly choices = new Choices();
  /** Which question each answer of the run belongs to; the first `askedCount` of them. */
  readonly asked: number[] = [];
  askedCount = 0;
  /** Whether a question of this run was asked so often that it was answered no without a choice. */
  isForced = false;
  readonly #machine: Machine;
  readonly #instance: number;
  readonly #conditions: readonly (Condition | undefined)[];
  readonly #meanings: readonly Meaning[];
  /** Whether nothing is ever asked. */
  readonly #isMute: boolean;
  readonly #data: Data | undefined;
  /** The context of this moment, as a number that no earlier moment has. */
  #context = 0;
  #handle = 0;
  /** By question: context, handle and answer of the last time, and how often it was asked in the run. */
  readonly #contexts: Int32Array;
  readonly #handles: Int32Array;
  readonly #answers: Uint8Array;
  readonly #times: Uint32Array;
  /** How often a question was asked in a configuration, for those that are asked again and again. */
  readonly #places = new Map<string, number>();

  /**
   * @param instance the address of the one instance that is run.
   * @param data what of the context is computed.
   */
  constructor(machine: Machine, instance: number, source: unknown, data: Data | undefined) {
    this.#machine = machine;
    this.#instance = instance;
    this.#data = data;
    const questions = new Questions(source);
    const { functions } = machine.symbols;
    const conditions: (Condition | undefined)[] = functions.map((symbol, fn) =>
      symbol.kind === 'guard' && data?.isExact(fn) !== true ? questions.condition(symbol) : undefined,
    );
    this.openCount = questions.list.length;
    // Behind them what an exact guard is when it turns out that it cannot be computed.
    functions.forEach((symbol, fn) => {
      if (data?.isExact(fn) === true) conditions[fn] = questions.condition(symbol);
    });
    this.#conditions = conditions;
    this.#meanings = functions.map((symbol) => meaningOf(symbol, source));
    this.#isMute = functions.length === 0;
    this.questions = questions.list;
    const count = this.questions.length;
    this.#contexts = new Int32Array(count);
    this.#handles = new Int32Array(count);
    this.#answers = new Uint8Array(count);
    this.#times = new Uint32Array(count);
  }

  /** Before each run of a step. */
  begin(): void {
    this.choices.begin();
    if (this.#isMute) return;
    this.#context += 1;
    this.askedCount = 0;
    this.isForced = false;
    this.#times.fill(0);
    if (this.#places.size > 0) this.#places.clear();
  }

  guard(fn: number, handle: number): number {
    this.#handle = handle;
    if (this.#data?.isExact(fn) === true) {
      const answer = this.#data.answer(fn, this.valuation, this.#isInState);
      if (answer !== undefined) return answer ? 1 : 0;
    }
    return this.#conditions[fn]!(this) ? 1 : 0;
  }

  action(fn: number): number {
    const { renews, answer, raises } = this.#meanings[fn]!;
    if (renews) {
      this.#context += 1;
      if (this.#data !== undefined) this.valuation = this.#data.assign(fn, this.valuation, this.#isInState);
    }
    if (raises === true) this.#raiseAny(fn);
    return this.#machine.symbols.functions[fn]!.kind === 'raise' ? this.#raised(fn) : answer;
  }

  /** The number of an event whose type is computed: any that the machine names, or one that it does not. */
  #raised(fn: number): number {
    const type = this.#data?.raised.get(fn);
    if (type !== undefined) return this.#machine.eventNumber(type);
    return this.#mayChoose(RAISED - fn) ? this.choices.choose(this.#machine.symbols.events.length) : 0;
  }

  /** Any event that the machine names, one that it does not, or none. */
  #raiseAny(fn: number): void {
    const { core, symbols } = this.#machine;
    const chosen = this.#mayChoose(RAISED - fn) ? this.choices.choose(symbols.events.length + 1) : 0;
    // A queue that is full ends the step by itself.
    if (chosen > 0) core.exports.raise(chosen - 1);
  }

  /** Whether nothing raises more than the one event at a time that is tried: what nothing was seen to lead to is then certain. */
  get isCertain(): boolean {
    return this.#meanings.every(({ raises }) => raises !== true);
  }

  readonly #isInState = (state: string): boolean => this.isIn(`#${state}`);

  /** A Condition takes these two apart from the object. */
  readonly ask = (question: number): boolean => {
    if (this.#contexts[question] === this.#context && this.#handles[question] === this.#handle) return this.#answers[question] === 1;
    const answer = this.#mayChoose(question) ? this.choices.choose(2) : 0;
    this.#contexts[question] = this.#context;
    this.#handles[question] = this.#handle;
    this.#answers[question] = answer;
    return answer === 1;
  };

  readonly isIn = (state: Json): boolean => {
    const machine = this.#machine;
    const key = machine.configurationKey(machine.core.words, (this.#instance + INSTANCE_CONFIGURATION) >>> 2);
    if (typeof state === 'string' && state.startsWith('#')) return machine.isActive(key, machine.stateNumber(state));
    return matchesValue(state, machine.value(key));
  };

  #mayChoose(question: number): boolean {
    if (question >= 0) this.#times[question]! += 1;
    // Of an event that is raised the places are counted from the first time on.
    if (question < 0 || this.#times[question]! > ROUNDS_MAX) {
      const { core, wordCount } = this.#machine;
      const from = (this.#instance + INSTANCE_CONFIGURATION) >>> 2;
      const valuation = this.#data === undefined ? '' : this.#data.number(this.valuation);
      const place = `${question} ${valuation} ${core.words.subarray(from, from + wordCount).join(' ')}`;
      const times = (this.#places.get(place) ?? 0) + 1;
      this.#places.set(place, times);
      if (times > ROUNDS_MAX) {
        this.isForced = true;
        return false;
      }
    }
    this.asked[this.askedCount++] = question;
    return true;
  }
}

/** Whether the context may be another one behind it. */
export function mayWrite(symbol: FunctionSymbol, source: unknown): boolean {
  return meaningOf(symbol, source).renews;
}

function meaningOf(symbol: FunctionSymbol, source: unknown): Meaning {
  switch (symbol.kind) {
    case 'assign':
      return RENEWS;
    case 'invoke':
    case 'stop':
      return CHANGES;
    case 'builtin': {
      const read = readSource(source);
      const reference = at(read, symbol.path);
      const name = referenceName(reference);
      const type = builtinType(name === undefined ? reference : own(read.implementations.actions, name)) ?? '';
      return BUILTINS[type] ?? NOTHING;
    }
    default:
      return NOTHING;
  }
}
