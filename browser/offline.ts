// What the tabs of an origin keep in IndexedDB, so that killing the browser loses nothing that somebody did: events with their numbers under
// the secret of the peer that sent them, the last confirmed states, and the images that these belong to.                (KEEP-1, KEEP-6)
//
//   events   [url, secret, instance, n] → KeptEvent       numbers  [url, secret, instance] → the newest n ever given; "" is the peer itself,
//                                                                  → 1 when it keeps instances too (journal.ts), else 0
//   states   [url, instance] → KeptState                  images   hash → bytes

import { Keeper } from '../peer/keeper.ts';
import type { Environment } from '../peer/environment.ts';
import type { Keep, Kept, KeptEvent, KeptState, Store } from '../peer/keeping.ts';
import type { Report } from '../peer/log.ts';
import type { InstanceId } from '../peer/wire.ts';
import { openDatabase, range, transact } from './database.ts';

const DATABASE = 'lockstep.offline';
const STORES = { events: undefined, numbers: undefined, states: undefined, images: undefined };

export interface Orphan {
  readonly secret: string;
  /** Whether it keeps the instances that it orders. */
  readonly isDurable: boolean;
  /** With events that nobody answered; perhaps none. */
  readonly instances: readonly InstanceId[];
}

/** What this origin keeps of its peers at one relay. @throws DOMException when this page may keep nothing. */
export async function openOffline(url: string): Promise<Offline> {
  return new Offline(url, await openDatabase(DATABASE, STORES));
}

export class Offline {
  readonly #url: string;
  readonly #database: IDBDatabase;

  constructor(url: string, database: IDBDatabase) {
    this.#url = url;
    this.#database = database;
  }

  /** Peers that were here, those with the most to say first; some of them may be alive. */
  async peers(): Promise<readonly Orphan[]> {
    const within = range([this.#url]);
    interface Found {
      numbers: readonly IDBValidKey[];
      newest: readonly number[];
      events: readonly IDBValidKey[];
    }
    const { numbers, newest, events } = await transact<Found>(this.#database, ['numbers', 'events'], (store, read) => {
      const result: Found = { numbers: [], newest: [], events: [] };
      read(store('numbers').getAllKeys(within), (found) => (result.numbers = found as IDBValidKey[]));
      read(store('numbers').getAll(within), (found) => (result.newest = found as number[]));
      read(store('events').getAllKeys(within), (found) => (result.events = found as IDBValidKey[]));
      return { result };
    });
    const peers = new Map<string, { readonly isDurable: boolean; readonly instances: Set<InstanceId> }>();
    for (const [i, key] of numbers.entries())
      if (part(key, 2) === '') peers.set(part(key, 1), { isDurable: newest[i] === 1, instances: new Set() });
    for (const key of events) peers.get(part(key, 1))?.instances.add(part(key, 2));
    return [...peers]
      .map(([secret, { isDurable, instances }]) => ({ secret, isDurable, instances: [...instances] }))
      .sort((a, b) => b.instances.length - a.instances.length);
  }

  /** Somebody is this peer now. Only who was written down here may be it again: another one's numbers would be unknown. */
  async enter(secret: string, isDurable: boolean): Promise<void> {
    await transact(this.#database, ['numbers'], (store) => {
      store('numbers').put(isDurable ? 1 : 0, [this.#url, secret, '']);
      return { result: undefined };
    });
  }

  store(secret: string): Store {
    return new IndexedStore(this.#database, this.#url, secret);
  }

  keep(secret: string, environment: Environment, report: Report): Keep {
    const store = this.store(secret);
    const keepers = new Set<Keeper>();
    // A page that goes writes what waits for its moment; what does not get there is only sent again.
    addEventListener('pagehide', () => {
      for (const keeper of keepers) void keeper.flush();
    });
    return (instance) => {
      const keeper = new Keeper({ instance, store, environment, report });
      keepers.add(keeper);
      return keeper;
    };
  }
}

class IndexedStore implements Store {
  readonly #database: IDBDatabase;
  readonly #url: string;
  readonly #secret: string;
  /** Images that are there. */
  readonly #images = new Set<string>();

  constructor(database: IDBDatabase, url: string, secret: string) {
    this.#database = database;
    this.#url = url;
    this.#secret = secret;
  }

  async read(instance: InstanceId): Promise<Kept> {
    const own = [this.#url, this.#secret, instance];
    interface Found {
      events: readonly KeptEvent[];
      newest: number;
      state: KeptState | undefined;
      bytes: Uint8Array | undefined;
    }
    const { state, bytes, events, newest } = await transact<Found>(this.#database, Object.keys(STORES), (store, read) => {
      const result: Found = { events: [], newest: 0, state: undefined, bytes: undefined };
      read(store('events').getAll(range(own)), (found) => (result.events = found as KeptEvent[]));
      read(store('numbers').get(own), (found) => (result.newest = (found as number | undefined) ?? 0));
      read(store('states').get([this.#url, instance]), (found) => {
        result.state = found as KeptState | undefined;
        if (result.state !== undefined)
          read(store('images').get(result.state.image), (image) => (result.bytes = image as Uint8Array | undefined));
      });
      return { result };
    });
    return state === undefined || bytes === undefined ? { events, newest } : { state: { ...state, bytes }, events, newest };
  }

  async add(instance: InstanceId, events: readonly KeptEvent[]): Promise<void> {
    const own = [this.#url, this.#secret, instance];
    await transact(this.#database, ['events', 'numbers'], (store) => {
      for (const event of events) store('events').put(event, [...own, event.n]);
      store('numbers').put(Math.max(...events.map(({ n }) => n)), own);
      return { result: undefined };
    });
  }

  async save(instance: InstanceId, dropped: readonly number[], state?: KeptState & { readonly bytes: Uint8Array }): Promise<void> {
    await transact(this.#database, ['events', 'states', 'images'], (store) => {
      for (const n of dropped) store('events').delete([this.#url, this.#secret, instance, n]);
      if (state !== undefined) {
        const { bytes, ...kept } = state;
        store('states').put(kept, [this.#url, instance]);
        if (!this.#images.has(kept.image)) store('images').put(bytes, kept.image);
      }
      return { result: undefined };
    });
    if (state !== undefined) this.#images.add(state.image);
  }
}

function part(key: IDBValidKey, index: number): string {
  return String((key as IDBValidKey[])[index]);
}
