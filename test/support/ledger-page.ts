// A page for tests of tabs: a mirror of the ledger under `lockstep.mirrors.ledger`, and a lock that says which client this page is.

import { connect } from '../../browser/index.ts';
import { ledger } from './ledger.machine.ts';

const name = new URLSearchParams(location.search).get('name') ?? 'tab';
void navigator.locks.request(`test ${name}`, () => new Promise(() => undefined));

const peer = await connect({ name });
const mirror = await peer.watch('ledger', ledger, { isPatient: true });
Object.assign(globalThis, { lockstep: { peer, mirrors: { ledger: mirror } } });
