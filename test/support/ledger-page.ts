// A page for tests of tabs: a mirror of the ledger under `lockstep.mirrors.ledger`, what it was told about events that no longer apply under
// `told`, and a lock that says which client this page is. `?offline` keeps its mirrors.

import { connect } from '../../browser/index.ts';
import { openOffline } from '../../browser/offline.ts';
import { storeContract } from '../contracts/store.ts';
import { ledger } from './ledger.machine.ts';

const options = new URLSearchParams(location.search);
const name = options.get('name') ?? 'tab';
void navigator.locks.request(`test ${name}`, () => new Promise(() => undefined));

const told: string[] = [];
const peer = await connect({
  name,
  offline: options.has('offline'),
  report: (level, message, error) => told.push(`${level} ${message} ${String(error)}`),
});
const mirror = await peer.watch('ledger', ledger, { isPatient: true });
mirror.onRefused(({ event, error }) => told.push(`refused ${event.type} ${error.code}`));
mirror.onOvertaken((event) => told.push(`overtaken ${event.type} ${String(event['id'])}`));

/** The contract of stores, over IndexedDB. @returns what was not kept. */
async function checkStore(): Promise<readonly string[]> {
  const faults: string[] = [];
  const place = `ws://${crypto.randomUUID()}/`;
  for (const [promise, check] of Object.entries(storeContract)) {
    try {
      await check({ open: async (one) => (await openOffline(place)).store(one) });
    } catch (error) {
      faults.push(`${promise}: ${String(error)}`);
    }
  }
  return faults;
}

Object.assign(globalThis, { lockstep: { peer, mirrors: { ledger: mirror } }, told, checkStore });
