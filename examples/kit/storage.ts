// What a browser keeps for a page, where it keeps anything; and ids, also on a page of an insecure origin, which has no `randomUUID`.

const ID_BYTES = 4;

/** @returns what was remembered under a key; null when nothing was, or storage is refused. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // Refused.
  }
}

/** @returns whether it is remembered: storage may be refused, or full. */
export function remember(key: string, value: string): boolean {
  try {
    localStorage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

/** Eight hexadecimal digits that nobody else has come up with. */
export function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(ID_BYTES))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
