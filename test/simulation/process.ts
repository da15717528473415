// One simulated process: a peer with its own view of clock and sockets, so that it can be frozen, thawed and crashed by itself. The peer
// is the product's own class; only what it is given comes from here.

import { LedWay } from '../../browser/leader.ts';
import { holdLock } from '../../browser/platform.ts';
import { tabLock } from '../../browser/tab-messages.ts';
import type { Link } from '../../peer/link.ts';
import type { Host } from '../../peer/host.ts';
import type { Mirror } from '../../peer/mirror.ts';
import * as packed from '../../peer/codec-packed.ts';
import type { Outbox } from '../../peer/outbox.ts';
import { Peer, type PeerOptions } from '../../peer/peer.ts';
import type { Environment } from '../../peer/environment.ts';
import { binding } from '../../peer/binding.ts';
import { serving } from '../../peer/serving.ts';
import * as asking from '../../peer/asking.ts';
import * as sights from '../../peer/sight-replica.ts';
import type { TestEnvironment } from '../../peer/testing.ts';
import { type Browser, Tab } from './browser.ts';
import type { Kept } from './checkers.ts';
import type { Disk, DiskSession } from './disk.ts';
import type { Fork } from '../../peer/succession.ts';
import { compiled, type MachineName, machinesOf, POLICIES } from './machines.ts';
import { MOVABLE } from './cast.ts';
import type { Network } from './network.ts';
import { pipe } from './relations.ts';

/** Milliseconds after which an effect that takes its time sends what it has to say. */
const LATER_MS = 400;

/** Hands on what the world's environment gives, and keeps it back while its process is frozen. */
class ProcessEnvironment implements Environment {
  readonly #world: TestEnvironment;
  #frozen: (() => void)[] | undefined;

  constructor(world: TestEnvironment) {
    this.#world = world;
  }

  now(): number {
    return this.#world.now();
  }

  random(): number {
    return this.#world.random();
  }

  defer(callback: () => void): void {
    this.#world.defer(() => this.run(callback));
  }

  timer(delayMs: number, callback: () => void): () => void {
    let isCancelled = false;
    const cancel = this.#world.timer(delayMs, () => this.run(() => (isCancelled ? undefined : callback())));
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  freeze(): void {
    this.#frozen ??= [];
  }

  thaw(): void {
    const waiting = this.#frozen ?? [];
    this.#frozen = undefined;
    for (const callback of waiting) this.#world.defer(callback);
  }

  /** Now, or when it is thawed. */
  run(callback: () => void): void {
    if (this.#frozen === undefined) callback();
    else this.#frozen.push(callback);
  }
}

/** What a process has from birth to every rebirth. */
export interface Role {
  readonly name: string;
  readonly kind: 'server' | 'node' | 'browser';
  /** Instances that it is the authority of, without its own name, and their machines. */
  readonly hosts: Readonly<Record<string, MachineName>>;
  /** Instances that it watches. */
  readonly watches: Readonly<Record<string, MachineName>>;
  /** Under which view, where that is not everything. */
  readonly views?: Readonly<Record<string, string>>;
  readonly disk?: Disk;
  /** Whether its disk is wiped when it crashes. */
  readonly isVolatile?: boolean;
  /** Whether it speaks the packed encoding where the other side does. */
  readonly isPacked: boolean;
  /** It is a tab of this browser, and shares its socket with the others. */
  readonly browser?: Browser;
  /** Whose word it takes for others, to whom it hands over and for whom it gives way. */
  readonly trusts?: readonly string[];
  /** Where it watches, in order of preference; the authority comes last. */
  readonly sources?: readonly string[];
  /** Whether it passes on what it watches. */
  readonly isSource?: boolean;
  /** Whether it holds the pipe from the gate to its own panel. */
  readonly isPiping?: boolean;
}

export interface ProcessWorld {
  readonly environment: TestEnvironment;
  readonly network: Network;
  readonly core: PeerOptions['core'];
  readonly key: string;
  report(process: string, level: string, message: string, error: unknown): void;
  opened(process: Process, instance: string, mirror: Mirror): void;
  fenced(process: string, fork: Fork): void;
}

export class Process {
  readonly role: Role;
  readonly peer: Peer;
  /** By instance, those that have a state. */
  readonly mirrors = new Map<string, Mirror>();
  readonly #world: ProcessWorld;
  readonly #environment: ProcessEnvironment;
  readonly #machines: ReturnType<typeof machinesOf>;
  readonly #session: DiskSession | undefined;
  readonly #sharing: Sharing | undefined;
  /** What it orders and passes on, and what is on its way out. */
  #serving: { readonly host: Host; readonly outbox: Outbox } | undefined;
  #wasTold = false;
  #isPiped = false;
  isAlive = true;
  isFrozen = false;
  /** ms of the world's clock. */
  readonly startedAt: number;

  constructor(role: Role, world: ProcessWorld) {
    this.role = role;
    this.startedAt = world.environment.now();
    this.#world = world;
    this.#environment = new ProcessEnvironment(world.environment);
    this.#machines = machinesOf(role.name, (act) => void this.#environment.timer(LATER_MS, () => (this.isAlive ? act() : undefined)));
    this.#session = role.disk?.open((act) => this.#environment.run(act));
    if (role.browser !== undefined)
      this.#sharing = new Sharing(role.name, new Tab(role.name, role.browser, this.#environment), () => this.peer.reconnectNow());
    this.peer = new Peer({
      environment: this.#environment,
      dial: () => this.#sharing?.dial() ?? world.network.dial(role.name),
      core: world.core,
      serving: (options) => {
        const served = serving(options);
        this.#serving = { host: served.host, outbox: options.connection.outbox };
        return served;
      },
      binding,
      ...(role.isPacked ? { packed: () => packed } : {}),
      sights: () => sights,
      asking: () => asking,
      secret: role.name,
      name: role.name,
      kind: role.kind,
      compile: (definition) => ({ image: compiled(definition), definition }),
      machines: Object.fromEntries(
        Object.entries(this.#machines).map(([name, source]) => {
          const policy = POLICIES[name as MachineName];
          return [name, { ...source, ...(policy === undefined ? {} : { policy }) }];
        }),
      ),
      trusts: (peer) => role.trusts?.includes(peer) === true,
      fenced: (fork) => {
        if (this.isAlive) world.fenced(role.name, fork);
      },
      report: (level, message, error) => {
        if (this.isAlive) world.report(role.name, level, message, error);
      },
      ...(role.kind === 'server' ? { key: world.key } : {}),
      ...(this.#session === undefined ? {} : { journal: this.#session }),
    });
    for (const [instance, machine] of Object.entries(role.hosts)) this.#host(instance, machine);
    for (const [instance, machine] of Object.entries(role.watches)) this.#watch(instance, machine);
  }

  #watch(instance: string, machine: MachineName): void {
    const view = this.role.views?.[instance];
    const { sources } = this.role;
    const options = { isPatient: true, ...(view === undefined ? {} : { view }), ...(sources === undefined ? {} : { sources }) };
    this.#took(instance, this.peer.watch(instance, this.#machines[machine].definition, options));
  }

  /** Who may not see an instance now asks again: it may later. */
  watchLater(instance: string): void {
    const machine = this.role.watches[instance];
    if (machine !== undefined) this.#world.environment.timer(400, () => (this.isAlive ? this.#watch(instance, machine) : undefined));
  }

  /** Until it is there: the disk may refuse its first step. */
  #host(instance: string, machine: MachineName): void {
    const hosted = this.peer.host(instance, machine);
    hosted.catch(() => {
      if (this.isAlive) this.#world.environment.timer(300, () => (this.isAlive ? this.#host(instance, machine) : undefined));
    });
    this.#took(this.role.kind === 'server' ? instance : `${this.role.name}/${instance}`, hosted);
  }

  #took(instance: string, mirror: Promise<Mirror>): void {
    mirror.then(
      (opened) => {
        if (!this.isAlive) return;
        this.mirrors.set(instance, opened);
        this.#world.opened(this, instance, opened);
        if (this.role.isSource === true && instance in MOVABLE) this.#offer(instance, opened);
        if (this.role.isPiping === true) this.#pipe();
      },
      (error: unknown) => {
        if ((error as { readonly code?: unknown }).code === 'FORBIDDEN') return this.watchLater(instance);
        if (this.isAlive && this.role.watches[instance] !== undefined)
          this.#world.report(this.role.name, 'error', `there is no mirror of ${instance}`, error);
      },
    );
  }

  #pipe(): void {
    const [gate, panel] = [this.mirrors.get('gate'), this.mirrors.get(`${this.role.name}/panel`)];
    if (gate === undefined || panel === undefined || this.#isPiped) return;
    this.#isPiped = true;
    pipe({ gate, panel }, (ms, act) => void this.#environment.timer(ms, () => (this.isAlive ? act() : undefined)));
  }

  #offer(instance: string, mirror: Mirror): void {
    this.peer.offer(mirror).catch((error: unknown) => {
      if (this.isAlive) this.#world.report(this.role.name, 'error', `there is no mirror of ${instance} to pass on`, error);
    });
  }

  /** What it keeps of everything that happened. */
  kept(): Kept | undefined {
    if (this.#serving === undefined) return undefined;
    const { host, outbox } = this.#serving;
    const instances = [...host.authorities.values()].map(({ record, readers, seen }) => ({
      instance: record.instance,
      ...readers.past,
      seen: seen.map(([, events]) => events.length),
    }));
    const passedOn = [...this.mirrors.keys()].flatMap((instance) => {
      const branch = host.branches.get(instance);
      return branch === undefined ? [] : [{ instance, ...branch.past, seen: [] }];
    });
    return { unsent: outbox.count, instances: [...instances, ...passedOn] };
  }

  /** @param isTold whether the browser says so before. */
  freeze(isTold: boolean): void {
    this.isFrozen = true;
    if (isTold) this.#sharing?.tab.warn();
    this.#wasTold = isTold;
    this.#environment.freeze();
    for (const socket of this.#world.network.of(this.role.name)) socket.near.hold(true);
  }

  thaw(): void {
    this.isFrozen = false;
    this.#environment.thaw();
    if (this.#wasTold) this.#sharing?.tab.resume();
    for (const socket of this.#world.network.of(this.role.name)) socket.near.hold(false);
  }

  /** The person looks at this tab, or at another one. */
  show(isSeen: boolean): void {
    this.#sharing?.tab.show(isSeen);
  }

  /** As kill -9. @param isKept whether a write that is under way arrives. @param isSilent whether its sockets stay open at the other end. */
  crash(isKept: boolean, isSilent: boolean): void {
    this.isAlive = false;
    this.#sharing?.tab.die();
    this.#session?.crash(isKept);
    if (this.role.isVolatile === true) this.role.disk?.wipe();
    for (const socket of this.#world.network.of(this.role.name)) {
      if (isSilent) socket.isDeaf = true;
      else socket.far.broke();
      socket.near.abandon();
    }
    if (this.isFrozen) this.#environment.thaw();
    // Only frees its memory: nothing of it can leave any more.
    this.peer.close().catch(() => undefined);
  }

  /** As a user closes it: it says goodbye. */
  leave(): void {
    this.isAlive = false;
    if (this.isFrozen) this.thaw();
    const gone = (): void => {
      void this.#session?.close();
      this.#sharing?.leave();
    };
    this.peer.close().then(gone, gone);
  }
}

/** A tab's way to the socket that it shares, as a page has it. */
class Sharing {
  readonly tab: Tab;
  readonly #way: Promise<LedWay>;
  #release: () => void = () => undefined;

  /** @param again whoever holds the socket is another one now. */
  constructor(name: string, tab: Tab, again: () => void) {
    this.tab = tab;
    const id = `${name} ${tab.now()}`;
    this.#way = holdLock(tab, tabLock(id)).then((release) => {
      this.#release = release;
      return new LedWay({ tab: id, url: 'relay', again }, tab);
    });
  }

  async dial(): Promise<Link> {
    return (await this.#way).dial();
  }

  leave(): void {
    void this.#way.then((way) => {
      way.leave();
      this.#release();
    });
  }
}
