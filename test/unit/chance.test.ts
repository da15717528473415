// now, random and uuid of one bundle, asked inside a step that another bundle of this package runs: of `lockstep` in a page, beside
// `lockstep/browser`.

import { expect, test, vi } from 'vitest';
import { enterStamp, leaveStamp } from '../../core/stamp.ts';
import * as here from '../../core/chance.ts';

const STAMP = { now: 1_000, seed: 7, salt: 'hall/1/2' };

test('[DET-2] every copy of now, random and uuid answers from the stamp of the step, and the same', async () => {
  vi.resetModules();
  const there = await import('../../core/chance.ts');
  expect(there.now).not.toBe(here.now);
  const asked = (): unknown[] => {
    enterStamp(STAMP);
    try {
      return [there.now(), there.random(), there.uuid()];
    } finally {
      leaveStamp();
    }
  };
  const first = asked();
  enterStamp(STAMP);
  expect([here.now(), here.random(), here.uuid()]).toEqual(first);
  leaveStamp();
  expect(asked()).toEqual(first);
  expect(() => there.now()).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
});
