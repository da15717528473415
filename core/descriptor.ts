// Event descriptors: which event types an `on` key takes, and which event number of an image a type is. XState's rules
// (matchesEventDescriptor): a type takes itself, `*` takes everything, `a.b.*` takes `a.b`, `a.b.c` and so on, token by token.
// The descriptors that take one type are prefixes of each other, so the longest of them says which others take it too: that is why
// an image needs one event number per descriptor, not one per type.

/** `*`, or tokens without a star and then `.*`. A star anywhere else is an ordinary character. */
export function isWildcard(descriptor: string): boolean {
  return descriptor === '*' || (descriptor.endsWith('.*') && !descriptor.slice(0, -2).split('.').includes('*'));
}

export function matchesDescriptor(type: string, descriptor: string): boolean {
  if (type === descriptor || descriptor === '*') return true;
  if (!isWildcard(descriptor)) return false;
  const prefix = descriptor.slice(0, -2);
  return type === prefix || type.startsWith(`${prefix}.`);
}

/**
 * @param events by event number, as in the symbols of an image.
 * @returns a function from an event type to its event number: its own, or that of the longest wildcard that takes it, or 0.
 */
export function eventResolver(events: readonly string[]): (type: string) => number {
  const named = new Map<string, number>();
  events.forEach((type, number) => {
    if (number > 0) named.set(type, number);
  });
  const wildcards = [...named.keys()].filter(isWildcard).sort((a, b) => b.length - a.length);
  return (type) => {
    const own = named.get(type);
    if (own !== undefined) return own;
    const wildcard = wildcards.find((descriptor) => matchesDescriptor(type, descriptor));
    return wildcard === undefined ? 0 : (named.get(wildcard) ?? 0);
  };
}
