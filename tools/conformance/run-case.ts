// One case with a strict oracle: the whole set of active leaves must be the expected one, at the beginning and after every event; a case of the
// W3C must also end in `pass`. The clock is simulated: it jumps from timer to timer.

import type { Json } from '../../core/json.ts';
import type { Core } from '../../core/wasm.ts';
import type { Evaluator } from '../../compiler/scxml/evaluator.ts';
import type { ScxmlOptions } from '../../compiler/dialects/scxml.ts';
import { ScxmlSystem } from '../../compiler/scxml/system.ts';
import { loopbackProcessor } from './loopback.ts';
import type { Case } from './suite.ts';

export type Verdict = { readonly passed: true } | { readonly passed: false; readonly reason: string };

export class SimulatedClock {
  #now = 0;
  #next = 0;
  readonly #timers = new Map<number, { readonly due: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  timer(delayMs: number, callback: () => void): () => void {
    const number = this.#next++;
    this.#timers.set(number, { due: this.#now + delayMs, callback });
    return () => void this.#timers.delete(number);
  }

  /** Fires what is due by then, in the order of due times, then of arming. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#first(until); next !== undefined; next = this.#first(until)) {
      const [number, { due, callback }] = next;
      this.#timers.delete(number);
      this.#now = due;
      callback();
    }
    this.#now = until;
  }

  #first(until: number): [number, { readonly due: number; readonly callback: () => void }] | undefined {
    return [...this.#timers].filter(([, { due }]) => due <= until).sort(([a, one], [b, other]) => one.due - other.due || a - b)[0];
  }
}

export function runCase(
  core: Core,
  evaluator: Evaluator | readonly Evaluator[],
  { document, script, isW3c, resource }: Case,
  options: ScxmlOptions = {},
): Verdict {
  const clock = new SimulatedClock();
  const refusals: unknown[] = [];
  const system: ScxmlSystem = new ScxmlSystem({
    core,
    evaluator,
    options,
    now: () => clock.now(),
    timer: (delayMs, callback) => clock.timer(delayMs, callback),
    resource,
    refused: (_session, error) => refusals.push(error),
    processors: [loopbackProcessor((id) => system.session(id))],
  });
  try {
    const session = system.start(document);
    let wrong = difference('at the beginning', script.initialConfiguration, session.configuration());
    for (const [index, { after = 0, event, nextConfiguration }] of script.events.entries()) {
      if (wrong !== undefined) break;
      clock.advance(after);
      session.send({ type: event.name, ...(event.data === undefined ? {} : { data: event.data as Json }) });
      wrong = difference(`after event ${index + 1} (${event.name})`, nextConfiguration, session.configuration());
    }
    if (wrong === undefined && isW3c) wrong = difference('at the end', ['pass'], session.configuration());
    session.stop();
    if (refusals.length > 0) wrong ??= `refused: ${String(refusals[0])}`;
    return wrong === undefined ? { passed: true } : { passed: false, reason: wrong };
  } catch (error) {
    return { passed: false, reason: String(error) };
  }
}

function difference(when: string, expected: readonly string[], found: readonly string[]): string | undefined {
  const isEqual = expected.length === found.length && expected.every((id) => found.includes(id));
  return isEqual ? undefined : `${when}: expected ${expected.join(' ')}, found ${found.join(' ')}`;
}
