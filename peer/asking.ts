// What a peer asks of others besides mirrors: their machines and instances, their trace, their evaluator. Brought in with the first such
// question, because a page that only watches and sends has none.

import type { Subscription } from '../core/actor.ts';
import type { HashBytes } from '../core/image.ts';
import type { Json } from '../core/json.ts';
import { plain } from '../core/plain.ts';
import { Follower } from './follower.ts';
import { ownerOf } from './identity.ts';
import { imageFrom } from './image-request.ts';
import type { Session } from './session.ts';
import { readTrace } from './trace-shapes.ts';
import type { InstanceId, Methods, PeerId, Traced } from './wire.ts';

/** The peer that asks. */
export interface Asker {
  /** With a peer, or with the server, when there is a link. @throws LockstepError UNREACHABLE */
  reach(peer: PeerId | null): Promise<Session>;
  /** With a peer, as things are right now. */
  session(peer: PeerId): Session;
  readonly hashBytes: HashBytes;
}

export class Asking {
  readonly #asker: Asker;
  readonly #followers = new Set<Follower>();

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  // ── Machines and instances ─────────────────────────────────────────────────────────────────────────────────────

  async define(
    machine: string,
    source: { readonly definition: Json } | { readonly image: string },
    peer?: PeerId,
  ): Promise<Methods['define']['result']> {
    // JSON text would leave out what is none, functions for instance, and say nothing.
    const checked = 'definition' in source ? { definition: plain(source.definition, '/definition') } : source;
    return (await this.#asker.reach(peer ?? null)).request('define', { machine, ...checked });
  }

  async create(
    machine: string,
    options: { readonly instance?: string; readonly input?: Json; readonly peer?: PeerId } = {},
  ): Promise<Methods['create']['result']> {
    const { instance, input, peer } = options;
    const owner = peer ?? (instance === undefined ? null : ownerOf(instance));
    const checked = input === undefined ? {} : { input: plain(input, '/input', 1) };
    return (await this.#asker.reach(owner)).request('create', {
      machine,
      ...(instance === undefined ? {} : { instance }),
      ...checked,
    });
  }

  async get(instance: InstanceId, view?: string): Promise<Methods['get']['result']> {
    return (await this.#asker.reach(ownerOf(instance))).request('get', { instance, ...(view === undefined ? {} : { view }) });
  }

  async image(hash: string, peer?: PeerId): Promise<Uint8Array> {
    return imageFrom(await this.#asker.reach(peer ?? null), hash, this.#asker.hashBytes);
  }

  async list(params: Methods['list']['params'] = {}, peer?: PeerId): Promise<Methods['list']['result']> {
    return (await this.#asker.reach(peer ?? null)).request('list', params);
  }

  async delete(instance: InstanceId): Promise<void> {
    await (await this.#asker.reach(ownerOf(instance))).request('delete', { instance });
  }

  async evaluate(peer: PeerId, source: string): Promise<string> {
    return (await (await this.#asker.reach(peer)).request('eval', { source })).text;
  }

  // ── Traces ─────────────────────────────────────────────────────────────────────────────────────────────────────

  async trace(peer: PeerId, heard: (record: Traced) => void, backlog = 0): Promise<Subscription> {
    const session = await this.#asker.reach(peer);
    const follower = new Follower(peer, heard);
    this.#followers.add(follower);
    try {
      await follower.follow(session, backlog);
    } catch (error) {
      this.#followers.delete(follower);
      throw error;
    }
    const unsubscribe = (): void => {
      this.#followers.delete(follower);
      if (this.#following(peer).length > 0) return;
      // Gone with the session anyway.
      this.#asker
        .session(peer)
        .request('trace', { on: false })
        .catch(() => undefined);
    };
    return { unsubscribe };
  }

  /** There is a new link, or a peer is back: those who follow ask again. */
  resume(peer?: PeerId): void {
    for (const follower of this.#following(peer)) follower.resume(this.#asker.session(follower.peer));
  }

  /** What a peer's trace room says. @throws LockstepError BAD_PARAMS */
  hear(peer: PeerId, params: unknown): void {
    const records = readTrace(params);
    for (const follower of this.#following(peer)) follower.hear(records);
  }

  #following(peer: PeerId | undefined): readonly Follower[] {
    return [...this.#followers].filter((each) => peer === undefined || each.peer === peer);
  }
}
