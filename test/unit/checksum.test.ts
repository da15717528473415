// The checksum that browsers compute is the one of the rows on a server.

import { expect, test } from 'vitest';
import { checksum as inBrowser } from '../../browser/checksum.ts';
import { checksum as onServer } from '../../server/journal/checksum.ts';
import { random } from '../support/random.ts';

const SEED = Number(process.env['SEED'] ?? 7);

test('[JOURNAL-13] records have the same checksum in a browser and on a server', () => {
  const dice = random(SEED);
  for (let round = 0; round < 200; round++) {
    const body = Array.from({ length: dice.below(300) }, () => String.fromCodePoint(dice.below(0xd800))).join('');
    const place = ['façade 🚪', dice.below(2 ** 31), dice.below(2 ** 31)] as const;
    expect(inBrowser(...place, body)).toBe(onServer(...place, body));
  }
});
