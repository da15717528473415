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
function hasSomething({ taken, candidates, actions }: Microstep): boolean {
  return taken.length > 0 || actions.length > 0 || candidates.some(({ verdict }) => verdict !== 'inactive');
}

function why(chart: ChartShape, microstep: Microstep): HTMLElement {
  const { event, candidates, taken, left, entered, actions } = microstep;
  const shown = candidates.filter(({ verdict }) => verdict !== 'inactive');
  const idle = candidates.filter(({ verdict }) => verdict === 'inactive');
  const initial = taken.filter((transition) => candidates.every((candidate) => candidate.transition !== transition));
  const names = (states: readonly number[], sign: string): string =>
    states
      .filter((state) => state > 0)
      .map((state) => `${sign}${chart.path(state)}`)
      .join(' ');
  const moves = [names(left, '−'), names(entered, '+')].filter((text) => text !== '').join('  ');
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
