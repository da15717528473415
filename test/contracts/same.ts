// The one assertion of contracts that also run in a page, where there is no test runner.

/** @throws Error unless both are the same as JSON: the order of keys, and keys without a value, do not count; bytes are lists. */
export function same(found: unknown, wanted: unknown): void {
  const [a, b] = [found, wanted].map((value) =>
    JSON.stringify(value, (_key, inner: unknown) => (inner instanceof Uint8Array ? [...inner] : sorted(inner))),
  );
  if (a !== b) throw new Error(`found ${a}, expected ${b}`);
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
