// The terms of leaders: each who comes to lead the tabs of an origin at a relay takes the next number, in one transaction, so that no two
// leaders ever have the same one.                                                                                      (TAB-2)

import type { Notifications } from '../peer/wire.ts';
import { openDatabase, transact } from './database.ts';

const DATABASE = 'lockstep.tabs';
const STORE = 'terms';

/** The group of these tabs, which only they know, and a term that is higher than every one before. */
export async function nextTerm(url: string): Promise<Notifications['share']> {
  try {
    const database = await openDatabase(DATABASE, { [STORE]: undefined });
    const share = await transact<Notifications['share']>(database, [STORE], (store, read) => {
      const outcome: { result: Notifications['share'] } = { result: { group: crypto.randomUUID(), term: 1 } };
      read(store(STORE).get(url), (found) => {
        const before = found as Notifications['share'] | undefined;
        if (before !== undefined) outcome.result = { group: before.group, term: before.term + 1 };
        store(STORE).put(outcome.result, url);
      });
      return outcome;
    });
    database.close();
    return share;
  } catch {
    // Storage is switched off for this page. Tabs of one browser share a clock; the group is theirs alone, so the relay fences nobody.
    return { group: crypto.randomUUID(), term: Date.now() };
  }
}
