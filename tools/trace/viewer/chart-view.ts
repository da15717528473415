// The statechart at the selected step: boxes inside boxes, active states lit, those entered and left by the step marked, and at each state
// what it listens to and what became of that. Redrawn whole; charts are small.

import type { ChartShape, ChartState } from '../chart.ts';
import { isCreation } from '../entry.ts';
import type { Microstep, Verdict } from '../explain.ts';
import type { TraceModel, View } from '../model.ts';
import { causeText, eventText } from '../names.ts';
import type { About } from './detail.ts';
import { h } from './dom.ts';
import { instanceText } from './text.ts';

/** Above this many transitions their lines would hide the states. */
const WAYS_MAX = 60;

interface Drawing {
  readonly chart: ChartShape;
  readonly active: ReadonlySet<number>;
  readonly changed: ReadonlyMap<number, number>;
  readonly ticks: readonly number[];
  readonly verdicts: ReadonlyMap<number, Verdict>;
}

export function chartView(model: TraceModel, { view, base, microsteps }: About & { readonly view: View }): HTMLElement[] {
  const { chart, after, clocks } = view;
  const drawing: Drawing = {
    chart,
    ticks: after.state.clocks,
    active: new Set(after.state.clocks.flatMap((ticks, state) => (ticks % 2 === 1 ? [state] : []))),
    changed: new Map(clocks.map(([state, before, now]) => [state, now - before])),
    verdicts: verdictsOf(microsteps),
  };
  const { step, machine } = view.entry.record;
  const caption = h(
    'div.caption',
    {},
    h('h2', {}, machine),
    h('span.soft', {}, `after step ${step.seq} of ${instanceText(model, step.instance)}`),
  );
  const status = after.state.status === 'active' ? undefined : h('span.badge.left', {}, after.state.status);
  if (status !== undefined) caption.append(status);
  return [
    caption,
    takenList(view, microsteps),
    stateBox(drawing, chart.states[0]!),
    legend(base === undefined ? 'by this step' : `since #${base.record.step.seq}`),
  ];
}

/** The strongest verdict of a transition over all microsteps. */
function verdictsOf(microsteps: readonly Microstep[]): ReadonlyMap<number, Verdict> {
  const order: readonly Verdict[] = ['inactive', 'not asked', 'outranked', 'refused', 'taken'];
  const verdicts = new Map<number, Verdict>();
  for (const { candidates } of microsteps) {
    for (const { transition, verdict } of candidates) {
      if (order.indexOf(verdict) >= order.indexOf(verdicts.get(transition) ?? 'inactive')) verdicts.set(transition, verdict);
    }
  }
  return verdicts;
}

function takenList({ chart, entry }: View, microsteps: readonly Microstep[]): HTMLElement {
  const taken = microsteps
    .flatMap((microstep) => microstep.taken)
    .filter((transition) => chart.transitions[transition]!.event !== 'initial');
  if (taken.length > 0)
    return h(
      'ul.taken',
      {},
      taken.map((transition) => h('li', {}, chart.describe(transition))),
    );
  const { step } = entry.record;
  if (chart.isRelational === true && !isCreation(entry)) {
    const outcome = step.ignored === true ? 'cancelled: ' : '';
    return h('ul.taken', {}, h(step.ignored === true ? 'li.none' : 'li', {}, outcome + causeText(step.cause.event)));
  }
  const text = isCreation(entry)
    ? 'created: entered the initial states'
    : entry.told !== undefined
      ? 'which transition was taken is not told'
      : step.ignored === true
        ? 'no transition was taken: the event was ignored'
        : 'no transition was taken';
  return h('ul.taken', {}, h('li.none', {}, text));
}

function stateBox(drawing: Drawing, state: ChartState): HTMLElement {
  const { chart, active, changed, ticks } = drawing;
  const children = childrenOf(chart, state);
  const isActive = active.has(state.number);
  const delta = changed.get(state.number) ?? 0;
  const isGone = delta > 0 && !isActive;
  const isEntered = delta > 0 && isActive;
  const element = h(
    'div.state',
    { 'data-state': state.id, 'data-active': String(isActive) },
    h(
      'div.head',
      {},
      h('span.key', {}, state.key),
      state.kind === 'atomic' ? undefined : h('span.kind', {}, chart.isRelational === true ? 'relational' : state.kind),
      isEntered && h('span.badge.entered', {}, delta > 1 ? 're-entered' : 'entered'),
      isGone && h('span.badge.left', {}, delta % 2 === 0 ? 'passed through' : 'left'),
      state.tags.map((tag) => h('span.badge.tag', {}, tag)),
      h(
        'span.ticks',
        { title: `clock: ${ticks[state.number] ?? 0} activations and deactivations` },
        String(ticks[state.number] ?? 0),
        delta > 0 && h('span.tick-change', {}, ` +${delta}`),
      ),
    ),
    ways(drawing, state),
    children.length > 0 &&
      h(
        'div.inner',
        {},
        children.map((child) => stateBox(drawing, child)),
      ),
  );
  element.classList.add(state.kind);
  element.classList.toggle('leaf', children.length === 0);
  element.classList.toggle('active', isActive);
  element.classList.toggle('entered', isEntered);
  element.classList.toggle('gone', isGone);
  return element;
}

function ways({ chart, verdicts }: Drawing, state: ChartState): HTMLElement | undefined {
  if (chart.transitions.length > WAYS_MAX) return undefined;
  const own = chart.transitions.filter(({ source, event }) => source === state.number && event !== 'initial');
  if (own.length === 0) return undefined;
  return h(
    'ul.ways',
    {},
    own.map(({ number, event, guard, targets }) => {
      const verdict = verdicts.get(number);
      const text = `${eventText(event)}${guard === undefined ? '' : ` [${guard}]`} → ${targets.length === 0 ? '(stays)' : targets.map((target) => near(chart, state, target)).join(', ')}`;
      const mark = verdict === 'taken' ? '✓ ' : verdict === 'refused' ? '✗ ' : '';
      const element = h('li', {}, mark + text);
      element.classList.toggle('taken-way', verdict === 'taken');
      element.classList.toggle('refused-way', verdict === 'refused');
      return element;
    }),
  );
}

/** A target as its neighbour would call it: without the path that both share. */
function near(chart: ChartShape, { parent }: ChartState, target: string): string {
  const shared = parent <= 0 ? '' : `${chart.path(parent)}.`;
  return target.startsWith(shared) ? target.slice(shared.length) : target;
}

function childrenOf(chart: ChartShape, state: ChartState): ChartState[] {
  const children: ChartState[] = [];
  for (let child = state.number + 1; child <= state.end; child = chart.states[child]!.end + 1) children.push(chart.states[child]!);
  return children;
}

function legend(when: string): HTMLElement {
  const entry = (name: string, text: string): HTMLElement => {
    const element = h('span', {}, h('i'), text);
    element.classList.add(name);
    return element;
  };
  return h(
    'div.legend',
    {},
    entry('active', 'active'),
    entry('entered', `entered ${when}`),
    entry('left', `left ${when}`),
    h('span', {}, 'numbers: clocks'),
  );
}
