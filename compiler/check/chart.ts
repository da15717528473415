// What an exploration asks of an image's tables, read once: which events could be taken in a configuration, which of them are timers, and
// what each transition is. Layout: assembly/layout.ts.

import * as layout from '../../assembly/layout.ts';
import type { Machine } from '../../core/machine.ts';
import type { Definition } from '../definition.ts';
import { needsOf } from './relations.ts';

export interface Stimulus {
  /** As a person calls it. */
  readonly name: string;
  /** Event number; 0 is an event that nothing in the machine names. */
  readonly event: number;
  /** Of a mutation: the numbers of the states that it calls. */
  readonly called?: readonly number[];
  /** Words: the states in which something is listed under it. */
  readonly mask: Uint32Array;
  /** The state whose timer sends it, or -1. */
  readonly timerState: number;
}

export interface TransitionFacts {
  readonly source: number;
  /** Event number, the count of events for `always`, NONE16 for what no event selects. */
  readonly event: number;
  /** It has a target or an action. */
  readonly acts: boolean;
  readonly hasGuard: boolean;
}

export class Chart {
  /** What can come from outside: events by name, timers, and, where eventless guards ask data, an event that nothing names. */
  readonly stimuli: readonly Stimulus[];
  readonly transitions: readonly TransitionFacts[];
  /** States of history nodes' memory are kept beside the configuration. */
  readonly historyWords: number;
  readonly #view: DataView;
  readonly #machine: Machine;

  constructor(machine: Machine, relations: Definition['relations']) {
    this.#machine = machine;
    const { bytes } = machine;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.historyWords = machine.historyCount * machine.wordCount;
    this.transitions = this.#readTransitions();
    this.stimuli = relations === undefined ? this.#readStimuli() : mutations(machine, relations);
  }

  /** The place of a section, or a count, in the header. */
  #header(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  #list(word: number): number {
    return this.#view.getUint32(this.#header(layout.IMAGE_LISTS) + word * 4, true);
  }

  #readTransitions(): TransitionFacts[] {
    const from = this.#header(layout.IMAGE_TRANSITIONS);
    return Array.from({ length: this.#header(layout.IMAGE_TRANSITION_COUNT) }, (_, number) => {
      const at = from + number * layout.TRANSITION_SIZE;
      const isTargetless = (this.#view.getUint16(at + layout.TRANSITION_FLAGS, true) & layout.TRANSITION_TARGETLESS) !== 0;
      const actions = this.#list(this.#view.getUint32(at + layout.TRANSITION_ACTIONS, true));
      return {
        source: this.#view.getUint16(at + layout.TRANSITION_SOURCE, true),
        event: this.#view.getUint16(at + layout.TRANSITION_EVENT, true),
        acts: !isTargetless || actions > 0,
        hasGuard: this.#view.getUint16(at + layout.TRANSITION_GUARD_KIND, true) !== layout.GUARD_NONE,
      };
    });
  }

  #readStimuli(): Stimulus[] {
    const { symbols, donePrefix } = this.#machine;
    const timers = this.#timerStates();
    const named = symbols.events
      .map((type, event) => ({ type, event }))
      .filter(({ type, event }) => event !== 0 && !type.startsWith(donePrefix))
      .map(({ type, event }) => ({ name: type, event, mask: this.#mask(event), timerState: timers.get(event) ?? -1 }));
    const always = symbols.events.length;
    const asksData = this.transitions.some(({ event, hasGuard }) => event === always && hasGuard);
    return asksData ? [...named, { name: '(any other)', event: 0, mask: this.#mask(always), timerState: -1 }] : named;
  }

  #mask(event: number): Uint32Array {
    const record = this.#header(layout.IMAGE_EVENTS) + event * layout.EVENT_SIZE;
    const from = this.#header(layout.IMAGE_SELECT) + this.#view.getUint32(record + layout.EVENT_MASK, true) * 4;
    return Uint32Array.from({ length: this.#machine.wordCount }, (_, word) => this.#view.getUint32(from + word * 4, true));
  }

  #timerStates(): Map<number, number> {
    const from = this.#header(layout.IMAGE_TIMERS);
    const states = new Map<number, number>();
    for (let timer = 0; timer < this.#header(layout.IMAGE_TIMER_COUNT); timer++) {
      const at = from + timer * layout.TIMER_SIZE;
      states.set(this.#view.getUint16(at + layout.TIMER_EVENT, true), this.#view.getUint16(at + layout.TIMER_STATE, true));
    }
    return states;
  }
}

/**
 * Of a relational machine: each state is added, alone and together with all that it needs, and removed. The state that stands for errors is
 * left to its owner.
 */
function mutations(machine: Machine, relations: NonNullable<Definition['relations']>): Stimulus[] {
  const mask = new Uint32Array(machine.wordCount).fill(0xffff_ffff);
  const stimulus = (kind: 'add' | 'remove', names: readonly string[]): Stimulus => ({
    name: `${kind} ${names.join(', ')}`,
    event: machine.eventNumber(`relational.${kind}`),
    called: names.map((name) => machine.stateNumber(name)),
    mask,
    timerState: -1,
  });
  return [...relations.states.keys()]
    .filter((name) => name !== relations.exception)
    .flatMap((name) => {
      const needs = needsOf(relations, name);
      return [stimulus('add', [name]), ...(needs.length > 1 ? [stimulus('add', needs)] : []), stimulus('remove', [name])];
    });
}
