// What serves others comes late: what is asked meanwhile, and what happens when it does not come.

import { expect, test } from 'vitest';
import { type Serving, serving, type ServingOptions } from '../../peer/serving.ts';
import { World } from '../support/world.ts';

/** A loader that waits until the test says how it ends. */
class Loader {
  readonly #waiting: { readonly come: () => void; readonly fail: (error: Error) => void }[] = [];
  asked = 0;

  readonly serving = (options: ServingOptions): Promise<Serving> => {
    this.asked++;
    return new Promise((resolve, reject) => this.#waiting.push({ come: () => resolve(serving(options)), fail: reject }));
  };

  come(): void {
    for (const { come } of this.#waiting.splice(0)) come();
  }

  fail(): void {
    for (const { fail } of this.#waiting.splice(0)) fail(new Error('the script is not there'));
  }
}

/** The code that a promise is refused with, whenever that is. */
function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'nothing was refused',
    (error: unknown) => (error as { readonly code?: unknown }).code,
  );
}

async function late() {
  const world = new World();
  await world.server();
  const loader = new Loader();
  const late = await world.peer('late', { serving: loader.serving, machines: { door: { definition: world.door } } });
  return { world, loader, late, asker: await world.peer('asker') };
}

test('[WEB-9] a peer that watches others never brings in what serves them', async () => {
  const { world, loader, late: peer } = await late();
  await world.get(peer.create('door', { instance: 'front' }));
  const front = await world.get(peer.watch('front', world.door));
  front.send({ type: 'OPEN' });
  await world.settle();
  expect([front.standing, front.getSnapshot().value, loader.asked]).toEqual(['confirmed', 'open', 0]);
});

test('[WEB-9] requests wait for what serves them and are served in their order; hosting waits with them', async () => {
  const { world, loader, late: peer, asker } = await late();
  const done: string[] = [];
  const note = (name: string) => (): void => void done.push(name);
  const all = [
    asker.create('door', { instance: 'late/one' }).then(note('one')),
    asker.get('late/one').then(note('its state')),
    peer.host('two', 'door').then(note('two')),
  ];
  await world.settle();
  expect([done, loader.asked]).toEqual([[], 1]);
  loader.come();
  await world.get(Promise.all(all));
  expect(done.filter((name) => name !== 'two')).toEqual(['one', 'its state']);
  expect(done).toHaveLength(3);
  expect((await world.get(asker.list({}, 'late'))).instances.map(({ instance }) => instance)).toEqual(['late/one', 'late/two']);
  expect(loader.asked).toBe(1);
});

test('[WEB-9] when it cannot be had, requests are refused, and the next one tries again', async () => {
  const { world, loader, late: peer, asker } = await late();
  const refused = codeOf(asker.list({}, 'late'));
  await world.settle();
  loader.fail();
  expect(await world.get(refused)).toBe('INTERNAL');
  expect(world.reported.map(([, message]) => message)).toContain('what serves others cannot be loaded');
  const listed = asker.list({}, 'late');
  await world.settle();
  loader.come();
  expect((await world.get(listed)).machines.map(({ machine }) => machine)).toEqual(['door']);
  expect(loader.asked).toBe(2);
  await world.get(peer.close());
});

test('[WEB-9] a peer that is closed meanwhile ends what comes, and hosts nothing more', async () => {
  const { world, loader, late: peer } = await late();
  const hosted = codeOf(peer.host('two', 'door'));
  await world.settle();
  const closed = peer.close();
  loader.come();
  await world.get(closed);
  expect(await world.get(hosted)).toBe('CLOSED');
  expect(await world.get(codeOf(peer.host('three', 'door')))).toBe('CLOSED');
});
