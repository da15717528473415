// The methods that other peers call on what is ordered or passed on here, in one place: what each of them asks of whoever calls, and what it
// answers. The instances themselves are host.ts.                                            (docs/PROTOCOL.md, docs/views.md, docs/topologies.md)

import { LockstepError } from '../core/errors.ts';
import type { Authority } from './authority.ts';
import { encodeBase64 } from './base64.ts';
import { readNotice, type RequestId } from './codec-json.ts';
import type { Branch } from './branch.ts';
import type { Host, HostOptions } from './host.ts';
import { readParams } from './params.ts';
import type { Readers } from './readers.ts';
import type { Service } from './service.ts';
import type { Session } from './session.ts';
import { bland } from './warden.ts';
import type { InstanceId, InstanceSummary, Methods, PeerId } from './wire.ts';

/** Instances per answer to `list`. */
const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;

export class HostMethods {
  readonly #host: Host;
  readonly #options: HostOptions;

  constructor(host: Host, options: HostOptions) {
    this.#host = host;
    this.#options = options;
  }

  serve(service: Service<Session>): void {
    service.serveAtOnce('send', (params, session, id) => {
      const sent = readParams('send', params);
      this.#host.source(sent[0]).submit(session, id, session.remote, sent);
    });
    service.serveNotice('send', (params, session) => {
      const sent = readParams('send', params);
      const source = this.#host.find(sent[0]) ?? this.#host.branches.get(sent[0]);
      const asker = source?.room.asker(session);
      // Whoever is no member, or was one of the process before this one, has nobody to wait for; its mirror asks again.
      if (source !== undefined && asker !== undefined) source.submit(asker, sent[1], session.remote, sent);
    });
    service.serveAtOnce('watch', (params, session, id) => {
      const asked = readParams('watch', params);
      const { instance, session: meant } = asked;
      // Its other messages under way may name rooms of the one before, by numbers that are those of other rooms here.
      if (meant !== undefined && meant !== this.#options.session())
        throw new LockstepError(
          'UNREACHABLE',
          `the link of ${this.#host.hosting.self} that was asked is gone, and this one is new; ask again`,
        );
      if (this.#host.succession.hold(instance, session, () => this.#watch(instance, session, id, asked))) return;
      this.#host.readers(instance).watch(session, id, asked);
    });
    service.serve('unwatch', (params, session) => {
      const { room, instance } = readParams('unwatch', params);
      const source = this.#host.room(room);
      if (instance === undefined || instance === source?.record.instance) source?.room.leave(session);
      return { room };
    });
    service.serve('vouch', (params, session) => {
      const { instance, peer } = readParams('vouch', params);
      this.#mustTrust(session);
      return this.#host.readers(instance).vouch(session, peer);
    });
    service.serveAtOnce('forward', (params, session, id) => {
      const [instance, peer, ...sent] = readParams('forward', params);
      this.#mustSpeakFor(this.#host.readers(instance), session, peer);
      this.#host.source(instance).submit(session, id, peer, [instance, ...sent]);
    });
    service.serve('standby', async (params, session) => {
      this.#mustTrust(session);
      const { record, readers } = this.#host.authority(readParams('standby', params).instance);
      return { ...(await readers.standby(session)), lineage: this.#host.succession.lineage(record.instance) };
    });
    service.serve('attend', (params, session) => this.#host.readers(readParams('attend', params).instance).attend(session));
    service.serve('here', (params, session) => {
      const { instance, data, of = session.remote } = readParams('here', params);
      const readers = this.#host.readers(instance);
      if (of !== session.remote) this.#mustSpeakFor(readers, session, of);
      return readers.here(session, of, data);
    });
    service.serve('take', (params, session) => this.#host.succession.take(readParams('take', params), session));
    service.serve('where', (params) => this.#host.succession.where(readParams('where', params).instance));
    service.serveNotice('sender', (params, session) => this.#host.succession.sender(session.remote, readNotice('sender', params)));
    service.serveNotice('ordered', (params, session) => {
      const failed = (error: unknown): void => this.#options.report('error', 'an instance that is ordered elsewhere', error);
      this.#host.succession.ordered(session, readNotice('ordered', params)).catch(failed);
    });
    service.serve('define', (params) => this.#host.define(readParams('define', params)));
    service.serve('create', (params, { remote }) => this.#host.create(readParams('create', params), remote));
    service.serve('get', (params, session) => this.#get(readParams('get', params), session));
    service.serve('grow', (params, { remote }) => this.#grow(readParams('grow', params), remote));
    service.serve('can', (params, { remote }) => this.#can(readParams('can', params), remote));
    service.serve('list', (params, session) => this.#list(readParams('list', params), session));
    service.serve('delete', (params, { remote }) => this.#delete(readParams('delete', params), remote));
  }

  #mustSpeakFor(readers: Readers | Branch, session: Session, peer: PeerId): void {
    this.#mustTrust(session);
    // On an earlier link it was; what is under way there must not be overtaken.
    if (!readers.isBehind(session, peer)) throw new LockstepError('UNREACHABLE', `${session.remote} has not vouched for ${peer}`);
  }

  /** One who has waited. */
  #watch(instance: InstanceId, session: Session, id: RequestId, asked: Omit<Methods['watch']['params'], 'instance'>): void {
    try {
      this.#host.readers(instance).watch(session, id, asked);
    } catch (error) {
      session.refuse(id, error as LockstepError);
    }
  }

  #mustTrust({ remote }: Session): void {
    if (!this.#options.trusts(remote)) throw new LockstepError('FORBIDDEN', `this peer does not take the word of ${remote} for others`);
  }

  async #get(params: Methods['get']['params'], session: Session): Promise<Methods['get']['result']> {
    if ('instance' in params) {
      const described = await this.#host.readers(params.instance).describe(session.remote, params.view);
      this.#options.answers.take(session, described);
      return this.#host.durable(() => described);
    }
    const { image } = params;
    const bytes = this.#mayHave(image, session) ? this.#options.machines.image(image) : undefined;
    const found = bytes ?? this.#host.branches.image(image);
    if (found === undefined) throw new LockstepError('UNKNOWN_IMAGE', `no image ${image} is published here`);
    return { image, bytes: encodeBase64(found) };
  }

  /** An image tells every state, event and function: where its instances are guarded, it is for those who may see one of them whole. */
  #mayHave(image: string, session: Session): boolean {
    const { warden } = this.#host.hosting;
    if (warden.isOwn(session.remote) || warden.isOpen(image)) return true;
    return [...this.#host.authorities.values()].some(({ readers }) => readers.mayHaveImage(image, session.remote));
  }

  /** Asked again, it is answered again. */
  async #grow({ instance: id }: Methods['grow']['params'], peer: PeerId): Promise<Methods['grow']['result']> {
    if (this.#host.find(id) === undefined && this.#host.branches.get(id) !== undefined)
      throw new LockstepError('UNSUPPORTED', `${id} is passed on here; who orders it is to be asked for another schema`);
    const authority = this.#host.authority(id);
    while (authority.tenure.isHeld) await authority.tenure.released();
    if (!authority.allows(peer, 'grow')) throw new LockstepError('FORBIDDEN', `the schema of ${id} is not for this writer to set`);
    const machine = this.#options.machines.get(authority.record.machine);
    if (machine.hash !== authority.record.image) {
      try {
        await this.#host.grow(authority, machine);
      } catch (error) {
        throw error instanceof LockstepError && !authority.readers.tellsAll(peer) ? bland(error) : error;
      }
    }
    const { seq, epoch, record } = authority;
    return this.#host.durable(() => ({ instance: record.instance, epoch, seq }));
  }

  async #can({ instance, event }: Methods['can']['params'], peer: PeerId): Promise<boolean> {
    const answer = await this.#host.source(instance).can(peer, event);
    return this.#host.durable(() => answer);
  }

  #list({ after = '', limit = PAGE_DEFAULT, machine }: Methods['list']['params'], session: Session): Promise<Methods['list']['result']> {
    const { remote: peer } = session;
    const { warden } = this.#host.hosting;
    const names = [...this.#host.authorities.keys()].filter((name) => name > after).sort();
    const instances: InstanceSummary[] = [];
    let more = false;
    for (const name of names) {
      const authority = this.#host.authorities.get(name);
      if (
        authority === undefined ||
        authority.tenure.instance === undefined ||
        (machine !== undefined && authority.record.machine !== machine)
      )
        continue;
      const summary = this.#summaryFor(authority, peer);
      if (summary === undefined) continue;
      more = instances.length >= Math.min(limit, PAGE_MAX);
      if (more) break;
      instances.push(summary);
    }
    // Counted when it is made: many are made before the first is durable.
    const listed = this.#options.answers.take(session, { machines: warden.list(peer), instances, more });
    return this.#host.durable(() => listed);
  }

  /** Nothing when it is not for this reader. */
  #summaryFor(authority: Authority, peer: PeerId): InstanceSummary | undefined {
    try {
      return authority.readers.summary(peer);
    } catch (error) {
      if (error instanceof LockstepError && error.code === 'FORBIDDEN') return undefined;
      throw error;
    }
  }

  async #delete({ instance }: Methods['delete']['params'], peer: PeerId): Promise<Methods['delete']['result']> {
    const authority = this.#host.authority(instance);
    if (!authority.allows(peer, 'delete')) throw new LockstepError('FORBIDDEN', `${instance} is not for this writer to delete`);
    await this.#host.delete(authority);
    return { instance: authority.record.instance };
  }
}
