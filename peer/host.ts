// The instances of which this peer is the authority, and those that it passes on, by name: how they come back from the journal, are created,
// found and deleted. An instance is here from the moment its creation is handed to the journal; what is told about it waits until that is
// durable. What others may ask of them is host-methods.ts. Over 400 lines because every way in which a name comes to be taken is here.

import { errorJson, type ActorRunner } from '../core/children.ts';
import { LockstepError } from '../core/errors.ts';
import { Instance } from '../core/instance.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import type { ChildStart } from '../core/request.ts';
import { plain } from '../core/plain.ts';
import type { Answers } from './answers.ts';
import { Authority } from './authority.ts';
import type { Branch } from './branch.ts';
import { Branches, type Offered } from './branches.ts';
import type { RoomNames } from './codec-packed.ts';
import { Committer } from './commit.ts';
import { Definitions } from './definitions.ts';
import type { Environment } from './environment.ts';
import { Guests } from './guests.ts';
import { childName, HostedActors, type ChildTold, type HostedChild, type HostsChildren } from './hosted-actors.ts';
import type { Hosting, Touched } from './hosting.ts';
import { hostedId, ownerOf } from './identity.ts';
import type { InstanceRecord, Journal, StoredInstance } from './journal.ts';
import type { Lineage } from './lineage.ts';
import type { Report } from './log.ts';
import type { Machines } from './machines.ts';
import type { Readers } from './readers.ts';
import { recover } from './recovery.ts';
import { retrace } from './retrace.ts';
import { RoomNumbers } from './room-numbers.ts';
import type { RoomPort } from './channel.ts';
import { SeenEvents } from './seen.ts';
import { SendingOn, type SendingOnOptions } from './sending-on.ts';
import type { Session } from './session.ts';
import { type Fork, Succession } from './succession.ts';
import { nobody, type Tracer } from './tracer.ts';
import { bland, Warden } from './warden.ts';
import type { InstanceId, Methods, PeerId } from './wire.ts';

/** Instances per page of the journal. */
const PAGE_MAX = 1_000;
/** Two peers that take an instance over at the same moment, from the same epoch, have one of so many each. */
const EPOCH_CHANCE = 1_000;

export interface HostOptions {
  readonly environment: Environment;
  readonly journal: Journal;
  readonly machines: Machines;
  readonly rooms: RoomPort;
  readonly answers: Answers;
  readonly tracer: Tracer;
  /** The number of this peer's link at the relay. */
  session(): number;
  /** Who the relay says that a peer is. */
  readonly authOf: (peer: PeerId) => Json | undefined;
  readonly report: Report;
  readonly isServer: boolean;
  /** Whether others may define machines here. */
  readonly acceptsDefinitions: boolean;
  readonly actors: ActorRunner | undefined;
  trusts(peer: PeerId): boolean;
  sessionWith(peer: PeerId): Session;
  server(): PeerId | undefined;
  /** Another peer orders it from now on, or this one does. */
  located(instance: InstanceId, peer: PeerId): void;
  /** This peer has given way. */
  fenced(fork: Fork): void;
  emitted(instance: InstanceId, event: EventObject): void;
  /** A mirror of an instance that another peer orders now. */
  readonly watch: SendingOnOptions['watch'];
  /** Sends what was posted. */
  flush(): void;
}

/** Where an instance can be watched, and its events are sent. */
export type Source = Authority | Branch;

export class Host implements HostsChildren {
  readonly #options: HostOptions;
  readonly #committer: Committer;
  readonly #definitions: Definitions;
  readonly authorities = new Map<InstanceId, Authority>();
  readonly #rooms = new RoomNumbers<Source>();
  /** What others order and is passed on here. */
  readonly branches = new Branches(this.#rooms);
  /** Instances in the journal that could not be brought back, with the reason. */
  readonly #broken = new Map<InstanceId, LockstepError>();
  readonly succession: Succession;
  readonly #guests = new Guests();
  readonly #sendingOn: SendingOn;
  #touched = new Set<Touched>();
  #stored: readonly StoredInstance[] = [];
  #hosting: Hosting | undefined;
  #closed: LockstepError | undefined;
  /** Of the newest instance. */
  #epoch = 0;

  constructor(options: HostOptions) {
    this.#options = options;
    const { journal, machines, environment, report } = options;
    this.#committer = new Committer({ journal, environment, report, afterBatch: () => this.#afterBatch() });
    this.#definitions = new Definitions({ journal, machines, committer: this.#committer });
    this.#sendingOn = new SendingOn(options);
    this.succession = new Succession({
      hosting: () => this.hosting,
      machines,
      find: (instance) => this.find(instance),
      authority: (instance) => this.authority(instance),
      guests: this.#guests,
      keep: (authority) => {
        this.#keep(authority);
        this.branches.end(authority.record.instance);
      },
      drop: (authority) => this.#drop(authority),
      room: () => this.#rooms.next(),
      epoch: (above) => this.#newEpoch(Math.max(above, options.environment.now()) + (options.environment.random() % EPOCH_CHANCE)),
      trusts: (peer) => options.trusts(peer),
      located: (instance, peer) => options.located(instance, peer),
      fenced: (fork) => options.fenced(fork),
    });
  }

  // ── Beginning and end ──────────────────────────────────────────────────────────────────────────────────────────

  /** Reads the journal. Instances begin to live with `begin`. @throws LockstepError STORAGE, CORRUPT when it cannot be read at all. */
  async read(): Promise<void> {
    const { journal } = this.#options;
    await this.#definitions.read();
    const stored: StoredInstance[] = [];
    for (let after = ''; ;) {
      const page = await journal.list({ after, limit: PAGE_MAX });
      for (const { instance } of page) {
        try {
          const one = await journal.read(instance);
          if (one !== undefined) stored.push(one);
        } catch (error) {
          this.#break(instance, error);
        }
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_MAX) break;
      after = last.instance;
    }
    for (const { record } of stored) await this.#definitions.pin(record);
    this.succession.remember(await journal.moved());
    this.#stored = stored;
  }

  /** This peer knows its name: instances from the journal come back to life, timers are armed. */
  begin(self: PeerId): void {
    if (this.#hosting !== undefined) return;
    const { environment, journal, machines, rooms, answers, report, tracer, authOf } = this.#options;
    this.#hosting = {
      environment,
      journal,
      committer: this.#committer,
      rooms,
      answers,
      another: (instance) => this.#rooms.another(this.source(instance)),
      dropped: (room) => this.#rooms.end(room),
      warden: new Warden({ self, authOf, report, machines }),
      report,
      self,
      traced: (record, isFor) => tracer.record(record, isFor),
      touched: (authority) => void this.#touched.add(authority),
      actorsOf: (record) => new HostedActors(this, record, this.#options.actors),
      emitted: (instance, event) => this.#options.emitted(instance, event),
      sendOn: (instance, event) => this.#sendingOn.send(instance, event),
      sessionWith: (peer) => this.#options.sessionWith(peer),
      server: () => this.#options.server(),
    };
    // What was deleted may have had an epoch ahead of the clock, and no journal knows it any more.                      (SYNC-12)
    if (this.#definitions.isAny) this.#epoch = environment.now() + EPOCH_CHANCE;
    for (const stored of this.#stored) this.#restore(this.#hosting, stored);
    this.#retrace(this.#hosting);
    this.#stored = [];
    for (const authority of [...this.authorities.values()]) authority.family.restart();
    for (const { machine } of machines.list()) {
      this.published(machine).catch((error: unknown) => report('error', `machine "${machine}" is not in the journal`, error));
    }
  }

  #restore(hosting: Hosting, stored: StoredInstance): void {
    const { record, steps } = stored;
    try {
      const bytes = this.#options.machines.image(record.image);
      if (bytes === undefined)
        throw new LockstepError('CORRUPT', `the journal does not have the image ${record.image} of ${record.instance}`);
      const machine = this.#options.machines.pinned(record.machine, bytes);
      const recovered = recover(machine, stored);
      const { giver, givenFrom, seq = 0, untold = [] } = (steps.length > 0 ? undefined : stored.checkpoint) ?? {};
      const lineage: Lineage = givenFrom === undefined ? [] : [[givenFrom, seq]];
      if (giver !== undefined) return this.succession.doubt({ record, recovered, giver, lineage, untold });
      this.#epoch = Math.max(this.#epoch, recovered.epoch);
      this.#keep(new Authority(hosting, { record, room: this.#rooms.next(), recovered, steps, base: stored.checkpoint }));
      this.#options.located(record.instance, hosting.self);
    } catch (error) {
      this.#break(record.instance, error);
    }
  }

  /** Its trace goes on from before it was started. Who might see a step of a guarded instance when it was made is not known any more. (TOOL-21) */
  #retrace({ self, warden }: Hosting): void {
    const here = this.#stored.filter(({ record }) => this.authorities.has(record.instance));
    for (const record of retrace(here, self)) this.#options.tracer.record(record, warden.guards(record.machine) ? nobody : undefined);
  }

  #break(instance: InstanceId, error: unknown): void {
    const reason = error instanceof LockstepError ? error : new LockstepError('CORRUPT', String(error), { cause: error });
    this.#broken.set(instance, reason);
    this.#options.report('error', `instance ${instance} cannot be brought back`, reason);
  }

  #keep(authority: Authority): void {
    const { instance } = authority.record;
    this.authorities.set(instance, authority);
    if (!this.#isHome(instance)) this.#guests.add(authority);
    this.#rooms.keep(authority);
  }

  #isHome(instance: InstanceId): boolean {
    const owner = ownerOf(instance);
    return owner === null ? this.#options.isServer : owner === this.#hosting?.self;
  }

  #drop(authority: Authority): void {
    this.authorities.delete(authority.record.instance);
    this.#guests.delete(authority);
    this.#rooms.drop(authority);
  }

  /** Resolves when all that was begun is written or refused; then nothing lives any more. */
  async close(): Promise<void> {
    await this.durable(() => undefined).catch(() => undefined);
    this.#closed = new LockstepError('CLOSED', 'this peer is closing');
    for (const authority of this.authorities.values()) authority.close(this.#closed);
    this.authorities.clear();
    this.succession.close();
    this.#sendingOn.close();
    this.branches.close();
  }

  #afterBatch(): void {
    const touched = [...this.#touched];
    this.#touched = new Set();
    for (const authority of touched) authority.afterBatch();
    this.#options.tracer.publish();
    this.#options.flush();
    for (const authority of touched) authority.runEffects();
  }

  // ── What is here ───────────────────────────────────────────────────────────────────────────────────────────────

  /** By its number. */
  room(number: number): Source | undefined {
    return this.#rooms.get(number);
  }

  /** What the numbers in a room stand for. */
  names(room: number): RoomNames | undefined {
    const source = this.#rooms.get(room);
    return source === undefined ? undefined : { instance: source.record.instance, machine: source.machine };
  }

  /** Passes on what a mirror hears. @returns what ends it. @throws LockstepError EXISTS */
  offer(mirror: Offered, admits: (peer: PeerId) => boolean): () => void {
    if (this.find(mirror.id) !== undefined) throw new LockstepError('EXISTS', `${mirror.id} is ordered here`);
    if (mirror.isGuarded) throw new LockstepError('FORBIDDEN', `${mirror.id} is not for everyone, so it is not passed on`);
    return this.branches.offer(this.hosting, mirror, admits);
  }

  /** Whether it is ordered here, or was and is elsewhere now. */
  has(instance: InstanceId): boolean {
    return this.authorities.has(instance) || this.succession.elsewhere(instance) !== undefined;
  }

  async define(params: Methods['define']['params']): Promise<Methods['define']['result']> {
    if (!this.#options.acceptsDefinitions) throw new LockstepError('FORBIDDEN', 'this peer takes no definitions from others');
    this.hosting.warden.mayDefine(params.machine);
    const machine = this.#definitions.define(params);
    await this.published(params.machine);
    return { machine: params.machine, image: machine.hash };
  }

  /** Sees to it that the journal knows what a machine's name means now. */
  published(name: string): Promise<void> {
    const { hash } = this.#options.machines.get(name);
    this.#policed();
    return this.#hosting === undefined ? Promise.resolve() : this.#definitions.write(name, hash);
  }

  /** Who watched a machine before it had authorizers asks again. */
  #policed(): void {
    for (const { record, room } of this.authorities.values()) if (this.#hosting?.warden.guards(record.machine) === true) room.admitAnew();
  }

  /**
   * Sees to it that an instance is ordered here: created, unless the journal has it.
   * @param instance as for hostedId. @returns its id. @throws LockstepError as create; CORRUPT when the journal has it and cannot bring it back.
   */
  async open(instance: string, machine: string, input: Json | undefined): Promise<InstanceId> {
    const id = hostedId(instance, this.hosting.self, this.#options.isServer);
    const broken = this.#broken.get(id);
    if (broken !== undefined) throw broken;
    if (!this.has(id)) await this.create({ machine, instance: id, ...(input === undefined ? {} : { input }) });
    return id;
  }

  /** @param peer for whom; the program of this peer unless given. */
  create({ machine: name, instance, input: given }: Methods['create']['params'], peer?: PeerId): Promise<Methods['create']['result']> {
    const { environment, isServer } = this.#options;
    const { self, warden } = this.hosting;
    this.#options.machines.get(name);
    const input = given === undefined ? undefined : plain(given, '/input', 1);
    const id = hostedId(instance ?? `${name}-${environment.random().toString(36)}`, self, isServer);
    if (!warden.mayCreate(name, id, peer ?? self, input)) throw new LockstepError('FORBIDDEN', `${id} is not for this writer to create`);
    if (this.has(id) || this.#broken.has(id)) throw new LockstepError('EXISTS', `there is an instance ${id} already`);
    return new Promise((resolve, reject) => {
      const { authority, epoch } = this.#fresh(id, name);
      try {
        this.#start(authority, input, { durable: (seq) => resolve({ instance: id, epoch, seq }), failed: reject });
      } catch (error) {
        throw warden.guards(name) && !warden.isOwn(peer ?? self) && error instanceof LockstepError ? bland(error) : error;
      }
    });
  }

  #fresh(id: InstanceId, name: string): { readonly authority: Authority; readonly epoch: number } {
    const machine = this.#options.machines.get(name);
    // A name may be used again within the same millisecond.
    const epoch = this.#newEpoch(0);
    const recovered = { instance: Instance.create(machine), epoch, seen: new SeenEvents(), at: 0 };
    const record: InstanceRecord = { instance: id, machine: name, image: machine.hash };
    return { authority: new Authority(this.hosting, { record, room: this.#rooms.next(), recovered, steps: [] }), epoch };
  }

  #newEpoch(above: number): number {
    return (this.#epoch = Math.max(this.#options.environment.now(), this.#epoch + 1, above + 1));
  }

  /** @throws what the first step throws: there is no such instance then. */
  #start(authority: Authority, input: Json | undefined, told: { durable(seq: number): void; failed(error: LockstepError): void }): void {
    const { record } = authority;
    const failed = (error: LockstepError): void => {
      this.#drop(authority);
      told.failed(error);
    };
    try {
      authority.create(input, this.#definitions.missing(record), { durable: (seq) => told.durable(seq), failed });
      this.#keep(authority);
    } catch (error) {
      authority.close(new LockstepError('UNKNOWN_INSTANCE', `${record.instance} was not created`));
      throw error;
    }
  }

  /** Goes on with its machine's schema of now, under a new epoch. @throws as Passage.grow */
  async grow(authority: Authority, machine: Machine): Promise<void> {
    const before = authority.epoch;
    await authority.passage.grow(machine, this.#newEpoch(before));
    this.succession.grew(authority.record.instance, before, authority.seq);
  }

  /** Resolves when it is gone for good. @throws LockstepError as Tenure.running; STORAGE: it stays */
  delete(authority: Authority): Promise<void> {
    return new Promise((resolve, reject) => {
      const durable = (): void => {
        this.#drop(authority);
        resolve();
      };
      authority.delete({ durable, failed: reject });
    });
  }

  // ── Instances of child machines ────────────────────────────────────────────────────────────────────────────────

  get canCompile(): boolean {
    return this.#options.machines.canCompile;
  }

  child(parent: InstanceRecord, { id: childId, src, input }: ChildStart, logic: unknown, told: ChildTold, isRestart: boolean): HostedChild {
    const id = hostedId(childName(parent.instance, childId), this.hosting.self, this.#options.isServer);
    const there = this.authorities.get(id);
    const broken = this.#broken.get(id);
    if (broken !== undefined) throw broken;
    if (there !== undefined && isRestart) {
      there.family.adopt(told);
      there.family.begin(input);
      return this.#hostedChild(there);
    }
    if (there !== undefined) this.#remove(there);
    const { authority } = this.#fresh(id, this.#options.machines.ofChild(parent.machine, src, logic));
    authority.family.adopt(told);
    this.#start(authority, input, { durable: () => undefined, failed: (error) => told.failed(errorJson(error)) });
    authority.family.begin(input);
    return this.#hostedChild(authority);
  }

  #hostedChild(authority: Authority): HostedChild {
    return { send: (event) => authority.tell(event), stop: () => this.#remove(authority) };
  }

  /** From here on its name is free; the journal hears of both in this order. */
  #remove(authority: Authority): void {
    const { instance } = authority.record;
    if (this.authorities.get(instance) !== authority) return;
    this.#drop(authority);
    const failed = (error: LockstepError): void => this.#options.report('error', `the child ${instance} was not deleted`, error);
    try {
      authority.delete({ durable: () => undefined, failed });
    } catch (error) {
      this.#options.report('error', `the child ${instance} cannot be deleted now`, error);
    }
  }

  /** What was read, once everything that it shows is durable. */
  durable<T>(read: () => T): Promise<T> {
    return new Promise((resolve, reject) => this.#committer.add({ entries: [], durable: () => resolve(read()), failed: reject }));
  }

  /** Where it can be watched here. @throws as #authority */
  source(instance: InstanceId): Source {
    return this.find(instance) ?? this.branches.get(instance) ?? this.authority(instance);
  }

  /** Those who read it here. @throws as `source` */
  readers(instance: InstanceId): Readers | Branch {
    const source = this.source(instance);
    return source instanceof Authority ? source.readers : source;
  }

  authority(instance: InstanceId): Authority {
    const authority = this.find(instance);
    if (authority !== undefined) return authority;
    const owner = ownerOf(instance);
    // What is at home elsewhere could be here, and is not.
    const isForeign = owner !== null && owner !== this.hosting.self;
    const isAway = isForeign || this.succession.elsewhere(instance) !== undefined;
    const id = isAway ? instance : hostedId(instance, this.hosting.self, this.#options.isServer);
    const moved = this.succession.elsewhere(id);
    if (moved !== undefined) throw new LockstepError('FENCED', `${id} is ordered by ${moved.peer} now, in epoch ${moved.epoch}`);
    throw this.#broken.get(id) ?? new LockstepError('UNKNOWN_INSTANCE', `there is no instance ${id} here`);
  }

  find(instance: InstanceId): Authority | undefined {
    const { self } = this.hosting;
    const named = this.authorities.get(instance);
    if (named !== undefined) return named;
    const owner = ownerOf(instance);
    return owner !== null && owner !== self ? undefined : this.authorities.get(hostedId(instance, self, this.#options.isServer));
  }

  get hosting(): Hosting {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#hosting === undefined) throw new LockstepError('UNREACHABLE', 'this peer has not begun to host yet');
    return this.#hosting;
  }
}
