// A page for tests of tabs that order an instance and keep it: a ledger of its own, or with `?at=PEER` that of another tab, watched there or
// with `?via=PEER` at a source, under `lockstep.mirrors.ledger`. `forks` is what it was told when somebody had its place, `told` what it
// reported, `failed` why it could not begin. It shows a token, `?token=` another one.

import { connect, type Fork, LockstepError } from '../../browser/index.ts';
import { type IndexedJournal, openJournal } from '../../browser/journal.ts';
import { journalContract, sampleStep } from '../contracts/journal.ts';
import { ledger } from './ledger.machine.ts';
import image from './ledger.machine.ts?image';

const options = new URLSearchParams(location.search);
const [at, via] = [options.get('at'), options.get('via')];
const forks: Fork[] = [];
const told: string[] = [];
Object.assign(globalThis, { forks, told, checkJournal, checkDamage });

const own = {
  hosts: 'durable',
  machines: { ledger: { image: image.bytes, definition: ledger } },
  trusts: (peer: string) => peer === 'server',
  fenced: (fork: Fork) => void forks.push(fork),
} as const;
try {
  const peer = await connect({
    name: options.get('name') ?? 'tab',
    token: options.get('token') ?? 'a page of ours',
    report: (level, message, error) => told.push(`${level} ${message} ${String(error)}`),
    ...(at === null ? own : {}),
  });
  const mirror =
    at === null
      ? await peer.host('ledger', 'ledger')
      : await peer.watch(`${at}/ledger`, ledger, { isPatient: true, sources: via === null ? [] : [via] });
  Object.assign(globalThis, { lockstep: { peer, mirrors: { ledger: mirror } } });
} catch (error) {
  if (!(error instanceof LockstepError)) throw error;
  Object.assign(globalThis, { failed: error.code });
}

/** The contract of journals, over IndexedDB. @returns what was not kept. */
async function checkJournal(): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const [promise, check] of Object.entries(journalContract)) {
    try {
      await check(async () => {
        const place = crypto.randomUUID();
        const journal = await openJournal(place);
        const reopen = async (): Promise<IndexedJournal> => {
          await journal.close();
          return openJournal(place);
        };
        return { journal, reopen };
      });
    } catch (error) {
      faults.push(`${promise}: ${String(error)}`);
    }
  }
  return faults;
}

/** Changes each field of each record of a journal, one at a time. @returns what it comes to when everything is read: codes, or that nobody noticed. */
async function checkDamage(): Promise<Readonly<Record<string, string>>> {
  const place = crypto.randomUUID();
  const journal = await openJournal(place);
  const moved = { instance: 'c', peer: 'bob', epoch: 8 };
  await journal.write([
    { kind: 'machine', machine: 'door', image: 'h' },
    { kind: 'create', record: { instance: 'a', machine: 'door', image: 'h' }, step: sampleStep('a', 1) },
    { kind: 'moved', moved },
  ]);
  const state = { status: 'active', clocks: [1], history: [], context: null, timers: [] } as const;
  await journal.write([
    { kind: 'checkpoint', checkpoint: { instance: 'a', epoch: 7, seq: 1, state, seen: [] } },
    { kind: 'step', step: sampleStep('a', 2) },
  ]);
  await journal.close();
  const database = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open('lockstep.journal');
    request.onsuccess = () => resolve(request.result);
  });
  const ask = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
  const found: Record<string, string> = {};
  for (const name of ['instances', 'machines', 'checkpoints', 'steps', 'moved']) {
    const within = IDBKeyRange.bound([place], [place, []]);
    const key = (await ask(database.transaction(name).objectStore(name).getAllKeys(within))).at(-1)!;
    const row = (await ask(database.transaction(name).objectStore(name).get(key))) as Record<string, string | number>;
    for (const [field, value] of Object.entries(row)) {
      const put = (value_: unknown): Promise<unknown> =>
        ask(
          database
            .transaction(name, 'readwrite')
            .objectStore(name)
            .put({ ...row, [field]: value_ }, key),
        );
      await put(typeof value === 'number' ? value + 1 : `${value.slice(0, -1)}~`);
      found[`${name}.${field}`] = await readAll(place);
      await put(value);
    }
  }
  database.close();
  return { ...found, undamaged: await readAll(place) };
}

async function readAll(place: string): Promise<string> {
  const journal = await openJournal(place);
  try {
    await Promise.all([journal.machines(), journal.moved(), journal.list({ limit: 9 }), journal.read('a')]);
    return 'nothing was noticed';
  } catch (error) {
    return error instanceof LockstepError ? error.code : String(error);
  } finally {
    await journal.close();
  }
}
