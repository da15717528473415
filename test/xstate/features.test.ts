// Every feature of XState's actors, on both sides.

import { expect, test } from 'vitest';
import { playBoth } from './record.ts';
import { SCENARIOS } from './scenarios.ts';

for (const [feature, scenario] of Object.entries(SCENARIOS)) {
  test(`[XSTATE-2] ${feature}`, async () => {
    const { theirs, ours } = await playBoth(scenario);
    expect(ours).toEqual(theirs);
    expect(ours.length).toBeGreaterThan(5);
  });
}
