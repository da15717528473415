// Data directories that earlier versions of this program wrote (test/server/journals), opened by this one. Each has three instances of
// test/support/player.machine.ts: "one" off after it was deep in `on`, "two" with a count of 1, "three" after 600 steps and a checkpoint.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { compileMachine } from '../../compiler/index.ts';
import { liftImage } from '../../core/lift.ts';
import { connect } from '../../server/connect.ts';
import { serve } from '../../server/index.ts';
import { SqliteJournal } from '../../server/journal/sqlite.ts';
import { player } from '../support/player.machine.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

function oldData(version: number): string {
  const data = mkdtempSync(path.join(tmpdir(), 'lockstep-old-'));
  endings.push(() => rmSync(data, { recursive: true, force: true }));
  const packed = fileURLToPath(new URL(`./journals/version-${version}.sqlite.gz`, import.meta.url));
  writeFileSync(path.join(data, 'journal.sqlite'), gunzipSync(readFileSync(packed)));
  return data;
}

for (const version of [1, 2]) {
  test(`[SRV-39] a server starts on the data of version ${version}: states, history, counts and steps are there, and it goes on`, async () => {
    const data = oldData(version);
    const start = async (): Promise<{ url: string; close(): Promise<void> }> => {
      const server = await serve({ machines: { player }, data, port: 0 });
      endings.push(() => server.close());
      return server;
    };
    const server = await start();
    const ann = await connect(server.url, { name: 'Ann', machines: { player } });
    const [one, two, three] = await Promise.all(['one', 'two', 'three'].map((instance) => ann.watch(instance)));
    expect(one!.getSnapshot()).toMatchObject({ value: 'off', context: { plays: 1 } });
    expect(two!.getSnapshot()).toMatchObject({ value: { on: 'idle' }, context: { plays: 1 } });
    expect(two!.getSnapshot().tags.has('quiet')).toBe(true);
    expect(three!.getSnapshot()).toMatchObject({ value: 'off', context: { plays: 0 } });
    await one!.submit({ type: 'POWER' });
    await one!.submit({ type: 'BACK' });
    await two!.submit({ type: 'PLAY' });
    await ann.close();
    await server.close();

    const again = await connect((await start()).url, { name: 'Bob', machines: { player } });
    expect((await again.watch('one')).getSnapshot().value).toEqual({ on: { playing: 'jingle' } });
    expect((await again.watch('two')).getSnapshot().context).toEqual({ plays: 2 });
    await again.close();
  });

  test(`[SRV-39] in the data of version ${version} the same definition is the same image, no upgrade`, async () => {
    const data = oldData(version);
    const journal = new SqliteJournal(path.join(data, 'journal.sqlite'));
    endings.push(() => journal.close());
    const { hash, bytes } = compileMachine(player);
    expect(await journal.machines()).toEqual([{ machine: 'player', image: hash }]);
    const { record } = (await journal.read('three'))!;
    expect(record.image).toBe(hash);
    expect(Buffer.from((await journal.image(hash))!).equals(bytes)).toBe(true);
  });
}

test('[SRV-39] bytes that are no sound old image are not lifted', () => {
  const { bytes } = compileMachine(player);
  expect(liftImage(bytes)).toBeUndefined();
  expect(liftImage(new Uint8Array(100))).toBeUndefined();
  const old = new Uint8Array(bytes);
  new DataView(old.buffer).setUint32(4, 2, true);
  old[200]! ^= 1;
  expect(liftImage(old)).toBeUndefined();
});
