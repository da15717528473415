// The place of a chart in one core: its image, and one instance that is filled from a snapshot before each step. An XState snapshot holds
// all that the core needs, so nothing is kept beside it; the clocks carry their parity only.

import type { AnyMachineSnapshot, AnyStateNode } from 'xstate';
import {
  INSTANCE_CONFIGURATION,
  INSTANCE_STATUS,
  RECORD_SIZE,
  RECORD_TRANSITION,
  STATUS_ACTIVE,
  STATUS_DONE,
} from '../../assembly/layout.ts';
import { LockstepError } from '../../core/errors.ts';
import type { Core } from '../../core/wasm.ts';
import type { Chart } from './chart.ts';

const even = (count: number): number => (count + 1) & ~1;

/** What a core holds of a chart. */
interface Place {
  readonly core: Core;
  readonly image: number;
  readonly instance: number;
}

const seats = new WeakMap<Chart, Map<Core, Seat>>();

/** A chart that nobody uses any more leaves its cores. */
const leavers = new FinalizationRegistry<Place>(({ core, image, instance }) => {
  core.exports.destroy(instance);
  core.exports.unload(image);
});

export class Seat {
  readonly core: Core;
  readonly instance: number;
  readonly #chart: Chart;
  readonly #wordCount: number;
  /** Word indexes into the core's memory. */
  readonly #status: number;
  readonly #configuration: number;
  readonly #clocks: number;
  readonly #memories: number;
  readonly #end: number;
  /** The configuration at the end of the microstep before. */
  readonly #before: Uint32Array;
  /** The snapshot whose states the instance holds already. */
  #resident: AnyMachineSnapshot | undefined;

  /** @throws LockstepError CORE when memory is exhausted. */
  static of(chart: Chart, core: Core): Seat {
    const known = seats.get(chart) ?? new Map<Core, Seat>();
    const seat = known.get(core) ?? new Seat(chart, core);
    seats.set(chart, known.set(core, seat));
    return seat;
  }

  private constructor(chart: Chart, core: Core) {
    this.#chart = chart;
    this.core = core;
    const image = core.loadImage(chart.image.bytes);
    this.instance = core.exports.create(image);
    const { nodes, transitions } = chart;
    if (this.instance < 0 || core.exports.reserve(RECORD_SIZE * 3 * (nodes.length + transitions.length)) < 0) {
      throw new LockstepError('CORE', `no memory for an actor with ${nodes.length} states`);
    }
    this.#wordCount = (nodes.length + 31) >>> 5;
    this.#status = (this.instance + INSTANCE_STATUS) >>> 2;
    this.#configuration = (this.instance + INSTANCE_CONFIGURATION) >>> 2;
    this.#clocks = this.#configuration + even(this.#wordCount);
    this.#memories = this.#clocks + even(nodes.length);
    this.#end = (this.instance + core.exports.stride(image)) >>> 2;
    this.#before = new Uint32Array(this.#wordCount);
    leavers.register(chart, { core, image, instance: this.instance });
  }

  /** An instance that has not started; XState counts the root as active before it is entered. */
  clear(): void {
    this.#resident = undefined;
    this.core.words.fill(0, this.#status, this.#end);
    this.#before.fill(0);
    this.#before[0] = 1;
  }

  /** @throws LockstepError BAD_PARAMS when the snapshot's nodes are no configuration of the machine; it cannot be stepped then. */
  load(snapshot: AnyMachineSnapshot): void {
    if (this.#resident !== snapshot) this.#fill(snapshot);
    const { words } = this.core;
    this.#before.set(words.subarray(this.#configuration, this.#configuration + this.#wordCount));
  }

  #fill(snapshot: AnyMachineSnapshot): void {
    this.clear();
    const { words } = this.core;
    words[this.#status] = STATUS_ACTIVE;
    for (const node of snapshot._nodes) words[this.#clocks + this.#numberOf(node)] = 1;
    this.#chart.histories.forEach(({ id }, history) => {
      const at = this.#memories + history * this.#wordCount;
      for (const node of (snapshot.historyValue[id] ?? []) as AnyStateNode[]) {
        const number = this.#numberOf(node);
        words[at + (number >>> 5)]! |= 1 << (number & 31);
      }
    });
    if (this.core.exports.settle(this.instance) < 0) {
      const { id } = snapshot.machine;
      throw new LockstepError('BAD_PARAMS', `the snapshot ${JSON.stringify(snapshot.value)} is no configuration of machine '${id}'`);
    }
    this.#resident = snapshot;
  }

  #numberOf(node: AnyStateNode): number {
    const number = this.#chart.numberOf(node);
    if (number === undefined) throw new LockstepError('BAD_PARAMS', `the snapshot is in '${node.id}', which the machine does not have`);
    return number;
  }

  /** The instance now holds the states of this snapshot; of none when that cannot go on. */
  keep(snapshot: AnyMachineSnapshot): void {
    this.#resident = snapshot.status === 'active' ? snapshot : undefined;
  }

  get isDone(): boolean {
    return this.core.words[this.#status] === STATUS_DONE;
  }

  /** Whether other states are active than at the end of the microstep before. */
  hasMoved(): boolean {
    const { words } = this.core;
    let moved = false;
    for (let word = 0; word < this.#wordCount; word++) {
      const bits = words[this.#configuration + word]!;
      moved ||= bits !== this.#before[word];
      this.#before[word] = bits;
    }
    return moved;
  }

  /** The active nodes. */
  nodes(): AnyStateNode[] {
    return this.#nodesAt(this.#configuration);
  }

  /** What a history node remembers. */
  memory(history: number): AnyStateNode[] {
    return this.#nodesAt(this.#memories + history * this.#wordCount);
  }

  #nodesAt(at: number): AnyStateNode[] {
    const { words } = this.core;
    return this.#chart.nodes.filter((_, number) => ((words[at + (number >>> 5)]! >>> (number & 31)) & 1) === 1);
  }

  /** Numbers of the transitions that were selected for the microstep that just ended. */
  selected(): number[] {
    const { words } = this.core;
    const from = this.core.exports.output() >>> 2;
    const selected: number[] = [];
    for (let record = 0; record < this.core.exports.outputCount(); record++) {
      const word = words[from + record * (RECORD_SIZE >>> 2)]!;
      if (word >>> 24 === RECORD_TRANSITION) selected.push(word & 0xffffff);
    }
    return selected;
  }
}
