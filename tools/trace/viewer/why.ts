// Why the step did what it did: per microstep what was taken, which guards were asked and what they said, and what could have been taken
// and was not.

import type { ChartShape } from '../chart.ts';
import type { Action, Candidate, Microstep } from '../explain.ts';
import { eventText } from '../names.ts';
import { h } from './dom.ts';

const REASONS = {
  taken: 'taken',
  refused: 'its guard said no',
  outranked: 'its guard said yes, but another transition came first',
  'not asked': 'not asked: the event was taken before its turn',
  inactive: 'its state was not active',
} as const;

const ACTIONS: { readonly [K in Action['kind']]: string } = {
  effect: 'effect',
  assign: 'assign',
  builtin: 'resolves',
  start: 'starts the actor of',
  stop: 'stops the actor of',
  schedule: 'starts timer',
  cancel: 'stops timer',
  remember: 'remembers',
};

export function whyList(chart: ChartShape, microsteps: readonly Microstep[]): HTMLElement[] {
  return microsteps.filter((microstep, index) => index === 0 || hasSomething(microstep)).map((microstep) => why(chart, microstep));
}

/** An `always` that nobody offers is no news. */
function hasSomething({ taken, candidates, actions, asked, left, entered }: Microstep): boolean {
  return (
    asked.length + left.length + entered.length > 0 ||
    taken.length > 0 ||
    actions.length > 0 ||
    candidates.some(({ verdict }) => verdict !== 'inactive')
  );
}

function why(chart: ChartShape, microstep: Microstep): HTMLElement {
  if (chart.isRelational === true) return whyRelational(chart, microstep);
  const { event, candidates, taken, actions } = microstep;
  const shown = candidates.filter(({ verdict }) => verdict !== 'inactive');
  const idle = candidates.filter(({ verdict }) => verdict === 'inactive');
  const initial = taken.filter((transition) => candidates.every((candidate) => candidate.transition !== transition));
  const moves = movesOf(chart, microstep);
  return h(
    'div.micro',
    {},
    h('h4', {}, event === 'always' ? 'then, without an event' : eventText(event)),
    h(
      'ul',
      {},
      shown.map((candidate) => way(chart, candidate)),
      initial.map((transition) => way(chart, { transition, verdict: 'taken' })),
      shown.length + initial.length === 0 &&
        event !== 'xstate.init' &&
        h('li.other-way', {}, h('i', {}, '·'), 'no active state listens to it'),
      moves !== '' && h('li', {}, h('i', {}, '⇄'), moves),
      actions.map((action) => h('li', {}, h('i', {}, '▸'), h('span', {}, `${ACTIONS[action.kind]} ${eventText(action.name)}`))),
    ),
    idle.length > 0 &&
      h(
        'details',
        {},
        h('summary', {}, `${idle.length} more in states that were not active`),
        h(
          'ul',
          {},
          idle.map((candidate) => way(chart, candidate)),
        ),
      ),
  );
}

function movesOf(chart: ChartShape, { left, entered }: Microstep): string {
  const names = (states: readonly number[], sign: string): string =>
    states
      .filter((state) => state > 0)
      .map((state) => `${sign}${chart.path(state)}`)
      .join(' ');
  return [names(left, '−'), names(entered, '+')].filter((text) => text !== '').join('  ');
}

/** A mutation: what its handlers said, or what stood in its way; what moved; and the final handlers that it asks for. */
function whyRelational(chart: ChartShape, microstep: Microstep): HTMLElement {
  const { event, asked, obstacles, actions } = microstep;
  const moves = movesOf(chart, microstep);
  const lines: HTMLElement[] = asked.map(({ name, answer }) => {
    const line = h('li', {}, h('i', {}, answer ? '✓' : '✗'), h('span', {}, name, !answer && h('span.why', {}, '  said no')));
    line.className = answer ? 'taken-way' : 'refused-way';
    return line;
  });
  for (const obstacle of obstacles) {
    const line = h('li', {}, h('i', {}, '✗'), h('span', {}, obstacle));
    line.className = 'refused-way';
    lines.push(line);
  }
  if (moves !== '') lines.push(h('li', {}, h('i', {}, '⇄'), moves));
  for (const { name } of actions)
    lines.push(h('li', {}, h('i', {}, '▸'), h('span', {}, `handler ${name.slice(name.lastIndexOf('/') + 1)}`)));
  if (lines.length === 0) lines.push(h('li.other-way', {}, h('i', {}, '·'), 'no handler is about it, and nothing had to move'));
  return h('div.micro', {}, h('h4', {}, eventText(event)), h('ul', {}, lines));
}

function way(chart: ChartShape, { transition, verdict }: Candidate): HTMLElement {
  const element = h(
    'li',
    {},
    h('i', {}, verdict === 'taken' ? '✓' : verdict === 'refused' ? '✗' : '·'),
    h('span', {}, chart.describe(transition), verdict !== 'taken' && h('span.why', {}, `  ${REASONS[verdict]}`)),
  );
  element.className = verdict === 'taken' ? 'taken-way' : verdict === 'refused' ? 'refused-way' : 'other-way';
  return element;
}
