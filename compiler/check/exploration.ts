// All configurations that a machine can reach, breadth first, each by a shortest way. The core runs every step; a configuration is status,
// active states and what history nodes remember, and data is unknown: guards that ask it are answered both ways. What happens on the way,
// which states were entered and which transitions taken, is marked; configurations without a way out and steps without an end are kept.

import * as layout from '../../assembly/layout.ts';
import { assert } from '../../core/errors.ts';
import type { Machine } from '../../core/machine.ts';
import { Chart, type Stimulus } from './chart.ts';
import { Oracle } from './oracle.ts';
import { NOWHERE, Space } from './space.ts';

/** Instead of an event number: the initial macrostep. */
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
  readonly event: number;
  /** Whether no other answer to a question in its rounds could end it. */
  readonly isCertain: boolean;
  /** The transitions that it took, in order, as far as fuel went. */
  readonly transitions: readonly number[];
}

/** Endless steps that are looked at closely; they are alike. */
const ENDLESS_MAX = 1_000;
const CONFIGURATIONS_DEFAULT = 1_000_000;

export class Exploration {
  readonly machine: Machine;
  readonly chart: Chart;
  readonly space: Space;
  readonly oracle: Oracle;
  /** By state: the first configuration in which it was active, plus one; 0 when none. */
  readonly firstActive: Uint32Array;
  /** By state and by transition: 1 when it was entered, or taken, in some step. */
  readonly entered: Uint8Array;
  readonly taken: Uint8Array;
  /** Configurations in which the machine is not done and nothing can happen. */
  readonly stuck: number[] = [];
  endless: readonly EndlessStep[] = [];

  /** Steps with more answers than were tried. */
  unfinishedSteps = 0;
  /** Whether all configurations were looked at. */
  isComplete = false;
  readonly #endless: EndlessStep[] = [];
  readonly #instance: number;
  readonly #limit: number;
  /** Word index of the instance, and of the configuration and the histories in it. */
  readonly #status: number;
  readonly #configuration: number;
  readonly #histories: number;
  readonly #words: number;
  readonly #from: Uint32Array;
  readonly #to: Uint32Array;
  /** States that no configuration had active so far. */
  readonly #unseen: Uint32Array;
  #unseenCount: number;
  #flags = 0;
  #uncovered: number;

  /**
   * @param source the machine that the image was compiled from, for its guards.
   * @throws LockstepError CORE when memory is exhausted.
   */
  constructor(machine: Machine, source: unknown, { configurationMax = CONFIGURATIONS_DEFAULT }: ExplorationOptions = {}) {
    this.machine = machine;
    this.chart = new Chart(machine);
    this.#limit = configurationMax;
    this.#instance = machine.core.exports.create(machine.handle);
    assert(this.#instance > 0, 'a core that took an image has room for an instance');
    this.oracle = new Oracle(machine, this.#instance, source);
    const { stateCount, wordCount } = machine;
    this.#status = (this.#instance + layout.INSTANCE_STATUS) >>> 2;
    this.#configuration = (this.#instance + layout.INSTANCE_CONFIGURATION) >>> 2;
    this.#histories = this.#configuration + even(wordCount) + even(stateCount);
    this.#words = wordCount;
    this.space = new Space(1 + wordCount + this.chart.historyWords);
    this.#from = new Uint32Array(this.space.wordsEach);
    this.#to = new Uint32Array(this.space.wordsEach);
    this.firstActive = new Uint32Array(stateCount);
    this.entered = new Uint8Array(stateCount);
    this.taken = new Uint8Array(this.chart.transitions.length);
    this.#unseen = new Uint32Array(wordCount).fill(0xffff_ffff);
    this.#unseenCount = stateCount;
    this.#uncovered = stateCount + this.chart.transitions.filter(({ event }) => event !== layout.NONE16).length;
  }

  /** Explores. */
  run(): void {
    this.asking(() => {
      this.#explore();
      this.#flags = 0;
      this.endless = this.#endless.map((step) => this.#lookInto(step));
    });
  }

  /** Lets the oracle answer the core while `work` runs steps. The core must have nothing else to do meanwhile. */
  asking<Result>(work: () => Result): Result {
    const { core } = this.machine;
    const host = core.host;
    core.host = this.oracle;
    try {
      return work();
    } finally {
      core.host = host;
    }
  }

  /** Gives the instance back. */
  dispose(): void {
    this.machine.core.exports.destroy(this.#instance);
  }

  #explore(): void {
    this.#visit(NOWHERE, START);
    const { stimuli } = this.chart;
    const { space } = this;
    for (let number = 0; number < space.count; number++) {
      if (space.count > this.#limit) return;
      space.read(number, this.#from);
      if (this.#from[0] === layout.STATUS_DONE) continue;
      let moves = false;
      for (const stimulus of stimuli) {
        if (!this.#isListed(stimulus)) continue;
        const took = this.#visit(number, stimulus.event);
        // An event that nothing names may only make an eventless guard look again: no way out to rely on.
        if (took && stimulus.event !== 0) moves = true;
      }
      if (!moves) this.stuck.push(number);
    }
    this.isComplete = true;
  }

  /** Whether something is listed under the event in the configuration at hand. */
  #isListed({ mask, timerState }: Stimulus): boolean {
    const from = this.#from;
    if (timerState >= 0 && ((from[1 + (timerState >>> 5)]! >>> (timerState & 31)) & 1) === 0) return false;
    for (let word = 0; word < this.#words; word++) if ((from[1 + word]! & mask[word]!) !== 0) return true;
    return false;
  }

  /** Runs an event in the configuration at hand, with all answers. @returns whether it did something. */
  #visit(number: number, event: number): boolean {
    let acts = false;
    this.runs(event, (result) => {
      if (result === layout.FAULT_FUEL || result === layout.FAULT_QUEUE_FULL) {
        acts = true;
        this.#keepEndless(number, event);
        return;
      }
      if (result <= layout.STEP_IGNORED) return;
      if (this.#flags === 0 ? this.#mark() : true) acts = true;
      this.#arrive(number, event);
    });
    return acts;
  }

  /**
   * Runs a step once for each way in which its questions can be answered, until `each` returns false.
   * @param each is called with the core's result, while the instance, the records and the oracle are as the run left them.
   */
  runs(event: number, each: (result: number) => boolean | void): void {
    const { oracle } = this;
    const { choices } = oracle;
    choices.reset();
    for (let run = 0; ; run++) {
      if (run === RUNS_MAX) {
        this.unfinishedSteps += 1;
        return;
      }
      if (each(this.#run(event)) === false || !choices.advance()) return;
    }
  }

  /** Takes the configuration with this number for the runs to come. */
  load(number: number): void {
    this.space.read(number, this.#from);
  }

  #run(event: number): number {
    const { core } = this.machine;
    for (;;) {
      this.#restore(event);
      this.oracle.begin();
      const result = event === START ? core.exports.start(this.#instance, 0) : core.exports.step(this.#instance, event, this.#flags);
      if (result !== layout.FAULT_OUTPUT_FULL) return result;
      this.#reserve();
    }
  }

  #outputSize = layout.OUTPUT_SIZE;
  #reserve(): void {
    this.#outputSize *= 2;
    const result = this.machine.core.exports.reserve(this.#outputSize);
    assert(result === 0, 'a step has at most as many records as fuel, states and actions give room for');
  }

  /** Writes the configuration at hand into the instance. Clocks run on: nothing asks them. */
  #restore(event: number): void {
    const { words } = this.machine.core;
    if (event === START) {
      words.fill(0, this.#status, (this.#instance + this.machine.strideBytes) >>> 2);
      return;
    }
    const from = this.#from;
    words[this.#status] = from[0]!;
    for (let i = 0; i < this.#words; i++) words[this.#configuration + i] = from[1 + i]!;
    for (let i = 0; i < this.chart.historyWords; i++) words[this.#histories + i] = from[1 + this.#words + i]!;
  }

  /** The configuration that the instance is in, in `to`. */
  current(): Uint32Array {
    const { words } = this.machine.core;
    const to = this.#to;
    to[0] = words[this.#status]!;
    for (let i = 0; i < this.#words; i++) to[1 + i] = words[this.#configuration + i]!;
    for (let i = 0; i < this.chart.historyWords; i++) to[1 + this.#words + i] = words[this.#histories + i]!;
    return to;
  }

  #arrive(number: number, event: number): void {
    const to = this.current();
    if (this.space.find(to) >= 0) return;
    if (this.#unseenCount > 0) this.#see(to, this.space.count);
    this.space.add(to, number, event);
  }

  #see(configuration: Uint32Array, number: number): void {
    for (let word = 0; word < this.#words; word++) {
      let bits = configuration[1 + word]! & this.#unseen[word]!;
      if (bits === 0) continue;
      this.#unseen[word]! &= ~bits;
      for (; bits !== 0; bits &= bits - 1) {
        const state = word * 32 + 31 - Math.clz32(bits & -bits);
        this.firstActive[state] = number + 1;
        this.#unseenCount -= 1;
      }
    }
  }

  /** What the records of the run tell. @returns whether a transition with a target or an action was taken. */
  #mark(): boolean {
    const { core } = this.machine;
    const { words } = core;
    const from = core.exports.output() >>> 2;
    const end = from + core.exports.outputCount() * 2;
    let acts = false;
    for (let at = from; at < end; at += 2) {
      const record = words[at]!;
      this.#markRecord(record);
      if (record >>> 24 === layout.RECORD_TRANSITION && this.chart.transitions[record & 0xff_ffff]!.acts) acts = true;
    }
    return acts;
  }

  #markRecord(record: number): void {
    const kind = record >>> 24;
    if (kind === layout.RECORD_ENTER) this.#cover(this.entered, record & 0xff_ffff);
    else if (kind === layout.RECORD_TRANSITION) this.#cover(this.taken, record & 0xff_ffff);
  }

  /** When everything was seen, and every transition does something, nobody needs the records any more. */
  #cover(what: Uint8Array, number: number): void {
    if (what[number] === 1) return;
    what[number] = 1;
    this.#uncovered -= 1;
    if (this.#uncovered === 0 && this.chart.transitions.every(({ acts, event }) => acts || event === layout.NONE16))
      this.#flags = layout.QUIET;
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
    const { words } = this.machine.core;
    const start = this.machine.core.exports.output() >>> 2;
    const end = start + (this.#outputSize >>> 2);
    const transitions: number[] = [];
    words.fill(0, start, end);
    this.runs(step.event, (result) => {
      if (!this.isRunOf(step, result)) {
        words.fill(0, start, end);
        return true;
      }
      for (let at = start; at < end && words[at] !== 0; at += 2) {
        this.#markRecord(words[at]!);
        if (words[at]! >>> 24 === layout.RECORD_TRANSITION) transitions.push(words[at]! & 0xff_ffff);
      }
      return false;
    });
    return { ...step, transitions };
  }

  /** Whether the run that just ended with this result is the one that an endless step stands for. */
  isRunOf({ isCertain }: EndlessStep, result: number): boolean {
    return (result === layout.FAULT_FUEL || result === layout.FAULT_QUEUE_FULL) && this.oracle.isForced !== isCertain;
  }
}

function even(count: number): number {
  return (count + 1) & ~1;
}
