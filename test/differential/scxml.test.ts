// The core on random SCXML documents beside the reference: what ran, in which order, and where it ended, after every event.

import { expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import type { DataSession, Evaluator } from '../../compiler/scxml/evaluator.ts';
import { compile } from '../../compiler/compile.ts';
import { fromScxml } from '../../compiler/dialects/scxml.ts';
import { readScxml } from '../../compiler/scxml/read.ts';
import { place, typescript, wasm } from '../support/scxml.ts';
import { random, seedOf, type Random } from '../support/random.ts';
import { EVENT_NAMES, randomDocument } from './scxml-chart.ts';
import { Endless, Reference } from './scxml-reference.ts';

/** Few microsteps, because most random charts that take more never come to rest. */
const FUEL = 60;
const CHARTS = process.env['LONG'] === undefined ? 400 : 6_000;

/** A condition is a number; with the event, and whether the state of that number is active, it decides. */
function condition(expression: string, event: string, isIn: (id: string) => boolean): boolean {
  const active = isIn(`s${Number(expression) % 10}`);
  const hash = Math.imul(Number(expression) + event.length * 7 + (active ? 3 : 0), 0x9e3779b1) >>> 16;
  return hash % 2 === 0;
}

/** No engine: conditions as above, and nothing else. */
const evaluator: Evaluator = {
  datamodels: [],
  open: ({ isIn }) => {
    let event = '';
    const nothing = (): never => expect.fail('the documents ask for nothing but conditions');
    const session: DataSession = {
      declare: nothing,
      setEvent: (fields) => void (event = fields?.name ?? ''),
      condition: (expression) => condition(expression, event, isIn),
      evaluate: nothing,
      assign: nothing,
      assignJson: nothing,
      run: nothing,
      forEach: nothing,
      read: () => ({}),
      write: nothing,
      dispose: () => undefined,
    };
    return session;
  },
};

type Outcome = 'refused' | 'endless' | 'same';

function isRefused(text: string, domains: 'nearest' | 'compound'): boolean {
  try {
    compile(fromScxml(readScxml(text), { domains }));
    return false;
  } catch (error) {
    if (error instanceof LockstepError && error.code === 'BAD_DEFINITION') return true;
    throw error;
  }
}

function compare(text: string, domains: 'nearest' | 'compound', dice: Random, core: typeof wasm): Outcome {
  if (isRefused(text, domains)) return 'refused';
  const { system, log } = place({ core, evaluator, options: { domains, fuel: FUEL } });
  const reference = new Reference(readScxml(text), { domains, condition, fuel: FUEL });
  const both = (run: () => void, check: () => void): boolean => {
    try {
      run();
    } catch (error) {
      if (!(error instanceof Endless)) throw error;
      expect(check).toThrow(expect.objectContaining({ code: expect.stringMatching(/^(FUEL|OVERFLOW)$/) as string }) as Error);
      return false;
    }
    check();
    return true;
  };
  let session: ReturnType<typeof system.start> | undefined;
  if (
    !both(
      () => reference.start(),
      () => void (session = system.start(text)),
    )
  )
    return 'endless';
  const trail: string[] = [];
  for (let i = 0; i < 25; i += 1) {
    const found = [...log.splice(0).map((line) => line.replace(/: undefined$/, '')), session!.configuration().join(' ')];
    expect([text, trail, found]).toEqual([text, trail, [...reference.log.splice(0), reference.configuration().join(' ')]]);
    const type = dice.pick(EVENT_NAMES);
    trail.push(type);
    if (
      !both(
        () => reference.send(type),
        () => session!.send({ type, kind: 'external' }),
      )
    )
      return 'endless';
  }
  session!.stop();
  return 'same';
}

test.each(['nearest', 'compound'] as const)('[SCXML-16] random documents run as the reference runs them, with %s domains', (domains) => {
  const dice = random(seedOf(`SCXML with ${domains} domains`));
  const outcomes: Record<Outcome, number> = { refused: 0, endless: 0, same: 0 };
  while (outcomes.same < CHARTS / 2)
    outcomes[compare(randomDocument(dice), domains, dice, outcomes.same % 2 === 0 ? wasm : typescript)] += 1;
  console.info(JSON.stringify(outcomes));
});

test('[SCXML-16] a history of a parallel that remembers nothing stands for it, and begins no other region (seed 728596993)', () => {
  const text =
    '<scxml initial="p"><parallel id="p">' +
    '<state id="left"><state id="first"><transition event="a" target="memory second"/></state><state id="second"/></state>' +
    '<state id="right"><state id="idle"/><parallel id="inner"><state id="leaf"/><history id="memory"/></parallel></state>' +
    '</parallel></scxml>';
  for (const core of [wasm, typescript]) {
    const { system } = place({ core, evaluator, options: { domains: 'nearest' } });
    const session = system.start(text);
    session.send({ type: 'a', kind: 'external' });
    expect(session.configuration()).toEqual(['second', 'leaf']);
    session.stop();
    for (const domains of ['nearest', 'compound'] as const) expect(compare(text, domains, random(1), core)).toBe('same');
  }
});
