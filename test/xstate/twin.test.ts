// Where WebAssembly is not to be had, the core's TypeScript twin runs actors, one memory for each that steps inside another one's step.

import * as published from 'xstate';
import type { AnyStateMachine } from 'xstate';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { corrected, side, type Scenario } from './record.ts';
import { SCENARIOS } from './scenarios.ts';

let lockstep: <T extends AnyStateMachine>(machine: T) => T;

beforeAll(async () => {
  vi.stubGlobal('WebAssembly', undefined);
  vi.resetModules();
  ({ lockstep } = await import('../../compiler/xstate/index.ts'));
});

afterAll(() => vi.unstubAllGlobals());

async function playBoth(scenario: Scenario): Promise<readonly [theirs: string[], ours: string[]]> {
  const theirs = side(await corrected(), (machine) => machine);
  await scenario(theirs);
  const ours = side(published, lockstep);
  await scenario(ours);
  return [theirs.record.lines, ours.record.lines];
}

for (const [feature, scenario] of Object.entries(SCENARIOS)) {
  test(`[XSTATE-13] without WebAssembly: ${feature}`, async () => {
    const [theirs, ours] = await playBoth(scenario);
    expect(ours).toEqual(theirs);
  });
}
