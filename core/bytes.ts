// The bytes of one instance in the core's memory: where its numbers are, and nothing of what they mean to others. Layout: assembly/layout.

import {
  INSTANCE_CONFIGURATION,
  INSTANCE_SEQ,
  INSTANCE_STATUS,
  STATUS_ACTIVE,
  STATUS_DONE,
  STATUS_ERROR,
  STATUS_STOPPED,
} from '../assembly/layout.ts';
import { HOME_OUTSIDE } from '../assembly/program-layout.ts';
import { LockstepError } from './errors.ts';
import type { ConfigurationKey, Machine } from './machine.ts';
import type { Status } from './step.ts';

const STATUSES: readonly (Status | undefined)[] = [undefined, 'active', 'done', 'error', 'stopped'];
const STATUS_NUMBERS = { active: STATUS_ACTIVE, done: STATUS_DONE, error: STATUS_ERROR, stopped: STATUS_STOPPED } as const;

export class InstanceBytes {
  readonly machine: Machine;
  /** 0 after dispose. */
  protected pointer: number;

  /** @throws LockstepError CORE when memory is exhausted. */
  constructor(machine: Machine) {
    this.machine = machine;
    this.pointer = machine.core.exports.create(machine.handle);
    if (this.pointer < 0) throw new LockstepError('CORE', `no room for another instance of ${machine.symbols.id} (fault ${this.pointer})`);
    machine.cells?.setHome(this.pointer, HOME_OUTSIDE);
  }

  /** Where it lies in the core's memory: what the exports of core/abi.ts take. */
  get address(): number {
    return this.pointer;
  }

  /** Gives the bytes back; the instance must not be used afterwards. */
  dispose(): void {
    if (this.pointer === 0) return;
    this.machine.cells?.count(this.pointer, -1);
    this.machine.core.exports.destroy(this.pointer);
    this.pointer = 0;
  }

  /** Steps applied. */
  get seq(): number {
    return this.machine.core.words[(this.pointer + INSTANCE_SEQ) >>> 2]!;
  }

  set seq(seq: number) {
    this.machine.core.words[(this.pointer + INSTANCE_SEQ) >>> 2] = seq;
  }

  /** Undefined until started. */
  get status(): Status | undefined {
    return STATUSES[this.machine.core.words[(this.pointer + INSTANCE_STATUS) >>> 2]!];
  }

  protected setStatus(status: Status): void {
    this.machine.core.words[(this.pointer + INSTANCE_STATUS) >>> 2] = STATUS_NUMBERS[status];
  }

  /** Equal keys mean equal configurations. */
  get configurationKey(): ConfigurationKey {
    return this.machine.configurationKey(this.machine.core.words, (this.pointer + INSTANCE_CONFIGURATION) >>> 2);
  }

  /** Activations and deactivations of a state so far; odd = active. @param state number, id, or key path. */
  tick(state: number | string): number {
    const number = typeof state === 'number' ? state : this.machine.stateNumber(state);
    return this.machine.core.words[this.clocksAt() + number]!;
  }

  /** Ticks by state number. */
  clocks(): number[] {
    const { core, stateCount } = this.machine;
    const from = this.clocksAt();
    const { words } = core;
    // Array.from goes by the iterator, and takes most of the time of a save.
    const clocks = new Array<number>(stateCount);
    for (let state = 0; state < stateCount; state++) clocks[state] = words[from + state]!;
    return clocks;
  }

  /** Word index of the clocks: behind the configuration's W₂ words. */
  protected clocksAt(): number {
    return ((this.pointer + INSTANCE_CONFIGURATION) >>> 2) + even(this.machine.wordCount);
  }

  /** Word index of a history node's memory: behind the clocks' N₂ words. */
  #historyAt(history: number): number {
    return this.clocksAt() + even(this.machine.stateCount) + history * this.machine.wordCount;
  }

  protected remembered(history: number): number[] {
    const words = this.machine.core.words;
    const at = this.#historyAt(history);
    const states: number[] = [];
    for (let state = 0; state < this.machine.stateCount; state++) {
      if (((words[at + (state >>> 5)]! >>> (state & 31)) & 1) === 1) states.push(state);
    }
    return states;
  }

  protected remember(history: number, states: readonly number[]): void {
    const { core, historyCount, stateCount, wordCount } = this.machine;
    if (history >= historyCount) throw new LockstepError('BAD_PARAMS', `history ${history}, the image has ${historyCount}`);
    const at = this.#historyAt(history);
    core.words.fill(0, at, at + wordCount);
    for (const state of states) {
      if (state >= stateCount)
        throw new LockstepError('BAD_PARAMS', `history ${history} remembers state ${state}, the image has ${stateCount}`);
      core.words[at + (state >>> 5)]! |= 1 << (state & 31);
    }
  }

  /**
   * Lets `write` change status, clocks and history, then has the core derive the configuration and check it.
   * @throws what `write` throws, and LockstepError BAD_PARAMS when the result is illegal; the bytes are then as before.
   */
  protected rewrite(what: string, write: (words: Uint32Array) => void): void {
    const { core, strideBytes, symbols } = this.machine;
    const words = core.words;
    const from = (this.pointer + INSTANCE_STATUS) >>> 2;
    const undo = words.slice(from, (this.pointer + strideBytes) >>> 2);
    try {
      write(words);
      if (core.exports.settle(this.pointer) < 0)
        throw new LockstepError('BAD_PARAMS', `${what} leaves an instance of ${symbols.id} in an illegal configuration`);
    } catch (error) {
      words.set(undo, from);
      throw error;
    }
  }

  /** All but the cells, which keep count of what they hold. */
  protected clear(): void {
    const { cells, core, strideBytes } = this.machine;
    const size = strideBytes - (cells?.sizeBytes ?? 0);
    core.words.fill(0, (this.pointer + INSTANCE_STATUS) >>> 2, (this.pointer + size) >>> 2);
  }

  /** Seq and state become those of `other`, an instance of the same machine. */
  protected copyBytes(other: InstanceBytes): void {
    const { cells } = this.machine;
    cells?.count(this.pointer, -1);
    const from = other.pointer >>> 2;
    const seq = INSTANCE_SEQ >>> 2;
    this.machine.core.words.copyWithin((this.pointer >>> 2) + seq, from + seq, from + (this.machine.strideBytes >>> 2));
    cells?.count(this.pointer, 1);
  }
}

function even(count: number): number {
  return (count + 1) & ~1;
}
