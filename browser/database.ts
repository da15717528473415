// IndexedDB as promises: what the pages of an origin keep together. Every transaction is one promise that resolves when it is durable.

/**
 * @param stores by name: the path of their key, or undefined when keys are given apart.
 * @throws DOMException when this page may keep nothing.
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

/** Runs `work` in one transaction. @returns what it read, once all that it wrote is durable. */
export function transact<T>(
  database: IDBDatabase,
  stores: readonly string[],
  work: (store: (name: string) => IDBObjectStore, read: (request: IDBRequest, then: (found: unknown) => void) => void) => { result: T },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction([...stores], 'readwrite', { durability: 'strict' });
    const outcome = work(
      (name) => transaction.objectStore(name),
      (request, then) => {
        request.onsuccess = () => then(request.result);
      },
    );
    transaction.oncomplete = () => resolve(outcome.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'));
  });
}
