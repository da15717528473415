// Which machines are lowered, and which functions keep the others hosted: as data, and as lines for people.

import { compileMachine } from '../../compiler/index.ts';
import { printExpression } from '../../compiler/expression/print.ts';
import type { FunctionReport } from '../../compiler/lowering/lowered.ts';
import { lowerFunctions } from '../../compiler/lowering/machine.ts';
import { Modules } from '../../compiler/lowering/modules.ts';
import { LockstepError } from '../../core/errors.ts';
import type { Found, LoadedFolder } from './load.ts';

export interface MachineExplanation {
  readonly file: string;
  readonly export: string;
  readonly id: string;
  readonly home: 'lowered' | 'hosted' | 'refused';
  readonly functions: readonly FunctionExplanation[];
  /** What is no function of its own: why it keeps the machine hosted, or why there is no machine. */
  readonly reasons: readonly { readonly path: string; readonly reason: string }[];
}

export interface FunctionExplanation {
  readonly path: string;
  readonly role: string;
  readonly name?: string;
  readonly field?: string;
  /** `file:line` */
  readonly place?: string;
  /** In our own language; absent when it stays JavaScript. */
  readonly expression?: string;
  readonly reason?: string;
  /** Whether it keeps the machine hosted; actions do not. */
  readonly isInTheWay: boolean;
}

export interface Explanation {
  readonly machines: readonly MachineExplanation[];
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[];
  readonly totals: { readonly machines: number; readonly lowered: number; readonly functions: number; readonly loweredFunctions: number };
}

export function explain({ machines, unreadable, texts, resolve, locate }: LoadedFolder): Explanation {
  const modules = new Modules(texts, resolve);
  const explained = machines.map((found) => explainMachine(found, modules, locate));
  const functions = explained.flatMap((each) => each.functions);
  return {
    machines: explained,
    unreadable,
    totals: {
      machines: explained.length,
      lowered: explained.filter(({ home }) => home === 'lowered').length,
      functions: functions.length,
      loweredFunctions: functions.filter(({ expression }) => expression !== undefined).length,
    },
  };
}

function explainMachine(found: Found, modules: Modules, locate: LoadedFolder['locate']): MachineExplanation {
  const { file, name } = found;
  try {
    const { symbols, isLowered, obstacles } = compileMachine(found.machine, { lower: { modules } });
    const { reports } = lowerFunctions(symbols, found.machine, { modules });
    const functions = reports.map((report) => explainFunction(report, locate));
    const told = new Set(functions.filter(({ isInTheWay }) => isInTheWay).map((each) => each.path));
    const reasons = obstacles.map(({ function: { path: at }, reason }) => ({ path: at, reason })).filter((each) => !told.has(each.path));
    // A machine without functions has nothing that could run anywhere else.
    const home = isLowered || symbols.functions.length === 0 ? 'lowered' : 'hosted';
    return { file, export: name, id: symbols.id, home, functions, reasons };
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error;
    return { file, export: name, id: '', home: 'refused', functions: [], reasons: [{ path: '', reason: error.message }] };
  }
}

function explainFunction(report: FunctionReport, locate: LoadedFolder['locate']): FunctionExplanation {
  const { path: at, role, name, field, place, outcome } = report;
  return {
    path: at,
    role,
    ...(name === undefined ? {} : { name }),
    ...(field === undefined ? {} : { field }),
    ...(place === undefined ? {} : { place: locate(place) }),
    ...(outcome.kind === 'lowered' ? { expression: printExpression(outcome.expression) } : { reason: outcome.reason }),
    isInTheWay: outcome.kind === 'hosted' && role !== 'action',
  };
}

export function explanationText({ machines, unreadable, totals }: Explanation): string {
  const lines = machines.flatMap((machine) => [
    `${machine.file} ${machine.export}${machine.id === '' ? '' : ` (${machine.id})`}: ${machine.home}`,
    ...machine.functions.filter(({ isInTheWay }) => isInTheWay).map((each) => `  ${functionLine(each)}`),
    ...machine.reasons.map(({ path: at, reason }) => `  ${at === '' ? '' : `${at}: `}${reason}`),
  ]);
  const failed = unreadable.map(({ file, reason }) => `${file}: cannot be loaded: ${reason}`);
  const sum = `${totals.lowered} of ${totals.machines} machines lowered, ${totals.loweredFunctions} of ${totals.functions} functions`;
  return `${[...lines, ...failed, sum].join('\n')}\n`;
}

function functionLine({ path: at, role, name, field, place, reason }: FunctionExplanation): string {
  const called = name === undefined ? role : `${role} "${name}"`;
  return `${at} ${called}${field === undefined ? '' : `, ${field}`}${place === undefined ? '' : ` (${place})`}: ${reason ?? ''}`;
}
