// Why a step did what it did, and why not something else: the core runs it again from its recorded host results and says which guard of
// which transition answered what. Read microstep by microstep; the author's functions are not needed.

import {
  RECORD_ASSIGN,
  RECORD_CANCEL,
  RECORD_EFFECT,
  RECORD_ENTER,
  RECORD_EXIT,
  RECORD_GUARD,
  RECORD_HISTORY,
  RECORD_HOST,
  RECORD_INTERNAL,
  RECORD_SCHEDULE,
  RECORD_TRANSITION,
} from '../../assembly/layout.ts';
import { Instance } from '../../core/instance.ts';
import type { Mutation } from '../../core/mutation.ts';
import type { Machine } from '../../core/machine.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { InstanceState } from '../../core/state.ts';
import type { Step } from '../../core/step.ts';
import type { Chart } from './chart.ts';
import { obstaclesOf } from './obstacles.ts';

/** What became of a transition that the event could have taken. */
export type Verdict =
  | 'taken'
  /** Its guard said no. */
  | 'refused'
  /** Its guard said yes, but a transition of another region came first. */
  | 'outranked'
  /** Nobody asked: one before it, or one of an inner state, took the event. */
  | 'not asked'
  /** Its state was not active. */
  | 'inactive';

export interface Candidate {
  readonly transition: number;
  readonly verdict: Verdict;
}

export type Action =
  | { readonly kind: 'effect' | 'assign' | 'builtin' | 'start' | 'stop'; readonly name: string }
  | { readonly kind: 'schedule' | 'cancel'; readonly name: string }
  | { readonly kind: 'remember'; readonly name: string };

/** One selection of transitions and what taking them did. */
export interface Microstep {
  /** The external event's type first; then raised and done events, and `always`. */
  readonly event: string;
  readonly candidates: readonly Candidate[];
  /** What each guard that was asked said, in order. */
  readonly answers: readonly { readonly transition: number; readonly answer: boolean }[];
  readonly taken: readonly number[];
  /** States in the order they were left, then entered. */
  readonly left: readonly number[];
  readonly entered: readonly number[];
  readonly actions: readonly Action[];
  /** Of a relational machine: the negotiation handlers that were asked, in order. */
  readonly asked: readonly { readonly name: string; readonly answer: boolean }[];
  /** Of a mutation that relations cancelled: what stood in its way. */
  readonly obstacles: readonly string[];
}

/**
 * Runs a recorded step again.
 * @param before the instance's state before it; undefined for step 1.
 * @returns its microsteps; none when the step failed in a function of the author, which left nothing to see.
 * @throws LockstepError BAD_PARAMS when the record does not belong to this image or state.
 */
export function explain(chart: Chart, machine: Machine, before: InstanceState | undefined, step: Step): readonly Microstep[] {
  if (step.status === 'error' || step.status === 'stopped') return [];
  const instance = Instance.create(machine);
  try {
    if (before !== undefined) instance.load(before, step.seq - 1);
    const salt = `${step.instance}/${step.epoch}/${step.seq}`;
    const outcome = instance.replay(step.cause.event, { now: step.at, seed: step.cause.seed, salt }, step.host);
    return new Reader(chart, before, step).read(outcome, chart.isRelational ? instance.replayed : []);
  } finally {
    instance.dispose();
  }
}

interface Open {
  readonly event: string;
  readonly eventNumber: number;
  readonly answers: Map<number, boolean>;
  readonly active: ReadonlySet<number>;
  readonly taken: number[];
  readonly left: number[];
  readonly entered: number[];
  readonly actions: Action[];
  readonly asked: { readonly name: string; readonly answer: boolean }[];
}

type Asked = Instance['replayed'];

class Reader {
  readonly #chart: Chart;
  readonly #active: Set<number>;
  readonly #microsteps: Microstep[] = [];
  readonly #step: Step;
  #open: Open;

  constructor(chart: Chart, before: InstanceState | undefined, step: Step) {
    this.#chart = chart;
    this.#step = step;
    this.#active = new Set(before === undefined ? [] : before.clocks.flatMap((ticks, state) => (ticks % 2 === 1 ? [state] : [])));
    const { type } = step.cause.event;
    this.#open = this.#begin(type, before === undefined ? -1 : chart.eventNumber(type));
  }

  read(outcome: Outcome, asked: Asked): readonly Microstep[] {
    const { records } = outcome;
    let next = 0;
    const askedBy = (record: number): void => {
      for (; next < asked.length && asked[next]!.records <= record; next++) this.#ask(asked[next]!);
    };
    for (let i = 0; i < records.length; i += 2) {
      askedBy(i / 2);
      this.#record(records[i]! >>> 24, records[i]! & 0xffffff, records[i + 1]!);
    }
    askedBy(Infinity);
    this.#close();
    return this.#microsteps;
  }

  #ask({ fn, answer }: Asked[number]): void {
    const name = this.#chart.functionName(fn);
    this.#open.asked.push({ name: name.slice(name.lastIndexOf('/') + 1), answer });
  }

  #record(kind: number, arg: number, aux: number): void {
    switch (kind) {
      case RECORD_INTERNAL:
        return this.#next(this.#chart.symbols.events[arg] ?? `event ${arg}`, arg);
      case RECORD_GUARD:
        this.#select(arg);
        this.#open.answers.set(arg, aux === 1);
        return;
      case RECORD_TRANSITION:
        this.#select(arg);
        this.#open.taken.push(arg);
        return;
      case RECORD_EXIT:
        this.#active.delete(arg);
        this.#open.left.push(arg);
        return;
      case RECORD_ENTER:
        this.#active.add(arg);
        this.#open.entered.push(arg);
        return;
      default:
        this.#act(kind, arg);
    }
  }

  #act(kind: number, arg: number): void {
    const chart = this.#chart;
    const { actions } = this.#open;
    if (kind === RECORD_EFFECT) actions.push({ kind: 'effect', name: chart.functionName(arg) });
    else if (kind === RECORD_ASSIGN) actions.push({ kind: 'assign', name: chart.functionName(arg) });
    else if (kind === RECORD_HOST) actions.push(hostAction(chart, arg));
    else if (kind === RECORD_SCHEDULE) actions.push({ kind: 'schedule', name: chart.timerName(arg) });
    else if (kind === RECORD_CANCEL) actions.push({ kind: 'cancel', name: chart.timerName(arg) });
    else if (kind === RECORD_HISTORY) actions.push({ kind: 'remember', name: chart.symbols.histories[arg]?.id ?? `history ${arg}` });
  }

  /** A guard or a transition of `always` ends the microstep of an event: nothing else says where `always` begins. */
  #select(transition: number): void {
    const { event } = this.#chart.transitions[transition]!;
    if (event === 'initial') return;
    if (event === 'always' && (this.#open.eventNumber !== this.#chart.always || this.#hasActed())) this.#next('always', this.#chart.always);
  }

  /** Whether the open microstep has moved states, or taken something and asked on. */
  #hasActed(): boolean {
    const { left, entered, actions } = this.#open;
    return left.length + entered.length + actions.length > 0;
  }

  #next(event: string, eventNumber: number): void {
    this.#close();
    this.#open = this.#begin(event, eventNumber);
  }

  #begin(event: string, eventNumber: number): Open {
    return {
      event,
      eventNumber,
      answers: new Map(),
      active: new Set(this.#active),
      taken: [],
      left: [],
      entered: [],
      actions: [],
      asked: [],
    };
  }

  #close(): void {
    const { event, eventNumber, taken, left, entered, actions, asked } = this.#open;
    const candidates =
      eventNumber < 0 ? [] : this.#chart.candidates(eventNumber).map((transition) => ({ transition, verdict: this.#verdict(transition) }));
    const answers = [...this.#open.answers].map(([transition, answer]) => ({ transition, answer }));
    this.#microsteps.push({ event, candidates, answers, taken, left, entered, actions, asked, obstacles: this.#obstacles() });
  }

  /** Nobody refused it, and still it was cancelled: by relations. */
  #obstacles(): readonly string[] {
    const { asked, active } = this.#open;
    if (!this.#chart.isRelational || this.#step.ignored !== true || asked.some(({ answer }) => !answer)) return [];
    return obstaclesOf(this.#chart, this.#step.cause.event as Mutation, active);
  }

  #verdict(transition: number): Verdict {
    const { answers, active, taken } = this.#open;
    if (taken.includes(transition)) return 'taken';
    const answer = answers.get(transition);
    if (answer !== undefined) return answer ? 'outranked' : 'refused';
    return active.has(this.#chart.transitions[transition]!.source) ? 'not asked' : 'inactive';
  }
}

/** A builtin action by its name, an invoke by its place. */
function hostAction(chart: Chart, fn: number): Action {
  const kind = chart.symbols.functions[fn]?.kind;
  return { kind: kind === 'invoke' ? 'start' : kind === 'stop' ? 'stop' : 'builtin', name: chart.functionName(fn) };
}
