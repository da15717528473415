// A report of `lockstep check`, for a person: one paragraph for each finding, the place first, and the way that leads there underneath.

import type { Finding, Remark, Report, TrailStep } from '../../compiler/check/index.ts';
import { unreachable } from '../../core/errors.ts';
import type { StateValue } from '../../core/machine.ts';

type Locate = (path: string) => string | undefined;

export interface CheckedMachine {
  readonly file: string;
  readonly report: Report;
  readonly locate: Locate;
}

/** Of each kind; the JSON report has more of them. */
const SHOWN_MAX = 20;

export function printReport({ file, report, locate }: CheckedMachine): string {
  const { findings, remarks } = report;
  const place = (path: string): string => {
    const position = locate(path);
    return position === undefined ? `${file} ${path || '/'}` : `${file}:${position} ${path || '/'}`;
  };
  return [
    summary(file, report),
    ...shown(findings).flatMap((finding) => paragraph(finding, place)),
    ...shown(remarks).flatMap((remark) => paragraph(remark, place)),
    ...hidden(report),
    '',
  ].join('\n');
}

function summary(file: string, report: Report): string {
  const { machine, configurations, questions, computed, keys, givenUp, findings, isComplete, isCertain } = report;
  const seen = [
    count(configurations, 'configuration'),
    ...(computed === 0 ? [] : [`${count(computed, 'guard')} computed from ${keys.join(', ')}`]),
    ...(questions === 0 ? [] : [`${count(questions, 'guard')} answered both ways`]),
    ...(givenUp.length === 0 ? [] : [`too many values of ${givenUp.join(', ')}`]),
    ...(isCertain ? [] : ['actions that may raise several events at once: what is called unreachable or dead is not certain']),
  ].join(', ');
  const verdict = findings.length > 0 ? count(findings.length, 'finding') : isComplete ? 'clean' : 'nothing found so far';
  return `${machine} (${file}): ${verdict} in ${seen}${isComplete ? '' : ', NOT ALL of what there is: unreachable states and dead transitions are not judged'}`;
}

function shown<Item extends Finding | Remark>(items: readonly Item[]): Item[] {
  const counts = new Map<string, number>();
  return items.filter(({ kind }) => {
    const before = counts.get(kind) ?? 0;
    counts.set(kind, before + 1);
    return before < SHOWN_MAX;
  });
}

function hidden({ findings, remarks, deadlocks }: Report): string[] {
  const counts = new Map<string, number>();
  for (const { kind } of [...findings, ...remarks]) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  if (deadlocks > 0) counts.set('deadlock', deadlocks);
  return [...counts].filter(([, all]) => all > SHOWN_MAX).map(([kind, all]) => `  … ${all - SHOWN_MAX} more of kind ${kind}`);
}

function paragraph(item: Finding | Remark, place: (path: string) => string): string[] {
  switch (item.kind) {
    case 'unreachable':
      return [`  unreachable  ${place(item.path)}: nothing leads to the state '${item.state}'`];
    case 'dead': {
      const why = item.behind === undefined ? '' : `; ${item.behind} has no guard and comes first`;
      return [
        `  dead         ${place(item.path)}: the transition on ${item.event} of '${item.state}' is never taken${why}`,
        ...trail(item.trail),
      ];
    }
    case 'deadlock':
      return [
        `  deadlock     ${place(item.path)}: nothing can happen in ${value(item.value)}, and the machine is not done`,
        ...trail(item.trail),
      ];
    case 'livelock':
      return [`  livelock     ${place(item.path)}: a step never ends; it goes round ${item.loop.join(', ')}`, ...trail(item.trail)];
    case 'conflict': {
      const [remover, removed] = item.between;
      const what = item.adds === undefined ? `'${item.state}' can never be active` : `'${item.state}' adds '${item.adds}' in vain`;
      return [`  conflict     ${place(item.path)}: ${what}: '${remover}' removes '${removed}' (${item.because}), and both are needed`];
    }
    case 'loop':
      return [`  remark       ${place(item.path)}: only data can end the round ${item.loop.join(', ')}`, ...trail(item.trail)];
    case 'end':
      return [`  remark       ${place(item.path)}: nothing leads out of ${value(item.value)}`, ...trail(item.trail)];
    default:
      return unreachable(item);
  }
}

function trail(steps: readonly TrailStep[]): string[] {
  return steps.map(({ event, guards, value: reached }) => {
    const answers = guards.map(({ guard, answer }) => `${guard}: ${answer ? 'yes' : 'no'}`).join(', ');
    const arrow = reached === undefined ? '→ …' : `→ ${value(reached)}`;
    return `                 ${event}${answers === '' ? '' : ` (${answers})`} ${arrow}`;
  });
}

function value(of: StateValue): string {
  if (typeof of === 'string') return of;
  const parts = Object.entries(of).map(([key, inner]) => `${key}: ${value(inner)}`);
  return parts.length === 0 ? '(the machine)' : `{${parts.join(', ')}}`;
}

const count = (number: number, what: string): string => `${number.toLocaleString('en-US')} ${what}${number === 1 ? '' : 's'}`;
