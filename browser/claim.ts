// Who a tab is: a secret in its session storage, so that a reloaded tab is the same peer again. A duplicated tab begins with a copy of
// that storage; whoever is alive holds a lock on its secret, and a copy that finds it taken makes a secret of its own.   (WEB-1)

export interface Claim {
  readonly secret: string;
  /** Lets go of the secret; a later claim in this tab gets it again. */
  release(): void | Promise<void>;
}

/** Milliseconds: the page that this one replaces in its tab may take a moment to let go. */
const HANDOVER_MS = 500;
const SECRET_BYTES = 24;

/** Claims of this document by scope: a page that connects twice is two peers, and the same two after a reload. */
const slots = new Map<string, Set<number>>();

/** Whoever is alive holds this lock on its secret. */
export function secretLock(secret: string): string {
  return `lockstep ${secret}`;
}

/**
 * The secret of this tab for `scope`, held until it is released or the tab is gone.
 * @param scope what the secret is for: a relay is not to learn who this tab is at another.
 * @param known the only ones that may be used again, in this order: a new tab becomes the first one of them that is gone.   (KEEP-6)
 */
export async function claimSecret(scope: string, known?: readonly string[]): Promise<Claim> {
  const slot = freeSlot(scope);
  const key = `lockstep ${scope} ${slot}`;
  const found = read(key);
  const stored = found !== undefined && known?.includes(found) !== false ? found : undefined;
  let secret = stored ?? '';
  let unlock = stored === undefined ? undefined : await lock(stored);
  for (const orphan of known ?? []) {
    if (unlock !== undefined) break;
    secret = orphan;
    unlock = await lock(orphan, { ifAvailable: true });
  }
  while (unlock === undefined) {
    secret = newSecret();
    unlock = await lock(secret);
  }
  if (secret !== stored) write(key, secret);
  const held = unlock;
  return {
    secret,
    release: () => {
      slots.get(scope)?.delete(slot);
      held();
    },
  };
}

function freeSlot(scope: string): number {
  const taken = slots.get(scope) ?? new Set();
  slots.set(scope, taken);
  let slot = 0;
  while (taken.has(slot)) slot++;
  taken.add(slot);
  return slot;
}

function newSecret(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(SECRET_BYTES))));
}

/** A page may be denied its storage; then every load is a new peer. */
function read(key: string): string | undefined {
  try {
    return sessionStorage.getItem(key) ?? undefined;
  } catch {
    return undefined; // Storage is switched off for this page.
  }
}

function write(key: string, secret: string): void {
  try {
    sessionStorage.setItem(key, secret);
  } catch {
    return; // Switched off, or full: the next load is another peer.
  }
}

/** @returns how to let go; undefined when somebody alive has it. Pages of an insecure origin have no locks. */
function lock(secret: string, options?: LockOptions): Promise<(() => void) | undefined> {
  if (!('locks' in navigator)) return import('./asked-claim.ts').then(({ askAround }) => askAround(secret));
  return lockByName(secret, options ?? { signal: AbortSignal.timeout(HANDOVER_MS) });
}

function lockByName(secret: string, options: LockOptions): Promise<(() => void) | undefined> {
  return new Promise((resolve) => {
    const granted = async (held: Lock | null): Promise<void> => {
      if (held === null) resolve(undefined);
      else await new Promise<void>((release) => resolve(release));
    };
    navigator.locks.request(secretLock(secret), options, granted).catch(() => resolve(undefined));
  });
}
