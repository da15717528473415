// A place for SCXML sessions in tests: a simulated clock, one evaluator, and what was logged and refused.

import { createDialectCore } from '../../core/dialect.ts';
import { Core } from '../../core/wasm.ts';
import type { Json } from '../../core/json.ts';
import { plainEvaluator } from '../../compiler/scxml/plain-evaluator.ts';
import { quickJsEvaluator } from '../../compiler/scxml/quickjs.ts';
import { ScxmlSystem, type ScxmlEnvironment } from '../../compiler/scxml/system.ts';
import { SimulatedClock } from '../../tools/conformance/run-case.ts';
import { testCore } from './core.ts';

export const evaluator = await quickJsEvaluator();
/** As a program would pass them: our own expressions where they suffice. */
export const evaluators = [plainEvaluator(), evaluator];
export const wasm = await testCore();
export const typescript = Core.fromExports(createDialectCore);

export interface Place {
  readonly clock: SimulatedClock;
  readonly system: ScxmlSystem;
  /** `label: value`, in order. */
  readonly log: string[];
  readonly refused: unknown[];
}

export function place(changes: Partial<ScxmlEnvironment> = {}): Place {
  const clock = new SimulatedClock();
  const log: string[] = [];
  const refused: unknown[] = [];
  const system = new ScxmlSystem({
    core: wasm,
    evaluator,
    now: () => clock.now(),
    timer: (delayMs, callback) => clock.timer(delayMs, callback),
    log: (_session, label, value) => log.push(logLine(label, value)),
    refused: (_session, error) => refused.push(error),
    ...changes,
  });
  return { clock, system, log, refused };
}

const logLine = (label: string, value: Json | undefined): string =>
  `${label}: ${typeof value === 'string' ? value : JSON.stringify(value)}`;

/** A document with that inside. */
export const scxml = (inside: string, attributes = ''): string =>
  `<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" datamodel="ecmascript" ${attributes}>${inside}</scxml>`;
