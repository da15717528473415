// IndexedDB as promises: what the pages of an origin keep together. Every transaction is one promise that resolves when it is durable.

/** Asks and writes, in one transaction. @param read what to do with an answer, before the transaction ends. @returns what was read, filled in until then. */
export type Work<T> = (
  store: (name: string) => IDBObjectStore,
  read: (request: IDBRequest, then: (found: unknown) => void) => void,
) => { readonly result: T };

/**
 * @param stores by name: the path of their key, or undefined when keys are given apart.
 * @throws DOMException when this page may keep nothing; VersionError when a later version of the database is there.
 */
export function openDatabase(name: string, stores: Readonly<Record<string, string | string[] | undefined>>): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      for (const [store, keyPath] of Object.entries(stores))
        request.result.createObjectStore(store, keyPath === undefined ? {} : { keyPath });
    };
    request.onerror = () => reject(request.error ?? new Error(`no database ${name}`));
    request.onsuccess = () => {
      // A page of another build that wants to change it does not have to wait for us.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
  });
}

/** Runs `work` in one transaction. @returns what it read, once all that it wrote is durable. @throws DOMException: nothing of it is kept then. */
export function transact<T>(database: IDBDatabase, stores: readonly string[], work: Work<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction([...stores], 'readwrite', { durability: 'strict' });
    // A request that fails ends in this as well, and only then is the reason known.
    transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'));
    try {
      const outcome = work(
        (name) => transaction.objectStore(name),
        (request, then) => {
          request.onsuccess = () => then(request.result);
        },
      );
      transaction.oncomplete = () => resolve(outcome.result);
    } catch (error) {
      transaction.abort();
      reject(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

/** All keys that begin with these parts: an array is greater than every text and number. @param from the least of the part after them. */
export function range(parts: readonly string[], from?: number): IDBKeyRange {
  return IDBKeyRange.bound(from === undefined ? [...parts] : [...parts, from], [...parts, []]);
}
