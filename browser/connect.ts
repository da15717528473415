// A tab as a peer: its socket, its clock, its secret and its core, put together. Nothing here decides anything about machines; the peer
// does (peer/peer.ts). The compiler is not in here and must not be: a machine that a tab hosts comes as an image.

import { LockstepError } from '../core/errors.ts';
import type { Core } from '../core/wasm.ts';
import { CLOSE_GOING_AWAY, type Dial, type Link } from '../peer/link.ts';
import type { Report } from '../peer/log.ts';
import type { MachineSource } from '../peer/machines.ts';
import { Peer } from '../peer/peer.ts';
import type { ServingOptions } from '../peer/serving.ts';
import type { Fork } from '../peer/succession.ts';
import type { Encoding, PeerId } from '../peer/wire.ts';
import { type Claim, claimSecret } from './claim.ts';
import { loadSmallCore, wholeCoreOnce } from './core.ts';
import { browserEnvironment } from './environment.ts';
import type { Kept, KeptOptions } from './kept.ts';
import { browserPlatform } from './platform.ts';
import { serving } from './serving.ts';
import type { Way } from './way.ts';

export interface ConnectOptions {
  /** The relay; this page's own origin unless given. `http:` and `ws:` mean the same. */
  readonly url?: string | URL;
  /** For people: what this tab is called in lists of peers. */
  readonly name?: string;
  /** Machines by name, for instances that this tab hosts or mirrors. An image comes from the Vite plugin: `import image from './x.machine.ts?image'`. */
  readonly machines?: { readonly [name: string]: MachineSource };
  /**
   * Whether others may find instances here; true unless said otherwise. `'durable'`: what this tab orders also outlives its page and its
   * browser, and so does what is done to mirrors, as with `offline`.                                              (WEB-16)
   */
  readonly hosts?: boolean | 'durable';
  /** What the server's `authenticate` judges. */
  readonly token?: string;
  /** Answers a REPL's `eval` in this tab; refused unless given. */
  readonly evaluate?: (source: string) => string | Promise<string>;
  /** Whether what is done here survives the page, and the browser: kept in IndexedDB until it is answered. Off unless given. */
  readonly offline?: boolean;
  /** Whether all tabs of this origin share one socket to the relay; true unless said otherwise. */
  readonly sharesSocket?: boolean;
  /** `'json'`: what is said can be read on the wire, and the packed encoding, 4 KB, is not loaded; packed unless given. */
  readonly encoding?: Encoding;
  /** Runs all machines here. Unless given, a small one does, and the whole one joins it with the first machine that needs more. */
  readonly core?: Core;
  /** Watches guards, assigns and the like for what makes replicas differ, and reports it, e.g. `import.meta.env.DEV`; off unless given. */
  readonly development?: boolean;
  /** Peers whose word is taken: for who sent an event, for who orders an instance, to stand by and to hand over. Nobody unless given. */
  readonly trusts?: (peer: PeerId) => boolean;
  /** Hears that another peer orders an instance of this tab, in a higher epoch, and which steps that one does not have. */
  readonly fenced?: (fork: Fork) => void;
  readonly report?: Report;
}

/**
 * Makes this tab a peer. Resolves when the core is loaded; the link comes up by itself, now or when there is a network, so a page can start
 * offline. `ready` tells when, and why not if the relay refuses.                                                       (WEB-1)
 * @throws LockstepError BAD_PARAMS when the URL is none; CORE when no core can be loaded; STORAGE when a durable host may keep nothing; as
 *   `machines.add`.
 */
export async function connect(options: ConnectOptions = {}): Promise<Peer> {
  const url = socketUrl(options.url ?? location.href);
  const report = options.report ?? (() => undefined);
  const environment = browserEnvironment();
  const isDurable = options.hosts === 'durable';
  const [core, kept, watch] = await Promise.all([
    options.core ?? loadSmallCore(),
    options.offline === true || isDurable ? keep({ url, environment, report, isDurable }) : undefined,
    options.development === true ? import('../core/watch.ts') : undefined,
  ]);
  const claim = kept ?? (await claimSecret(url));
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
  // Instances come back with their functions, and who asks for a machine finds it: nothing is served before all machines are there.
  let begin = (): void => undefined;
  const machinesAdded = new Promise<void>((resolve) => (begin = resolve));
  const peer: Tab = new Tab({
    ...common,
    serving: (given: ServingOptions) => machinesAdded.then(() => serving(given)),
    // Beside the first dial: a page waits for neither because of the other.
    packed: options.encoding === 'json' ? undefined : () => import('../peer/codec-packed.ts'),
    secret: claim.secret,
    hosts: options.hosts !== false,
    ...(watch === undefined ? {} : { development: (found) => new watch.Watch(globalThis, found) }),
    evaluate: options.evaluate,
    token: options.token,
    trusts: options.trusts,
    fenced: options.fenced,
    keep: kept?.keep,
    journal: kept?.journal,
  });
  peer.heed(road, claim);
  try {
    await addMachines(peer, options.machines ?? {}).finally(begin);
  } catch (error) {
    await peer.close();
    throw error;
  }
  kept?.inherit((secret, keep) => new Peer({ ...common, secret, keep, hosts: false }));
  return peer;
}

async function addMachines(peer: Peer, machines: NonNullable<ConnectOptions['machines']>): Promise<void> {
  for (const [name, source] of Object.entries(machines)) {
    await peer.machines.prepare(source.image, source.definition);
    peer.machines.add(name, source);
  }
}

/**
 * What it takes to keep things is loaded for pages that want it. Without storage a page goes on, and forgets (KEEP-5); one that is to keep what
 * it orders does not: its word would not be worth anything.                                                              (WEB-17)
 */
async function keep(options: KeptOptions): Promise<Kept | undefined> {
  try {
    return await (await import('./kept.ts')).openKept(options);
  } catch (error) {
    if (options.isDurable) throw error;
    options.report('warn', 'nothing can be kept', error);
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
      return (this.#link = await (way?.dial() ?? browserPlatform.dial(url)));
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
  #ignore: () => Promise<void> = () => Promise.resolve();

  /** Follows what the browser says about network and tab, until the peer is closed. (WEB-4) */
  heed(road: Road, claim: Pick<Claim, 'release'>): void {
    const silence = new AbortController();
    const { signal } = silence;
    const again = (): void => this.reconnectNow();
    addEventListener('online', again, { signal });
    addEventListener('offline', () => road.cut(), { signal });
    addEventListener('pageshow', again, { signal });
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && again(), { signal });
    this.#ignore = async () => {
      silence.abort();
      road.leave();
      await claim.release();
    };
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#ignore();
  }
}
