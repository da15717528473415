// What a mirror is told that comes back: of all that would bring it up to date, what takes least. The steps that it missed, one difference in
// their place, or everything. Who passes steps on, or waits for one of them, asks for the steps themselves.        (docs/spec/sync.md)

import { diff } from '../core/diff.ts';
import { Instance } from '../core/instance.ts';
import type { Json } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import { isSame } from '../core/plain.ts';
import type { InstanceState } from '../core/state.ts';
import type { ChildChange, TimerChange } from '../core/step.ts';
import type { Backlog } from './backlog.ts';
import { joinFields, type RequestId } from './codec-json.ts';
import type { Session } from './session.ts';
import { sizeOf } from './shape.ts';
import { inMode } from './telling.ts';
import type { Methods, Mode, StepDifference, WatchResult } from './wire.ts';

type From = Methods['watch']['params']['from'];
/** One way to bring a mirror up to date. */
type Caught = Pick<WatchResult, 'steps' | 'merged' | 'snapshot'>;

/** The ways to bring a mirror up to date, the shortest first. After a restart of the relay many come back from the same place, and are told the same. */
export class Ways {
  readonly forms: readonly Caught[];
  readonly #texts: string[] = [];

  constructor(forms: readonly Caught[]) {
    this.forms = forms;
  }

  /** Answers with the first that fits a frame, or with why none does. @param joined what the answer says besides. @returns its characters. */
  answer(session: Session, id: RequestId, joined: WatchResult): number {
    const own = JSON.stringify(joined);
    for (const [i, form] of this.forms.entries()) {
      const text = joinFields(own, (this.#texts[i] ??= JSON.stringify(form)));
      if (session.answerIfFits(id, text)) return text.length;
    }
    session.answer(id, { ...joined, ...this.forms.at(-1) });
    return 0;
  }
}

/** Where a mirror is to be brought. */
export interface Now {
  readonly epoch: number;
  readonly seq: number;
  readonly digest: string;
  readonly state: InstanceState;
}

/** Characters up to which forms are compared. */
const COMPARED_MAX = 0x100000;

export class CatchUp {
  readonly #machine: Machine;
  readonly #backlog: Backlog;
  /** Differences to step `#seq` that were made already, by where they begin: whoever fell behind at once comes back at once. */
  #made = new Map<number, { readonly digest: string; readonly difference: StepDifference }>();
  #seq = 0;
  /** What was asked for last. */
  #asked: { readonly now: Now; readonly key: string; readonly ways: Ways } | undefined;

  constructor(machine: Machine, backlog: Backlog) {
    this.#machine = machine;
    this.#backlog = backlog;
  }

  /** The ways to bring a mirror from what it has to now. @param now the same object for as long as nothing happens. */
  ways(from: From, now: Now, mode: Mode): Ways {
    const key = from === undefined ? mode : `${mode} ${from.epoch} ${from.seq} ${from.digest} ${from.merged === true}`;
    if (this.#asked?.now !== now || this.#asked.key !== key) this.#asked = { now, key, ways: new Ways(this.#ways(from, now, mode)) };
    return this.#asked.ways;
  }

  #ways(from: From, now: Now, mode: Mode): readonly Caught[] {
    const everything: Caught = { snapshot: { seq: now.seq, state: now.state } };
    const known = from?.seq === now.seq ? now.digest : from && this.#backlog.digest(from.seq);
    const isSameHistory = from?.epoch === now.epoch && (known === undefined || known === from.digest);
    const missed = isSameHistory ? this.#backlog.after(from.seq, now.seq) : undefined;
    if (from === undefined || missed === undefined) return [everything];
    const steps: Caught = { steps: inMode(missed, mode) };
    if (from.merged !== true || missed.length < 2) return [steps, everything];
    const merged = this.#merged(from, now);
    // What it has is not what it should have: by the steps it finds that out, and tells.
    if (merged === undefined) return [steps, everything];
    return shortestFirst([steps, { merged }, everything]);
  }

  #merged({ seq, digest }: NonNullable<From>, now: Now): StepDifference | undefined {
    if (this.#seq !== now.seq) {
      this.#seq = now.seq;
      this.#made = new Map();
    }
    const made = this.#made.get(seq);
    if (made !== undefined) return made.digest === digest ? made.difference : undefined;
    const before = this.#stateAt(seq, digest);
    if (before === undefined) return undefined;
    const difference = differenceBetween(before, now);
    this.#made.set(seq, { digest, difference });
    return difference;
  }

  /** Undefined when it is not known any more, or does not have that digest. */
  #stateAt(seq: number, digest: string): InstanceState | undefined {
    const way = this.#backlog.wayTo(seq);
    if (way === undefined) return undefined;
    const instance = Instance.create(this.#machine);
    try {
      if (way.mark !== undefined) instance.load(way.mark.state, way.mark.seq);
      for (const { difference } of way.steps) {
        const [at, , , clocks, patch, more] = difference;
        instance.apply({ ...more, seq: at, clocks, patch });
      }
      return instance.digest() === digest ? instance.save() : undefined;
    } finally {
      instance.dispose();
    }
  }
}

function shortestFirst(forms: readonly Caught[]): readonly Caught[] {
  let max = COMPARED_MAX;
  const sized = forms.map((form) => {
    const size = sizeOf(form as unknown as Json, max);
    max = Math.min(max, size);
    return { form, size };
  });
  return sized.sort((a, b) => a.size - b.size).map(({ form }) => form);
}

/** What leads from one state of an instance to a later one, as one step would. */
function differenceBetween(before: InstanceState, { seq, state: after }: Pick<Now, 'seq' | 'state'>): StepDifference {
  const clocks = after.clocks.flatMap((ticks, state) => (ticks === before.clocks[state] ? [] : [state, ticks - before.clocks[state]!]));
  const patch = diff(before.context, after.context);
  const history = historyBetween(before.history, after.history);
  const timers = timersBetween(before.timers, after.timers);
  const children = childrenBetween(before.children ?? [], after.children ?? []);
  const more = {
    ...(history.length === 0 ? {} : { history }),
    ...(after.status === before.status ? {} : { status: after.status }),
    ...(after.output === undefined || after.output === before.output ? {} : { output: after.output }),
    ...(after.error === undefined || after.error === before.error ? {} : { error: after.error }),
    ...(timers.length === 0 ? {} : { timers }),
    ...(children.length === 0 ? {} : { children }),
    ...(after.ids === undefined || after.ids === before.ids ? {} : { ids: after.ids }),
  };
  return Object.keys(more).length === 0 ? [seq, 0, 0, clocks, patch] : [seq, 0, 0, clocks, patch, more];
}

function historyBetween(before: InstanceState['history'], after: InstanceState['history']): InstanceState['history'] {
  const was = new Map(before);
  const changed = after.filter(([history, states]) => !isSame(states, was.get(history) ?? null));
  const is = new Map(after);
  return [...changed, ...before.flatMap(([history]) => (is.has(history) ? [] : [[history, []] as const]))];
}

function timersBetween(before: InstanceState['timers'], after: InstanceState['timers']): readonly TimerChange[] {
  const is = new Map(after.map((timer) => [timer[0], timer]));
  const was = new Map(before.map((timer) => [timer[0], timer]));
  const ended = before.flatMap(([timer]) => (is.has(timer) ? [] : [{ timer, due: null }]));
  const begun = after.flatMap(([timer, due, send]) =>
    was.get(timer)?.[1] === due ? [] : [send === undefined ? { timer, due } : { timer, due, send }],
  );
  return [...ended, ...begun].sort((a, b) => a.timer - b.timer);
}

/** In the order of their starts: those that stay keep theirs, and whoever began anew is behind them. */
function childrenBetween(
  before: NonNullable<InstanceState['children']>,
  after: NonNullable<InstanceState['children']>,
): readonly ChildChange[] {
  const is = new Map(after.map((child) => [child.id, child]));
  const was = new Map(before.map((child) => [child.id, child]));
  const stays = (id: string): boolean => {
    const [{ ended: hadEnded, ...old } = {}, { ended: hasEnded, ...now } = {}] = [was.get(id), is.get(id)];
    return isSame(old as Json, now as Json) && (hadEnded !== true || hasEnded === true);
  };
  const stopped = before.flatMap(({ id }) => (is.has(id) && stays(id) ? [] : [{ stop: id }]));
  const others = after.flatMap(({ ended, ...start }): readonly ChildChange[] => {
    const isNew = !was.has(start.id) || !stays(start.id);
    const ends = ended === true && (isNew || was.get(start.id)?.ended !== true) ? [{ ended: start.id }] : [];
    return isNew ? [{ start }, ...ends] : ends;
  });
  return [...stopped, ...others];
}
