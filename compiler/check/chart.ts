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
  /** Whether these are in every configuration, because all states without children are among them. */
  readonly isEverywhere: boolean;
  /** The state whose timer sends it, or -1. */
  readonly timerState: number;
}

export class Chart {
  /** What can come from outside: events by name, timers, and, where eventless guards ask data, an event that nothing names. */
  readonly stimuli: readonly Stimulus[];
  readonly transitionCount: number;
  /** States of history nodes' memory are kept beside the configuration. */
  readonly historyWords: number;
  readonly #machine: Machine;
  /** Where in the core's memory the image is, and in it the records of transitions and the lists: word indexes. */
  readonly #image: number;
  readonly #transitions: number;
  readonly #lists: number;

  constructor(machine: Machine, relations: Definition['relations']) {
    this.#machine = machine;
    this.#image = machine.handle >>> 2;
    this.#transitions = this.#section(layout.IMAGE_TRANSITIONS);
    this.#lists = this.#section(layout.IMAGE_LISTS);
    this.transitionCount = this.#header(layout.IMAGE_TRANSITION_COUNT);
    this.historyWords = machine.historyCount * machine.wordCount;
    this.stimuli = relations === undefined ? this.#readStimuli() : mutations(machine, relations);
  }

  #word(index: number): number {
    return this.#machine.core.words[index]!;
  }

  /** A count of the header. */
  #header(offset: number): number {
    return this.#word(this.#image + (offset >>> 2));
  }

  /** The word index of a section. */
  #section(offset: number): number {
    return this.#image + (this.#header(offset) >>> 2);
  }

  // ── Transitions, by number ───────────────────────────────────────────────────────────────────────────────────────

  source(transition: number): number {
    return this.#half(transition, layout.TRANSITION_SOURCE);
  }

  /** Event number, the count of events for `always`, NONE16 for what no event selects. */
  event(transition: number): number {
    return this.#half(transition, layout.TRANSITION_EVENT);
  }

  hasGuard(transition: number): boolean {
    return this.#half(transition, layout.TRANSITION_GUARD_KIND) !== layout.GUARD_NONE;
  }

  /** It has a target or an action. */
  acts(transition: number): boolean {
    if ((this.#half(transition, layout.TRANSITION_FLAGS) & layout.TRANSITION_TARGETLESS) === 0) return true;
    return this.#word(this.#lists + this.#word(this.#transition(transition) + (layout.TRANSITION_ACTIONS >>> 2))) > 0;
  }

  /** Whether nothing is selected that does nothing. */
  doAllAct(): boolean {
    for (let transition = 0; transition < this.transitionCount; transition++)
      if (!this.acts(transition) && this.event(transition) !== layout.NONE16) return false;
    return true;
  }

  /** Word index of its record. */
  #transition(transition: number): number {
    return this.#transitions + transition * (layout.TRANSITION_SIZE >>> 2);
  }

  #half(transition: number, field: number): number {
    const word = this.#word(this.#transition(transition) + (field >>> 2));
    return (field & 2) === 0 ? word & 0xffff : word >>> 16;
  }

  // ── Stimuli ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #readStimuli(): Stimulus[] {
    const { symbols, donePrefix } = this.#machine;
    const timers = this.#timerStates();
    const leaves = this.#leaves();
    const named = symbols.events
      .map((type, event) => ({ type, event }))
      .filter(({ type, event }) => event !== 0 && !type.startsWith(donePrefix))
      .map(({ type, event }) => ({ name: type, event, ...this.#listed(event, leaves), timerState: timers.get(event) ?? -1 }));
    const always = symbols.events.length;
    const asksData = this.#asksDataAlways(always);
    return asksData ? [...named, { name: '(any other)', event: 0, ...this.#listed(always, leaves), timerState: -1 }] : named;
  }

  #asksDataAlways(always: number): boolean {
    if (this.#eventWord(always, layout.EVENT_ENTRY_COUNT) === 0) return false;
    for (let transition = 0; transition < this.transitionCount; transition++)
      if (this.event(transition) === always && this.hasGuard(transition)) return true;
    return false;
  }

  #eventWord(event: number, field: number): number {
    return this.#word(this.#section(layout.IMAGE_EVENTS) + ((event * layout.EVENT_SIZE + field) >>> 2));
  }

  #listed(event: number, leaves: Uint32Array): Pick<Stimulus, 'mask' | 'isEverywhere'> {
    const from = this.#section(layout.IMAGE_SELECT) + this.#eventWord(event, layout.EVENT_MASK);
    const mask = this.#machine.core.words.slice(from, from + this.#machine.wordCount);
    return { mask, isEverywhere: leaves.every((word, place) => (word & ~mask[place]!) === 0) };
  }

  /** Words: the states without children. */
  #leaves(): Uint32Array {
    const { core, stateCount, wordCount } = this.#machine;
    const { words } = core;
    const leaves = new Uint32Array(wordCount);
    const from = this.#section(layout.IMAGE_STATES) + (layout.STATE_END >>> 2);
    for (let place = 0; place < wordCount; place++) {
      const last = Math.min(stateCount, (place + 1) << 5);
      let word = 0;
      for (let state = place << 5; state < last; state++) {
        const end = words[from + state * (layout.STATE_SIZE >>> 2)]! >>> ((layout.STATE_END & 2) << 3);
        if ((end & 0xffff) === state) word |= 1 << (state & 31);
      }
      leaves[place] = word;
    }
    return leaves;
  }

  #timerStates(): Map<number, number> {
    const from = this.#section(layout.IMAGE_TIMERS);
    const states = new Map<number, number>();
    for (let timer = 0; timer < this.#header(layout.IMAGE_TIMER_COUNT); timer++) {
      // Event and state share a word.
      const word = this.#word(from + timer * (layout.TIMER_SIZE >>> 2));
      states.set(word & 0xffff, word >>> 16);
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
    isEverywhere: true,
    timerState: -1,
  });
  return [...relations.states.keys()]
    .filter((name) => name !== relations.exception)
    .flatMap((name) => {
      const needs = needsOf(relations, name);
      return [stimulus('add', [name]), ...(needs.length > 1 ? [stimulus('add', needs)] : []), stimulus('remove', [name])];
    });
}
