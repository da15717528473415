// All configurations that a machine can reach, breadth first, each by a shortest way. The core runs every step; a configuration is the
// active states, what history nodes remember and the data that are computed (data.ts); guards that ask other data are answered both ways.
// What happens on the way, which states were entered and which transitions taken, is marked; configurations without a way out and steps
// without an end are kept.

import * as layout from '../../assembly/layout.ts';
import { assert } from '../../core/errors.ts';
import type { Machine } from '../../core/machine.ts';
import type { Core } from '../../core/wasm.ts';
import type { Definition } from '../definition.ts';
import { Chart, type Stimulus } from './chart.ts';
import { Cover } from './cover.ts';
import { GivenUp, type Data } from './data.ts';
import { Oracle } from './oracle.ts';
import { NOWHERE, Space } from './space.ts';

/** Instead of the index of a stimulus: the initial macrostep. */
export const START = 0xffff;
/** Runs of one step with different answers; what is beyond is not looked at, and the exploration says so. */
const RUNS_MAX = 4_096;

export interface ExplorationOptions {
  /** Configurations after which it stops. Default 1,000,000. */
  readonly configurationMax?: number;
}

/** A step that did not come to rest within the image's fuel. */
export interface EndlessStep {
  /** The configuration that it began in, or NOWHERE. */
  readonly from: number;
  /** Index of the stimulus, or START. */
  readonly event: number;
  /** Whether no other answer to a question in its rounds could end it. */
  readonly isCertain: boolean;
  /** The transitions that it took, in order, as far as fuel went. */
  readonly transitions: readonly number[];
}

/** Configurations without a way out that are remembered. */
const STUCK_MAX = 1_000;
/** Endless steps that are looked at closely; they are alike. */
const ENDLESS_MAX = 1_000;
const CONFIGURATIONS_DEFAULT = 1_000_000;

export class Exploration {
  readonly machine: Machine;
  readonly chart: Chart;
  readonly space: Space;
  readonly oracle: Oracle;
  /** What was entered and taken in some step. */
  readonly cover: Cover;
  /** The first configurations in which the machine is not done and nothing can happen, and how many there are. */
  readonly stuck: number[] = [];
  stuckCount = 0;
  endless: readonly EndlessStep[] = [];

  /** Steps with more answers than were tried. */
  unfinishedSteps = 0;
  /** Whether all configurations were looked at. */
  isComplete = false;
  readonly #endless: EndlessStep[] = [];
  readonly #core: Core;
  readonly #instance: number;
  readonly #limit: number;
  readonly #isRelational: boolean;
  /** Word index of the instance, and of the configuration and the histories in it. */
  readonly #status: number;
  readonly #configuration: number;
  readonly #histories: number;
  readonly #words: number;
  readonly #data: Data | undefined;
  /** Where among the core's words the form of the last step is, and how many words it has. */
  readonly #form: number;
  #formLength = 0;
  /** The configuration at hand: where in the space its form is. */
  #begin = 0;
  #end = 0;
  /** The number of the configuration at hand, and of the one that the instance is in; -1 when it is in none. */
  #number = -1;
  #held = -1;
  #flags = layout.COVER;

  /**
   * @param source the machine that the image was compiled from, for its guards.
   * @param relations of a relational machine: its mutations are what can happen.
   * @param data what of the context is computed; its number is the last word of a configuration.
   * @throws LockstepError CORE when memory is exhausted.
   */
  constructor(
    machine: Machine,
    source: unknown,
    { configurationMax = CONFIGURATIONS_DEFAULT }: ExplorationOptions = {},
    relations?: Definition['relations'],
    data?: Data,
  ) {
    this.machine = machine;
    this.chart = new Chart(machine, relations);
    this.#isRelational = relations !== undefined;
    this.#limit = configurationMax;
    this.#core = machine.core;
    this.#instance = machine.core.exports.create(machine.handle);
    assert(this.#instance > 0, 'a core that took an image has room for an instance');
    this.#data = data?.keys.length === 0 ? undefined : data;
    this.oracle = new Oracle(machine, this.#instance, source, data);
    const { stateCount, wordCount } = machine;
    this.#status = (this.#instance + layout.INSTANCE_STATUS) >>> 2;
    this.#configuration = (this.#instance + layout.INSTANCE_CONFIGURATION) >>> 2;
    this.#histories = this.#configuration + even(wordCount) + even(stateCount);
    this.#words = wordCount;
    this.space = new Space(machine.core, wordCount + this.chart.historyWords + (this.#data === undefined ? 0 : 1));
    this.cover = new Cover(machine.core, stateCount, this.chart.transitionCount, this.space.wordsEach * 2);
    this.#form = this.cover.formAt;
  }

  /** Explores. */
  run(): void {
    this.asking(() => {
      // Without records everything that is taken has to do something.
      this.#flags = this.chart.doAllAct() ? layout.COVER | layout.QUIET : layout.COVER;
      this.#explore();
      this.#flags = layout.COVER;
      this.#held = -1;
      this.cover.keep();
      this.endless = this.#endless.map((step) => this.#lookInto(step));
    });
  }

  /** Lets the oracle answer the core while `work` runs steps. The core must have nothing else to do meanwhile. */
  asking<Result>(work: () => Result): Result {
    const { core } = this.machine;
    const host = core.host;
    core.host = this.oracle;
    this.cover.attach();
    try {
      return work();
    } finally {
      core.host = host;
    }
  }

  /** Gives the instance back. */
  dispose(): void {
    const { exports } = this.#core;
    exports.destroy(this.#instance);
    this.cover.dispose();
    this.space.dispose();
  }

  #explore(): void {
    this.#visit(NOWHERE, START);
    const { stimuli } = this.chart;
    const { space } = this;
    for (let number = 0; number < space.count; number++) {
      if (space.count > this.#limit) return;
      if (space.isMarked(number)) continue;
      this.load(number);
      // Mutations can always come: there is no deadlock of relations.
      let moves = this.#isRelational;
      for (let index = 0; index < stimuli.length; index++) {
        const stimulus = stimuli[index]!;
        if (!stimulus.isEverywhere && !this.#isListed(stimulus)) continue;
        const took = this.#visit(number, index);
        // An event that nothing names may only make an eventless guard look again: no way out to rely on.
        if (took && stimulus.event !== 0) moves = true;
      }
      if (moves) continue;
      this.stuckCount += 1;
      if (this.stuck.length < STUCK_MAX) this.stuck.push(number);
    }
    this.isComplete = true;
  }

  /** Whether something is listed under the event in the configuration at hand. */
  #isListed({ mask, timerState }: Stimulus): boolean {
    if (timerState >= 0 && !this.space.has(this.#number, timerState)) return false;
    const { words } = this.#core;
    const { forms } = this.space;
    const end = forms + this.#end;
    for (let at = forms + this.#begin; at < end; at += 2) {
      const place = words[at]!;
      // Behind the states comes what history remembers.
      if (place >= mask.length) return false;
      if ((words[at + 1]! & mask[place]!) !== 0) return true;
    }
    return false;
  }

  /** Runs an event in the configuration at hand, with all answers. @returns whether it did something. */
  #visit(number: number, event: number): boolean {
    let acts = false;
    const { choices } = this.oracle;
    choices.reset();
    for (let run = 0; run < RUNS_MAX; run++) {
      const result = this.#run(event);
      if (result > layout.STEP_IGNORED) {
        if ((this.#flags & layout.QUIET) !== 0 || this.#hasActed()) acts = true;
        this.#arrive(number, event);
      } else if (result < 0) {
        acts = true;
        this.#keepEndless(number, event);
      }
      if (!choices.advance()) return acts;
    }
    this.unfinishedSteps += 1;
    return acts;
  }

  /**
   * Runs a step in the configuration at hand once for each way in which its questions can be answered, until `each` returns false.
   * @param each is called with the core's result, while the instance, the records and the oracle are as the run left them.
   */
  runs(event: number, each: (result: number) => boolean): void {
    const { choices } = this.oracle;
    choices.reset();
    for (let run = 0; run < RUNS_MAX && each(this.#run(event)) && choices.advance(); run++);
  }

  /** Takes the configuration with this number for the runs to come. */
  load(number: number): void {
    this.#number = number;
    this.#begin = this.space.begin(number);
    this.#end = this.space.end(number);
  }

  /** @param index of the stimulus, or START. */
  #run(index: number): number {
    let result = this.#step(index);
    while (result < 0 && !this.#isEndless(result)) {
      this.#reserve();
      result = this.#step(index);
    }
    if (result !== layout.STEP_IGNORED) this.#held = -1;
    return result;
  }

  #step(index: number): number {
    const { exports } = this.#core;
    this.oracle.begin();
    if (index === START) return this.#start();
    if (this.#data !== undefined) this.oracle.valuation = this.#data.valuation(this.#core.words[this.space.forms + this.#end - 1]!);
    if (this.#held !== this.#number) this.#restore();
    const { event, called } = this.chart.stimuli[index]!;
    if (called !== undefined) this.#call(called);
    return exports.step(this.#instance, event, this.#flags);
  }

  #start(): number {
    if (this.#data !== undefined) this.oracle.valuation = this.#data.valuation(0);
    this.#core.words.fill(0, this.#status, (this.#instance + this.machine.strideBytes) >>> 2);
    return this.#core.exports.start(this.#instance, this.#flags);
  }

  /** Whether that is the result of a step without an end; else its records had no room. @throws GivenUp */
  #isEndless(result: number): boolean {
    if (result === layout.FAULT_FUEL || result === layout.FAULT_QUEUE_FULL) return true;
    const { thrown } = this.#core;
    if (result === layout.FAULT_HOST && thrown instanceof GivenUp) throw thrown;
    assert(
      result === layout.FAULT_OUTPUT_FULL,
      `a step that is answered by the oracle ends with a result, fuel or room used up, not with ${result}`,
    );
    return false;
  }

  #call(called: readonly number[]): void {
    const { exports, words } = this.#core;
    const at = exports.called() >>> 2;
    words[at] = called.length;
    for (let i = 0; i < called.length; i++) words[at + 1 + i] = called[i]!;
  }

  #outputSize = layout.OUTPUT_SIZE;
  #reserve(): void {
    this.#outputSize *= 2;
    const result = this.#core.exports.reserve(this.#outputSize);
    assert(result === 0, 'a step has at most as many records as fuel, states and actions give room for');
  }

  /** Writes the configuration at hand into the instance. Clocks run on: nothing asks them. */
  #restore(): void {
    this.#held = this.#number;
    const { words } = this.#core;
    words[this.#status] = layout.STATUS_ACTIVE;
    for (let i = 0; i < this.#words; i++) words[this.#configuration + i] = 0;
    const { historyWords } = this.chart;
    for (let i = 0; i < historyWords; i++) words[this.#histories + i] = 0;
    const { forms } = this.space;
    const end = forms + this.#end;
    for (let at = forms + this.#begin; at < end; at += 2) {
      const place = words[at]!;
      if (place < this.#words) words[this.#configuration + place] = words[at + 1]!;
      else if (place < this.#words + historyWords) words[this.#histories + place - this.#words] = words[at + 1]!;
    }
  }

  /** The number of the configuration that the last step ended in, or -1 when it is new. */
  whereItIs(): number {
    const { words } = this.#core;
    let length = words[this.#form - 1]!;
    if (this.#data !== undefined) {
      words[this.#form + length] = this.space.wordsEach - 1;
      words[this.#form + length + 1] = this.#data.number(this.oracle.valuation);
      length += 2;
    }
    this.#formLength = length;
    return this.space.find(this.#form, length);
  }

  #arrive(number: number, event: number): void {
    this.#held = this.whereItIs();
    if (this.#held >= 0) return;
    const reached = this.space.count;
    this.space.add(this.#form, this.#formLength, number, event);
    if (this.#core.words[this.#status] === layout.STATUS_DONE) this.space.mark(reached);
    this.#held = reached;
  }

  /** The first configuration in which a state is active, or -1. */
  firstWith(state: number): number {
    for (let number = 0; number < this.space.count; number++) if (this.space.has(number, state)) return number;
    return -1;
  }

  /** Whether the run took a transition with a target or an action. */
  #hasActed(): boolean {
    const { core } = this.machine;
    const { words } = core;
    const from = core.exports.output() >>> 2;
    const end = from + core.exports.outputCount() * 2;
    for (let at = from; at < end; at += 2) {
      const record = words[at]!;
      if (record >>> 24 === layout.RECORD_TRANSITION && this.chart.acts(record & 0xff_ffff)) return true;
    }
    return false;
  }

  #keepEndless(from: number, event: number): void {
    const isCertain = !this.oracle.isForced;
    const last = this.#endless.at(-1);
    const isKnown = last?.from === from && last.event === event && last.isCertain === isCertain;
    if (!isKnown && this.#endless.length < ENDLESS_MAX) this.#endless.push({ from, event, isCertain, transitions: [] });
  }

  /**
   * Looks at an endless step again: what was entered and taken in it. The core throws its records away for want of fuel; what it wrote is
   * still there when the room for it was empty before.
   */
  #lookInto(step: EndlessStep): EndlessStep {
    if (step.from !== NOWHERE) this.load(step.from);
    const { words } = this.#core;
    const start = this.#core.exports.output() >>> 2;
    const end = start + (this.#outputSize >>> 2);
    const transitions: number[] = [];
    words.fill(0, start, end);
    this.runs(step.event, (result) => {
      if (!this.isRunOf(step, result)) {
        words.fill(0, start, end);
        return true;
      }
      for (let at = start; at < end && words[at] !== 0; at += 2) {
        if (words[at]! >>> 24 === layout.RECORD_TRANSITION) transitions.push(words[at]! & 0xff_ffff);
      }
      return false;
    });
    return { ...step, transitions };
  }

  /** Whether the run that just ended with this result is the one that an endless step stands for. */
  isRunOf({ isCertain }: EndlessStep, result: number): boolean {
    return result < 0 && this.oracle.isForced !== isCertain;
  }
}

function even(count: number): number {
  return (count + 1) & ~1;
}
