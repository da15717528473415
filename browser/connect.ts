// A tab as a peer: its socket, its clock, its secret and its core, put together. Nothing here decides anything about machines; the peer
// does (peer/peer.ts). The compiler is not in here and must not be: a machine that a tab hosts comes as an image.

import { LockstepError } from '../core/errors.ts';
import type { Core } from '../core/wasm.ts';
import type { Environment } from '../peer/environment.ts';
import { CLOSE_GOING_AWAY, type Dial, type Link } from '../peer/link.ts';
import type { Report } from '../peer/log.ts';
import type { MachineSource } from '../peer/machines.ts';
import { Peer } from '../peer/peer.ts';
import { claimSecret } from './claim.ts';
import { loadSmallCore, wholeCoreOnce } from './core.ts';
import { browserEnvironment } from './environment.ts';
import type { Kept } from './kept.ts';
import { serving } from './serving.ts';
import { dialSocket } from './socket.ts';
import type { Way } from './way.ts';

export interface ConnectOptions {
  /** The relay; this page's own origin unless given. `http:` and `ws:` mean the same. */
  readonly url?: string | URL;
  /** For people: what this tab is called in lists of peers. */
  readonly name?: string;
  /** Machines by name, for instances that this tab hosts or mirrors. An image comes from the Vite plugin: `import image from './x.machine.ts?image'`. */
  readonly machines?: { readonly [name: string]: MachineSource };
  /** Whether others may find instances here; true unless said otherwise. */
  readonly hosts?: boolean;
  /** Answers a REPL's `eval` in this tab; refused unless given. */
  readonly evaluate?: (source: string) => string | Promise<string>;
  /** Whether what is done here survives the page, and the browser: kept in IndexedDB until it is answered. Off unless given. */
  readonly offline?: boolean;
  /** Whether all tabs of this origin share one socket to the relay; true unless said otherwise. */
  readonly sharesSocket?: boolean;
  /** Runs all machines here. Unless given, a small one does, and the whole one joins it with the first machine that needs more. */
  readonly core?: Core;
  /** Watches guards, assigns and the like for what makes replicas differ, and reports it, e.g. `import.meta.env.DEV`; off unless given. */
  readonly development?: boolean;
  readonly report?: Report;
}

/**
 * Makes this tab a peer. Resolves when the core is loaded; the link comes up by itself, now or when there is a network, so a page can start
 * offline. `ready` tells when, and why not if the relay refuses.                                                       (WEB-1)
 * @throws LockstepError BAD_PARAMS when the URL is none; CORE when no core can be loaded; as `machines.add`.
 */
export async function connect(options: ConnectOptions = {}): Promise<Peer> {
  const url = socketUrl(options.url ?? location.href);
  const report = options.report ?? (() => undefined);
  const environment = browserEnvironment();
  const [core, kept, watch] = await Promise.all([
    options.core ?? loadSmallCore(),
    options.offline === true ? openKept(url, environment, report) : undefined,
    options.development === true ? import('../core/watch.ts') : undefined,
  ]);
  const claim = kept?.claim ?? (await claimSecret(url));
  const road = new Road(url, options.sharesSocket ?? true, () => peer.reconnectNow());
  const common = {
    environment,
    dial: road.dial,
    core,
    wholeCore: wholeCoreOnce(),
    serving,
    name: options.name ?? document.title,
    kind: 'browser',
    report,
  } as const;
  const peer: Tab = new Tab({
    ...common,
    // Beside the first dial: a page waits for neither because of the other.
    packed: () => import('../peer/codec-packed.ts'),
    secret: claim.secret,
    hosts: options.hosts ?? true,
    ...(watch === undefined ? {} : { development: (found) => new watch.Watch(globalThis, found) }),
    ...(options.evaluate === undefined ? {} : { evaluate: options.evaluate }),
    ...(kept === undefined ? {} : { keep: kept.keep }),
  });
  peer.heed(road, claim.release);
  try {
    for (const [name, source] of Object.entries(options.machines ?? {})) {
      await peer.machines.prepare(source.image, source.definition);
      peer.machines.add(name, source);
    }
  } catch (error) {
    await peer.close();
    throw error;
  }
  kept?.inherit((secret, keep) => new Peer({ ...common, secret, keep, hosts: false }));
  return peer;
}

/** What it takes to keep mirrors is loaded for pages that want it. Without storage a page goes on, and forgets.           (KEEP-5) */
async function openKept(url: string, environment: Environment, report: Report): Promise<Kept | undefined> {
  try {
    return await (await import('./kept.ts')).openKept(url, environment, report);
  } catch (error) {
    report('warn', 'nothing can be kept', error);
    return undefined;
  }
}

function socketUrl(given: string | URL): string {
  const url = new URL(given, location.href);
  if (!['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol))
    throw new LockstepError('BAD_PARAMS', `the relay's URL is ${url.href}, expected one of http, https, ws or wss`);
  return `${url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss' : 'ws'}://${url.host}/`;
}

/** The way to the relay, alone or shared with other tabs, and the link that is on it now. */
class Road {
  readonly dial: Dial;
  readonly #url: string;
  readonly #again: () => void;
  #link: Link | undefined;
  #way: Promise<Way | undefined> | undefined;

  /** @param again it is worth dialling at once. */
  constructor(url: string, isShared: boolean, again: () => void) {
    this.#url = url;
    this.#again = again;
    this.dial = async () => {
      const way = isShared ? await this.#share() : undefined;
      return (this.#link = await (way?.dial() ?? dialSocket(url)));
    };
  }

  /** What a shared socket takes is loaded beside the first dial. Where it cannot be had, this tab has a socket of its own. */
  #share(): Promise<Way | undefined> {
    return (this.#way ??= import('./tabs.ts')
      .then(({ shareSocket }) => shareSocket(this.#url, this.#again))
      .catch(() => (this.#way = undefined)));
  }

  /** A browser that says it is offline is believed at once; its sockets would take a while to find out. */
  cut(): void {
    this.#link?.close(CLOSE_GOING_AWAY, 'the browser went offline');
  }

  leave(): void {
    void this.#way?.then((way) => way?.leave());
  }
}

class Tab extends Peer {
  #ignore: () => void = () => undefined;

  /** Follows what the browser says about network and tab, until the peer is closed. (WEB-4) */
  heed(road: Road, release: () => void): void {
    const silence = new AbortController();
    const { signal } = silence;
    const again = (): void => this.reconnectNow();
    addEventListener('online', again, { signal });
    addEventListener('offline', () => road.cut(), { signal });
    addEventListener('pageshow', again, { signal });
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && again(), { signal });
    this.#ignore = () => {
      silence.abort();
      road.leave();
      release();
    };
  }

  override async close(): Promise<void> {
    await super.close();
    this.#ignore();
  }
}
