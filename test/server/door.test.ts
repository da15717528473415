// The README's example, and what the README says that it prints.

import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';

test('[SRV-20] the example of the README prints what the README says', async () => {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...words) => void printed.push(words.join(' ')));
  await import('../../examples/door/door.ts');
  log.mockRestore();
  expect(printed).toEqual(['here:  opened predicted', 'there: opened confirmed']);
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  for (const line of printed) expect(readme).toContain(line);
  const source = readFileSync(new URL('../../examples/door/door.ts', import.meta.url), 'utf8');
  expect(readme).toContain(source.slice(source.indexOf('import')).trim());
});
