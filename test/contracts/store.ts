// What every Store promises. Each implementation runs this suite; the one of browsers runs it in Chromium (test/browser/offline.test.ts).

import type { KeptEvent, KeptState, Store } from '../../peer/keeping.ts';
import { same } from './same.ts';

export interface StoreBench {
  /** The store of a peer in a place of this bench: the same name gives the same peer, also after what it was is gone. */
  open(peer: string): Promise<Store>;
}

const event = (n: number): KeptEvent => ({ n, event: { type: 'add', id: `e${n}` }, stamp: { now: 5, seed: 7, salt: `salt ${n}` } });
const state = (seq: number): KeptState & { readonly bytes: Uint8Array } => ({
  machine: 'ledger',
  image: `image ${seq}`,
  epoch: 9,
  seq,
  state: { status: 'active', clocks: [1, 0], history: [], context: { seq }, timers: [] },
  bytes: new Uint8Array([1, 2, seq]),
});

/** By name; each throws when the promise is not kept. Plain functions, because they also run in a page. */
export const storeContract: Readonly<Record<string, (bench: StoreBench) => Promise<void>>> = {
  '[KEEP-4] nothing is there at first': async (bench) => {
    same(await (await bench.open('a')).read('one'), { events: [], newest: 0 });
  },
  '[KEEP-4] what was added is read back in order, expectations and stamps included': async (bench) => {
    const store = await bench.open('b');
    await store.add('one', [event(1), { ...event(2), expect: { seq: 4 } }]);
    await store.add('one', [event(3)]);
    await store.add('two', [event(1)]);
    same(await (await bench.open('b')).read('one'), {
      events: [event(1), { ...event(2), expect: { seq: 4 } }, event(3)],
      newest: 3,
    });
  },
  '[KEEP-4] a number that was given is never given again, whatever is forgotten': async (bench) => {
    const store = await bench.open('c');
    await store.add('one', [event(1), event(2)]);
    await store.save('one', [1, 2]);
    same(await (await bench.open('c')).read('one'), { events: [], newest: 2 });
  },
  '[KEEP-4] states are shared by peers, events are not': async (bench) => {
    const [one, two] = [await bench.open('d'), await bench.open('e')];
    await one.add('shared', [event(1), event(2)]);
    await one.save('shared', [1], state(8));
    same(await two.read('shared'), { state: state(8), events: [], newest: 0 });
    same(await one.read('shared'), { state: state(8), events: [event(2)], newest: 2 });
    await two.save('shared', [], state(9));
    same((await one.read('shared')).state, state(9));
  },
};
