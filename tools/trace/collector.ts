// Feeds a trace model from the peers of a relay: follows each one that comes, fetches the images that its steps ran, and asks for the present
// state of instances whose beginning is out of reach. What a peer refuses is told once and does not stop the rest.

import type { Subscription } from '../../core/actor.ts';
import { LockstepError } from '../../core/errors.ts';
import { encodeBase64 } from '../../peer/base64.ts';
import type { Peer } from '../../peer/peer.ts';
import type { PeerId, PeerInfo, Traced } from '../../peer/wire.ts';
import type { TraceModel } from './model.ts';

/** Newest steps of a peer that are asked for when it is first followed: all that a peer keeps. */
export const BACKLOG = 1_024;
/** Instances per page of a list. */
const PAGE = 100;

/** What is fed: a trace model, or whoever else wants to hear all of it. */
export type CollectorTarget = Pick<TraceModel, 'add' | 'addImage' | 'addState' | 'addPeer' | 'hasImage' | 'isRooted' | 'hasGapBefore'>;

export interface CollectorOptions {
  readonly peer: Peer;
  readonly model: CollectorTarget;
  /** Whom to follow; everyone but tools unless given. */
  readonly follows?: (peer: PeerInfo) => boolean;
  /** Something new is in the model. */
  readonly changed: () => void;
  readonly failed: (error: LockstepError) => void;
}

/** Where an image may be had. */
interface ImageSource {
  readonly instance: string;
  /** Who ran it. */
  readonly remote: PeerId;
}

export class Collector {
  readonly #options: CollectorOptions;
  readonly #followed = new Map<PeerId, Subscription>();
  /** Peers that are being asked for what they have. */
  readonly #asking = new Set<PeerId>();
  /** Images that are on their way, or that could not be had. */
  readonly #images = new Map<string, Promise<void>>();
  #presence: Subscription | undefined;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** Resolves when everyone who is here now was asked. */
  async start(): Promise<void> {
    const { peer } = this.#options;
    this.#presence = peer.onPresence(({ joined }) => {
      for (const info of joined) this.#follow(info).catch((error: unknown) => this.#fail(error));
    });
    await Promise.all(peer.peers().map((info) => this.#follow(info).catch((error: unknown) => this.#fail(error))));
  }

  stop(): void {
    this.#presence?.unsubscribe();
    for (const subscription of this.#followed.values()) subscription.unsubscribe();
    this.#followed.clear();
  }

  /** Resolves when no image is on its way: what has arrived can then be understood as far as it ever will. */
  async settled(): Promise<void> {
    await Promise.all(this.#images.values());
  }

  async #follow(info: PeerInfo): Promise<void> {
    const { peer, model, follows = (each): boolean => each.kind !== 'tool' } = this.#options;
    model.addPeer(info);
    this.#options.changed();
    if (info.peer === peer.id || !follows(info)) return;
    await this.#ask(info.peer);
  }

  /** Hears a peer from the beginning of what it keeps; a second time when something was missed. */
  async #ask(remote: PeerId): Promise<void> {
    if (this.#asking.has(remote)) return;
    this.#asking.add(remote);
    const { peer } = this.#options;
    try {
      const subscription = await peer.trace(remote, (record) => this.#heard(record), BACKLOG);
      this.#followed.get(remote)?.unsubscribe();
      this.#followed.set(remote, subscription);
      if (peer.peers().some((info) => info.peer === remote && info.hosts)) await this.#describeAll(remote);
    } finally {
      this.#asking.delete(remote);
    }
  }

  /** What is now, of everything that the peer is the authority of. */
  async #describeAll(remote: PeerId): Promise<void> {
    const { peer, model } = this.#options;
    for (let after: string | undefined; ;) {
      const page = await peer.list({ limit: PAGE, ...(after === undefined ? {} : { after }) }, remote);
      for (const { instance, image } of page.instances) {
        const described = await peer.get(instance);
        if ('state' in described) model.addState(described);
        // Of a guarded machine no list tells the image; its steps do, to those who may have them.
        if (image !== '') this.#need(image, { instance, remote });
      }
      after = page.instances.at(-1)?.instance;
      if (!page.more || after === undefined) break;
    }
    this.#options.changed();
  }

  #heard(record: Traced): void {
    const { model } = this.#options;
    const isGap = record.kind === 'inspect' && model.hasGapBefore(record);
    if (!this.#add(record)) return;
    if (record.kind === 'step') this.#need(record.image, { instance: record.step.instance, remote: record.peer });
    if (isGap || (record.kind === 'step' && !model.isRooted(record.step))) this.#askAgain(record);
    this.#options.changed();
  }

  /** A program's message that its peer passed on and nobody can read costs itself. */
  #add(record: Traced): boolean {
    try {
      return this.#options.model.add(record);
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /** What came shows that something before it was missed. Messages of programs come from whoever took them in: anyone may have them. */
  #askAgain(record: Traced): void {
    const remotes = record.kind === 'inspect' ? [...this.#followed.keys()] : [record.peer];
    for (const remote of remotes) if (!this.#asking.has(remote)) this.#ask(remote).catch((error: unknown) => this.#fail(error));
  }

  /** Fetches an image once. */
  #need(image: string, source: ImageSource): void {
    if (this.#options.model.hasImage(image) || this.#images.has(image)) return;
    const fetched = this.#fetch(image, source).catch((error: unknown) => {
      this.#images.delete(image);
      this.#fail(error);
    });
    this.#images.set(image, fetched);
  }

  /** From whoever ran it, or, where that peer gives images to those only who watch, through the instance: it may have another one by now. */
  async #fetch(image: string, { instance, remote }: ImageSource): Promise<void> {
    const { peer, model } = this.#options;
    let bytes = peer.machines.image(image) ?? (await this.#published(image, remote));
    if (bytes === undefined) {
      const mirror = await peer.watch(instance);
      if (mirror.machine.hash === image) bytes = mirror.machine.bytes;
      mirror.stop();
    }
    if (bytes === undefined)
      throw new LockstepError('UNKNOWN_IMAGE', `image ${image}, which ${instance} ran before, is no longer published`);
    model.addImage({ image, bytes: encodeBase64(bytes) });
    this.#options.changed();
  }

  async #published(image: string, remote: PeerId): Promise<Uint8Array | undefined> {
    try {
      return await this.#options.peer.image(image, remote);
    } catch (error) {
      if (error instanceof LockstepError) return undefined;
      throw error;
    }
  }

  #fail(error: unknown): void {
    if (!(error instanceof LockstepError)) throw error;
    this.#options.failed(error);
  }
}
