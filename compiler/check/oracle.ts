// Who answers the core instead of the author's functions: questions of data are answered both ways, one run after another, and nothing else
// is known of the context. Within a run the same question about the same context and event has one answer.

import { HOST_CHANGED, INSTANCE_CONFIGURATION } from '../../assembly/layout.ts';
import type { Json } from '../../core/json.ts';
import { matchesValue, type Machine } from '../../core/machine.ts';
import { builtinType, own, readSource, referenceName } from '../../core/source.ts';
import type { FunctionSymbol } from '../../core/symbols.ts';
import type { CoreHost } from '../../core/wasm.ts';
import { Choices } from './choices.ts';
import { at, Questions, type Condition, type Question } from './questions.ts';

/**
 * So often a run is asked the same question in the same configuration and may answer both ways; after that the answer is no. A round that
 * changes the context and comes back has shown all that it can lead to.
 */
const ROUNDS_MAX = 2;

/** What an action means here: whether the context may be another one behind it, and what the core is told. */
interface Meaning {
  readonly renews: boolean;
  readonly answer: number;
}

const NOTHING: Meaning = { renews: false, answer: 0 };
const RENEWS: Meaning = { renews: true, answer: 0 };
const CHANGES: Meaning = { renews: false, answer: HOST_CHANGED };
const BUILTINS: Readonly<Record<string, Meaning>> = {
  'xstate.enqueueActions': { renews: true, answer: HOST_CHANGED },
  'xstate.spawnChild': CHANGES,
  'xstate.stopChild': CHANGES,
};

export class Oracle implements CoreHost {
  readonly questions: readonly Question[];
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

  /** @param instance the address of the one instance that is run. */
  constructor(machine: Machine, instance: number, source: unknown) {
    this.#machine = machine;
    this.#instance = instance;
    const questions = new Questions(source);
    const { functions } = machine.symbols;
    this.#conditions = functions.map((symbol) => (symbol.kind === 'guard' ? questions.condition(symbol) : undefined));
    this.#meanings = functions.map((symbol) => meaningOf(symbol, source));
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
    if (this.questions.length === 0) return;
    this.#context += 1;
    this.askedCount = 0;
    this.isForced = false;
    this.#times.fill(0);
    if (this.#places.size > 0) this.#places.clear();
  }

  guard(fn: number, handle: number): number {
    this.#handle = handle;
    return this.#conditions[fn]!(this) ? 1 : 0;
  }

  action(fn: number): number {
    const { renews, answer } = this.#meanings[fn]!;
    if (renews) this.#context += 1;
    return answer;
  }

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
    this.#times[question]! += 1;
    if (this.#times[question]! > ROUNDS_MAX) {
      const { core, wordCount } = this.#machine;
      const from = (this.#instance + INSTANCE_CONFIGURATION) >>> 2;
      const place = `${question} ${core.words.subarray(from, from + wordCount).join(' ')}`;
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
