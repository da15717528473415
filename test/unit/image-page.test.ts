// docs/IMAGE.md against the code: offsets, and the worked image byte by byte. UPDATE=1 writes the image anew.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as layout from '../../assembly/layout.ts';
import * as bytecode from '../../assembly/program-layout.ts';
import { compileMachine } from '../../compiler/index.ts';

const file = new URL('../../docs/IMAGE.md', import.meta.url);
const lamp = { id: 'lamp', initial: 'off', states: { off: { on: { press: 'on' } }, on: { on: { press: 'off' } } } };

function hex(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = Array.from(bytes.subarray(at, at + 16), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${row}`);
  }
  return lines.join('\n');
}

test('[CORE-6] the page has the offsets of the layout and the bytes of the worked image', () => {
  const { bytes } = compileMachine(lamp);
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(layout.IMAGE_HASHED_SIZE, true);
  const block = `\`\`\`hex\n${hex(bytes.subarray(0, size))}\n\`\`\``;
  if (process.env['UPDATE'] !== undefined) writeFileSync(file, readFileSync(file, 'utf8').replace(/```hex[\s\S]*?```/, block));
  const page = readFileSync(file, 'utf8');
  expect(page).toContain(block);
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)];
  expect(rows.length).toBeGreaterThan(40);
  for (const [, name, offset] of rows)
    expect([name, ({ ...layout, ...bytecode } as Readonly<Record<string, number>>)[name!]]).toEqual([name, Number(offset)]);
});
