// A peer: one link to a relay, a session with everyone it talks to, the instances it is the authority of, and the mirrors of those it is
// not. Nothing of it knows where it runs: clock, dice, timers, link, journal, compiler and evaluator are given to it. Over 400 lines because
// it is where all of them meet.

import type { Subscription } from '../core/actor.ts';
import { LockstepError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import type { Asking } from './asking.ts';
import { type Message, type Notice, readNotice } from './codec-json.ts';
import { Connection } from './connection.ts';
import { Directory, type Presence } from './directory.ts';
import { ownerOf, roomAddress } from './identity.ts';
import type { Report } from './log.ts';
import { Machines } from './machines.ts';
import type { AnyMirror, Mirror, MirrorOf } from './mirror.ts';
import { Mirrors } from './mirrors.ts';
import { Opening } from './opening.ts';
import { helloOf, type OfferOptions, type PeerOptions, type WatchOptions } from './options.ts';
import { Questions } from './questions.ts';
import { Reception } from './reception.ts';
import { Session, type SessionOptions } from './session.ts';
import { nobody, Tracer } from './tracer.ts';
import type { DivergenceRecord, InstanceId, Methods, PeerId, PeerInfo } from './wire.ts';

export type { PeerOptions } from './options.ts';

/** How far apart the numbers of questions of two links begin: an answer to a link that is no more finds nobody who asked. */
const QUESTIONS_PER_LINK = 1000;
/** Questions that leave with hello begin at a random number from here to twice as much. */
const EARLY_QUESTIONS = 2 ** 32;

function cannotAsk(error: unknown): never {
  throw new LockstepError('INTERNAL', 'what asks other peers cannot be loaded', { cause: error });
}

export class Peer {
  readonly machines: Machines;
  readonly tracer: Tracer;
  readonly #options: PeerOptions;
  readonly #connection: Connection;
  readonly #reception: Reception;
  readonly #directory: Directory;
  readonly #sessions = new Map<PeerId, Session>();
  readonly #shared: SessionOptions;
  readonly #mirrors: Mirrors;
  /** Who orders an instance that is at home elsewhere. */
  readonly #located = new Map<InstanceId, PeerId>();
  /** Once something was asked of others. */
  #asking: Asking | undefined;
  readonly #opening: Opening;
  readonly #questions = new Questions();
  #isClosed = false;

  /**
   * Reads its journal, then connects, and stays connected until it is closed.
   * @throws LockstepError as `machines.add`, for one of `options.machines`.
   */
  constructor(options: PeerOptions) {
    this.#options = options;
    const report: Report = options.report ?? (() => undefined);
    this.#directory = new Directory(report);
    this.machines = new Machines({
      core: options.core,
      wholeCore: options.wholeCore,
      binding: options.binding,
      compile: options.compile,
      watcher: options.development?.((impurity, message) =>
        // It names a function: not for everyone where there are machines that are not.
        this.tracer.tell({ kind: 'impurity', peer: this.id ?? '', impurity }, message, this.machines.hasPolicies ? nobody : undefined),
      ),
      report,
      added: (name) => this.#reception.published(name),
    });
    this.#mirrors = new Mirrors({
      environment: options.environment,
      core: options.core,
      sights: options.sights ?? (() => import('./sight-replica.ts')),
      machines: this.machines,
      report,
      address: (instance) => this.#address(instance),
      session: (address) => this.#sessionFor(address),
      keep: options.keep,
      packed: () => this.#connection.packed,
      asksPacked: () => this.#connection.asksPacked,
      mode: options.mode ?? 'brief',
      self: () => this.id,
      traced: (peer, notice) => this.#noticed(this.#session(peer), notice),
      located: (instance, peer) => void this.#located.set(instance, peer),
      diverged: (record, isGuarded) => this.#diverged({ kind: 'divergence', peer: this.#self(), ...record }, isGuarded),
    });
    this.#connection = new Connection({
      environment: options.environment,
      dial: options.dial,
      hello: helloOf(options),
      packed: options.packed,
      names: (room) => this.#reception.names(room),
      events: {
        resuming: () => this.#resuming(),
        opened: () => this.#opened(),
        lost: (error) => this.#lost(error),
        failed: (error) => this.#failed(error),
        messages: (sender, messages) => this.#received(sender, messages),
      },
      rooms: this.#mirrors,
    });
    this.#shared = {
      environment: options.environment,
      outbox: this.#connection.outbox,
      requested: (...request) => this.#reception.handle(...request),
      timeoutMs: () => this.#timeoutMs(),
      noticed: (from, notice) => this.#noticed(from, notice),
      questions: this.#questions,
      // Before hello is answered, only earlier links are known.
      sessionOf: (remote) => (this.#connection.isOpen ? this.#directory.session(remote) : undefined),
    };
    this.#opening = new Opening(options.environment, () => this.#connection.isOpen);
    this.tracer = new Tracer(report);
    const bring = (): ReturnType<PeerOptions['serving']> =>
      options.serving({
        environment: options.environment,
        journal: options.journal,
        machines: this.machines,
        connection: this.#connection,
        tracer: this.tracer,
        report,
        isServer: options.kind === 'server',
        acceptsDefinitions: options.acceptsDefinitions ?? false,
        evaluate: options.evaluate,
        allowEval: options.allowEval,
        authOf: (peer) => this.#directory.auth(peer),
        session: () => this.#connection.hello().session,
        actors: options.actors,
        trusts: options.trusts ?? (() => false),
        sessionWith: (peer) => this.#session(peer),
        server: () => this.#serverId(),
        located: (instance, peer) => this.#locate(instance, peer),
        fenced: options.fenced ?? (() => undefined),
        emitted: options.emitted ?? (() => undefined),
        watch: (instance) => this.watch(instance, undefined, { isPatient: true }),
        flush: () => this.#connection.outbox.flush(),
      });
    this.#reception = new Reception(bring, report);
    for (const [name, source] of Object.entries(options.machines ?? {})) this.machines.add(name, source);
    this.#restore().then(
      () => this.#connection.connect(),
      (error: unknown) =>
        this.#failed(error instanceof LockstepError ? error : new LockstepError('STORAGE', String(error), { cause: error })),
    );
  }

  /** What a journal holds is here before anybody can ask for it. */
  async #restore(): Promise<void> {
    if (this.#options.journal === undefined) return;
    const { host } = await this.#reception.get();
    await host.read();
  }

  /** This peer's name, as the relay knows it. @throws LockstepError when the relay refuses it, or it is closed first. */
  get ready(): Promise<PeerId> {
    return this.#opening.wait(Infinity).then(() => this.#self());
  }

  /** Undefined until the relay said it. */
  get id(): PeerId | undefined {
    return this.#connection.self;
  }

  get isConnected(): boolean {
    return this.#connection.isOpen;
  }

  // ── Other peers ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Everyone connected, this peer included. */
  peers(): readonly PeerInfo[] {
    return this.#directory.list();
  }

  onPresence(observer: (presence: Presence) => void): Subscription {
    return this.#directory.observe(observer);
  }

  /** Dials now instead of waiting: the platform says that the network is back. */
  reconnectNow(): void {
    this.#connection.connect();
  }

  /** Follows what a peer does. @param backlog how many of its newest steps to hear first. @throws LockstepError UNREACHABLE, FORBIDDEN */
  async trace(...asked: Parameters<Asking['trace']>): Promise<Subscription> {
    return (await this.#asks()).trace(...asked);
  }

  /** Has a peer that opted in run a line of its REPL. @throws LockstepError FORBIDDEN when it did not opt in. */
  async evaluate(peer: PeerId, source: string): Promise<string> {
    return (await this.#asks()).evaluate(peer, source);
  }

  // ── Machines and instances ─────────────────────────────────────────────────────────────────────────────────────

  /** Defines a machine at the server, or at `peer`. @throws LockstepError FORBIDDEN, BAD_DEFINITION, UNSUPPORTED, BAD_IMAGE; NOT_JSON */
  async define(...asked: Parameters<Asking['define']>): Promise<Methods['define']['result']> {
    return (await this.#asks()).define(...asked);
  }

  /** Creates an instance at the server, or at `peer`. @throws LockstepError UNKNOWN_MACHINE, EXISTS, HOST_THREW, NOT_JSON, STORAGE … */
  async create(...asked: Parameters<Asking['create']>): Promise<Methods['create']['result']> {
    return (await this.#asks()).create(...asked);
  }

  /** @throws LockstepError UNKNOWN_INSTANCE, UNREACHABLE */
  async get(...asked: Parameters<Asking['get']>): Promise<Methods['get']['result']> {
    return (await this.#asks()).get(...asked);
  }

  /**
   * The bytes of an image that the server, or `peer`, publishes: also one that an instance ran before its schema grew.
   * @throws LockstepError UNKNOWN_IMAGE, also when it is not for this peer; BAD_IMAGE, UNREACHABLE
   */
  async image(...asked: Parameters<Asking['image']>): Promise<Uint8Array> {
    return (await this.#asks()).image(...asked);
  }

  /** What the server, or `peer`, has. */
  async list(...asked: Parameters<Asking['list']>): Promise<Methods['list']['result']> {
    return (await this.#asks()).list(...asked);
  }

  async delete(instance: InstanceId): Promise<void> {
    return (await this.#asks()).delete(instance);
  }

  /** What asks all this; brought in unless it is here. @throws LockstepError INTERNAL when it cannot be had, now. */
  async #asks(): Promise<Asking> {
    if (this.#asking !== undefined) return this.#asking;
    const brought = await (this.#options.asking?.() ?? import('./asking.ts').catch(cannotAsk));
    return (this.#asking ??= new brought.Asking({
      reach: (peer) => this.#reach(peer),
      session: (peer) => this.#session(peer),
      hashBytes: this.machines.hashBytes,
    }));
  }

  /**
   * A mirror of an instance, shared by all who watch it here; `stop()` it when done.
   * @param machine the author's machine object, whose functions let the mirror predict; those that are registered here otherwise.
   * @throws LockstepError UNKNOWN_INSTANCE, UNREACHABLE, FORBIDDEN …: there is no mirror then.
   */
  async watch<TMachine>(instance: InstanceId, machine?: TMachine, options: WatchOptions = {}): Promise<MirrorOf<TMachine>> {
    if (this.#isClosed) throw new LockstepError('CLOSED', 'this peer is closed');
    const { isPatient = false, sources = [], view, ...filter } = options;
    const seen = { view, filter: Object.keys(filter).length === 0 ? undefined : filter };
    return (await this.#mirrors.watch(instance, { definition: machine, isPatient, sources, ...seen })) as unknown as MirrorOf<TMachine>;
  }

  /**
   * Makes this peer a source of what a mirror hears: others watch it here by naming this peer among their `sources`. The mirror may be one of
   * another peer in this program, on another relay. It goes on until the mirror ends or the subscription does. (docs/topologies.md)
   * @throws LockstepError EXISTS when it is passed on already, or ordered right here; CLOSED; FORBIDDEN when not everyone may see it.
   */
  async offer(mirror: AnyMirror, options: OfferOptions = {}): Promise<Subscription> {
    await this.ready;
    const { host } = await this.#reception.get();
    const end = host.offer(mirror, options.to ?? (() => true));
    return { unsubscribe: end };
  }

  /**
   * Makes this peer the authority of an instance, created unless its journal has it, and watches it.
   * @param machine a name in `machines`. @param instance without owner; it becomes `<this peer>/instance` unless this is the server.
   * @throws LockstepError UNKNOWN_MACHINE, HOST_THREW, STORAGE …; CORRUPT when its journal has it and cannot bring it back.
   */
  async host(instance: string, machine: string, input?: Json): Promise<Mirror> {
    await this.ready;
    const { host } = await this.#reception.get();
    return this.watch(await host.open(instance, machine, input));
  }

  /**
   * Hands an instance that is ordered here over to another peer. Resolves when that one orders it: nothing that was answered is lost.
   * @throws LockstepError as Succession.handOver; it stays here then. (docs/topologies.md)
   */
  async handOver(instance: InstanceId, to: PeerId): Promise<void> {
    const { succession } = (await this.#reception.get()).host;
    if (!this.#directory.has(to)) throw new LockstepError('UNREACHABLE', `nobody named ${to} is connected`);
    await succession.handOver(instance, to, () => this.#sessionFor(to));
  }

  /** Makes a mirror ready to take over. Resolves when its authority has told all that this takes. @throws LockstepError FORBIDDEN when it does not trust this peer. */
  async standBy(mirror: AnyMirror): Promise<void> {
    await this.ready;
    const { succession } = (await this.#reception.get()).host;
    await succession.standBy(mirror, () => this.#mirrors.source(mirror.id));
  }

  /** Makes this peer, which stands by, the authority: the old one is lost, or is fenced when it comes back. @throws LockstepError as Succession.takeOver */
  async takeOver(instance: InstanceId): Promise<void> {
    const { succession } = (await this.#reception.get()).host;
    await succession.takeOver(instance);
  }

  /** Says goodbye: writes what is under way, ends all mirrors and instances here, closes the link. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const closed = new LockstepError('CLOSED', 'this peer was closed');
    this.#mirrors.close(closed);
    await this.#reception.close();
    this.#connection.close();
    for (const session of this.#sessions.values()) session.close(closed);
    this.#opening.fail(closed);
  }

  // ── Link ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Mirrors ask at once where they were told before. @returns whether any does. */
  #resuming(): boolean {
    // Not told yet how many links there were, nobody else may have asked under these numbers.
    this.#questions.next = EARLY_QUESTIONS + (this.#options.environment.random() % EARLY_QUESTIONS);
    return this.#mirrors.resumeEarly();
  }

  #opened(): void {
    const hello = this.#connection.hello();
    this.#reception.begin(this.#self());
    this.#directory.reset(hello);
    // Whoever had this name before us, in a process that is no more, may still be answered.
    this.#questions.next = Math.max(this.#questions.next, (hello.session - 1) * QUESTIONS_PER_LINK + 1);
    this.#asking?.resume();
    this.#opening.open();
    this.#mirrors.opened();
    this.#reception.tell();
  }

  #lost(error: LockstepError): void {
    // What was under way may be asked again on the next link, whatever ended this one.
    const closed = new LockstepError('CLOSED', error.message);
    for (const session of [...this.#sessions.values()]) if (session.remote !== this.id) this.#end(session, closed);
    this.#questions.clear();
    if (error.code === 'FENCED')
      this.#options.report?.(
        'error',
        'a newer link with the secret of this peer has its place; it is offline until that one leaves',
        error,
      );
    this.#mirrors.cutOff();
  }

  /** An error that retrying cannot cure is told to whoever waits. */
  #failed(error: LockstepError): void {
    this.#options.report?.('warn', 'no link to the relay', error);
    if (!error.retryable) this.#opening.refuse(error);
  }

  #timeoutMs(): number {
    return this.#connection.limits.requestTimeoutMs;
  }

  #self(): PeerId {
    const { self } = this.#connection;
    if (self === undefined) throw new LockstepError('UNREACHABLE', 'the relay has not said yet who this peer is');
    return self;
  }

  // ── Sessions ───────────────────────────────────────────────────────────────────────────────────────────────────

  #session(remote: PeerId): Session {
    let session = this.#sessions.get(remote);
    if (session === undefined) {
      session = new Session(remote, this.#shared);
      this.#sessions.set(remote, session);
    }
    return session;
  }

  #received(sender: PeerId, messages: readonly (Message | LockstepError)[]): void {
    let session = this.#session(sender);
    for (const message of messages) {
      // What one of them says may have ended it.
      if (!session.isOpen) session = this.#session(sender);
      try {
        session.receive(message);
      } catch (error) {
        // A fault of ours in handling one message costs that message.
        this.#options.report?.('error', 'a message could not be handled', error);
      }
    }
  }

  #end(session: Session, error: LockstepError): void {
    this.#sessions.delete(session.remote);
    session.close(error);
    this.tracer.leave(session);
  }

  /** What is told outside rooms: by the relay, and about events that were sent to a room. */
  #noticed(session: Session, notice: Notice): void {
    const { method, params } = notice;
    try {
      const { remote } = session;
      if (remote !== '') {
        // What a room says is said to one member alone when it is not for the others.
        if (method === 'moved') this.#mirrors.hear(roomAddress(remote, readNotice('moved', params).room), notice);
        else if (method === 'trace') this.#asking?.hear(remote, params);
        else if (method === 'settled') this.#mirrors.settled(remote, params);
        else this.#reception.notice(method, params, session);
        return;
      }
      if (method === 'presence') this.#present(readNotice('presence', params));
      if (method === 'undeliverable') this.#gone(readNotice('undeliverable', params)[0], false);
      if (method === 'lagging') for (const address of readNotice('lagging', params)) this.#mirrors.missed(address);
    } catch (error) {
      this.#options.report?.('warn', `${session.remote} sent a ${method} that cannot be read`, error);
    }
  }

  #present(presence: Presence): void {
    for (const peer of presence.left) this.#gone(peer, true);
    this.#directory.change(presence);
    for (const { peer } of presence.joined) {
      this.#asking?.resume(peer);
      this.#mirrors.resume(peer);
      this.#reception.tell(peer);
    }
  }

  #gone(peer: PeerId, isKnown: boolean): void {
    if (peer === this.id || peer === '') return;
    const session = this.#sessions.get(peer);
    if (session !== undefined)
      this.#end(session, new LockstepError('UNREACHABLE', isKnown ? `${peer} left` : `nobody named ${peer} is connected`));
    this.#mirrors.lost(peer);
  }

  /** The peer that orders an instance; undefined while there is no server. */
  #address(instance: InstanceId): PeerId | undefined {
    return this.#located.get(instance) ?? ownerOf(instance) ?? this.#serverId();
  }

  #locate(instance: InstanceId, peer: PeerId): void {
    const before = this.#located.get(instance);
    this.#located.set(instance, peer);
    if (before !== peer) this.#mirrors.follow(instance);
  }

  #serverId(): PeerId | undefined {
    return this.#options.kind === 'server' ? this.id : (this.#directory.server ?? undefined);
  }

  /** With a peer, as things are right now. */
  #sessionFor(address: PeerId | undefined): Session | LockstepError {
    if (!this.#connection.canAsk && (address === undefined || address !== this.id))
      return new LockstepError('CLOSED', 'there is no link to the relay');
    return address === undefined ? new LockstepError('UNREACHABLE', 'no server is connected to the relay') : this.#session(address);
  }

  /** @param owner null for the server. */
  async #reach(owner: PeerId | null): Promise<Session> {
    if (owner === null || owner !== this.id) await this.#opening.wait(this.#timeoutMs());
    const address = owner ?? this.#serverId();
    if (address === undefined) throw new LockstepError('UNREACHABLE', 'no server is connected to the relay');
    return this.#session(address);
  }

  #diverged(record: DivergenceRecord, isGuarded: boolean): void {
    const { instance, seq, ours, theirs } = record;
    this.tracer.tell(
      record,
      `the mirror of ${instance} diverged at seq ${seq}: ${ours} here, ${theirs} at its authority`,
      isGuarded ? nobody : undefined,
    );
  }
}
