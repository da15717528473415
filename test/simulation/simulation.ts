// One simulated world from one seed: a relay, a server, two peers that are authorities themselves and three tabs, on one clock, over a bad
// network and bad disks. Everything that happens is drawn from the seed; the same seed is the same world again. Checkers watch from the
// outside (checkers.ts, wire-checker.ts); the trace says what was done and seen.

import type { LockstepError } from '../../core/errors.ts';
import type { EventObject } from '../../core/json.ts';
import type { Core } from '../../core/wasm.ts';
import type { Frame } from '../../peer/link.ts';
import type { Mirror } from '../../peer/mirror.ts';
import type { Fork } from '../../peer/succession.ts';
import { TestEnvironment } from '../../peer/testing.ts';
import { Hub } from '../../relay/hub.ts';
import { random, type Random } from '../support/random.ts';
import { Browser } from './browser.ts';
import { cast, MOVABLE, MOVABLE_ECHO, ORDERERS, TABS } from './cast.ts';
import { Checkers, type KeptEntry } from './checkers.ts';
import { Disk } from './disk.ts';
import { readFrame } from './frames.ts';
import { hearEffects, type MachineName } from './machines.ts';
import { statesOf } from './model.ts';
import type { Memberships } from './memberships.ts';
import { Network, type Weather } from './network.ts';
import { Process, type ProcessWorld, type Role } from './process.ts';
import { KEY, PANEL, PIPED, ticksOf } from './relations.ts';
import { type Stage, Successions } from './successions.ts';
import { Lines, WireChecker } from './wire-checker.ts';

/**
 * What some worlds have. Drawn from dice of its own, so that a seed which was found before a feature came is still the same world without it.
 * sharing: the tabs share a socket. packed: some peers speak the packed encoding. views: there is an instance of which each reader sees another part.
 * succession: instances change hands. trees: some watch at mirrors of others. meter: there is an instance that is told by its events and looks at the clock.
 * relations: there are relational machines, one piped to the other.
 * echo: there is an instance whose effects send it events, at once or later; it changes hands where others do.
 * tabs: a tab orders an instance that outlives it.
 * burst: at the end so much is said to one instance that what is kept of it is full.
 */
export const FEATURES = ['sharing', 'packed', 'views', 'succession', 'trees', 'meter', 'relations', 'echo', 'burst', 'tabs'] as const;
export type Feature = (typeof FEATURES)[number];

export interface Result {
  readonly seed: number;
  readonly failures: readonly string[];
  readonly trace: readonly string[];
  /** How many events were handed in. */
  readonly events: number;
}

const RELAY_KEY = 'key of the relay';
const ACTIONS_MIN = 50;
const ACTIONS_MORE = 60;
/** Milliseconds at the end in which everything comes to rest: three full waits for a new link, and two request timeouts. */
const REST_MS = 70_000;
/** Milliseconds after which a deaf socket is noticed, as the relay's pings do. */
const DEAF_MS = 8_000;
const BUFFERS = { lagBytes: 2_000, closeBytes: 12_000 };
/** Characters of the largest frame that this world makes: the buffer may go over its bound by one. */
const FRAME_MAX = 40_000;
/** Events of a burst: more than an instance keeps steps, or numbers of one sender; and how many at a time. */
const BURST = 2_200;
const BURST_AT_ONCE = 200;
/** Reports that no bad luck explains. */
const OUR_FAULT = /diverged|could not be handled|a fault of|cannot be brought back|cannot be read$|observer/;

/** @param without what the worlds of this seed did not have yet when it was found. */
export async function simulate(seed: number, core: Core, without: readonly Feature[] = []): Promise<Result> {
  const simulation = new Simulation(seed, core, without);
  await simulation.run();
  return { seed, failures: simulation.checkers.failures, trace: simulation.trace, events: simulation.events };
}

class Simulation implements ProcessWorld {
  readonly environment: TestEnvironment;
  readonly network: Network;
  readonly key = RELAY_KEY;
  readonly core: Core;
  readonly checkers: Checkers;
  readonly trace: string[] = [];
  events = 0;
  readonly #dice: Random;
  readonly #weather: Weather = { slowMs: 0, lost: 0, repeated: 0, unreachable: 0 };
  readonly #disks: Disk[] = [];
  readonly #roles: readonly Role[];
  readonly #processes = new Map<string, Process>();
  readonly #memberships: Memberships;
  readonly #holders = new Map<Mirror, { readonly holder: string; readonly instance: string; readonly process: Process }>();
  /** Kinds of trouble that this world has. */
  readonly #has: Readonly<Record<'crashes' | 'disks' | 'network' | 'clogs' | 'relay' | 'tabs', boolean>>;
  readonly #successions: Successions | undefined;
  readonly #hasBurst: boolean;
  #hub: Hub;
  /** Mirrors that were ever opened. */
  #opened = 0;
  /** Everything is mended, and nothing goes wrong any more. */
  #isResting = false;
  #isOver = false;

  constructor(seed: number, core: Core, without: readonly Feature[]) {
    this.core = core;
    this.environment = new TestEnvironment({ seed });
    this.#dice = random(seed ^ 0x5eed);
    const dice = this.#dice;
    this.checkers = new Checkers(() => this.environment.now());
    this.#has = {
      crashes: dice.chance(0.7),
      disks: dice.chance(0.5),
      network: dice.chance(0.7),
      clogs: dice.chance(0.4),
      relay: dice.chance(0.4),
      tabs: dice.chance(0.6),
    };
    const has = this.#drawn(seed, without);
    const wires = new WireChecker(this.checkers);
    this.#memberships = wires.memberships;
    const lines = new Lines();
    const noted = (arrow: string, owner: string, frame: Frame): void =>
      this.note(`${arrow} ${owner} ${typeof frame === 'string' ? frame.replaceAll('\n', ' ') : Buffer.from(frame).toString('hex')}`);
    this.network = new Network(
      {
        environment: this.environment,
        dice,
        weather: this.#weather,
        lagSize: BUFFERS.lagBytes,
        events: {
          heard: (socket, frame) => {
            noted('→', socket.owner, frame);
            const read = readFrame(frame);
            const wire = lines.of(socket, read);
            if (wire === undefined) return;
            wires.heard(wire, read);
            this.checkers.heard(wires.nameOf(wire), Buffer.from(frame).toString());
          },
          said: (socket, frame) => {
            noted('←', socket.owner, frame);
            const read = readFrame(frame);
            const wire = lines.of(socket, read);
            if (wire !== undefined) wires.said(wire, read);
          },
          buffered: (size) => {
            if (size > BUFFERS.closeBytes + FRAME_MAX) this.checkers.fail(`the relay holds ${size} characters for one reader`);
          },
        },
      },
      (link) => this.#hub.attach(link),
    );
    this.#hub = this.#newHub();
    this.#weather.slowMs = dice.pick([0, 5, 40, 150]);
    if (this.#has.network) Object.assign(this.#weather, { lost: dice.pick([0, 0, 20]), repeated: 0, unreachable: 100 });
    const hasSuccession = has('succession', 0.4);
    const hasEcho = has('echo', 0.4);
    this.#hasBurst = has('burst', 0.02);
    this.#roles = cast({
      watched: (all) => this.#watched(all),
      disk: (owner) => this.#newDisk(owner),
      isPacked: has('packed', 0.5),
      browser: has('sharing', 0.4) ? new Browser(this.network) : undefined,
      hasVault: has('views', 0.5),
      hasMeter: has('meter', 0.3),
      hasRelations: has('relations', 0.3),
      hasEcho,
      hasSuccession,
      hasTrees: has('trees', 0.3),
      hasHostingTab: has('tabs', 0.3),
    });
    if (hasSuccession) this.#successions = new Successions(random(seed ^ 0x5ec0), this.#stage(hasEcho ? MOVABLE_ECHO : MOVABLE));
  }

  #drawn(seed: number, without: readonly Feature[]): (feature: Feature, chance: number) => boolean {
    return (feature, chance) => random(seed ^ ((FEATURES.indexOf(feature) + 1) * 0x9e37)).chance(chance) && !without.includes(feature);
  }

  #stage(movable: typeof MOVABLE): Stage {
    return {
      checkers: this.checkers,
      process: (name) => this.#processes.get(name),
      note: (line) => this.note(line),
      after: (ms, act) => void this.environment.timer(ms, () => (this.#isOver || this.#isResting ? undefined : act())),
      crash: (process) => this.#crash(process),
      cut: (name) => this.#cut(name),
      hasCrashes: this.#has.crashes,
      hasCuts: this.#has.network,
      movable: Object.keys(movable),
    };
  }

  #watched(all: Readonly<Record<string, MachineName>>): Role['watches'] {
    return Object.fromEntries(Object.entries(all).filter(([instance]) => instance === 'front' || this.#dice.chance(0.5)));
  }

  #newDisk(owner: string): Disk {
    const disk = new Disk(this.environment, this.#dice, {
      durable: (entries) => {
        for (const entry of entries)
          if (entry.kind === 'create' || entry.kind === 'step')
            this.note(
              `durable at ${owner} ${entry.step.instance} ${entry.step.epoch}/${entry.step.seq} ${JSON.stringify(entry.step.cause)}`,
            );
        this.checkers.durable(owner, entries as readonly KeptEntry[]);
      },
      failed: () => {
        this.note('a disk refuses a write');
        this.checkers.diskFailed();
      },
    });
    if (this.#has.disks) disk.failing = this.#dice.pick([0, 5, 20]);
    disk.slowMs = this.#dice.pick([0, 10, 100]);
    this.#disks.push(disk);
    return disk;
  }

  #newHub(): Hub {
    return new Hub({ environment: this.environment, identify: (secret) => secret, key: RELAY_KEY, buffers: BUFFERS });
  }

  note(line: string): void {
    this.trace.push(`${this.environment.now() - 1_000_000} ${line}`);
  }

  report(process: string, level: string, message: string, error: unknown): void {
    const text = `${process}: ${message}${error === undefined ? '' : ` (${error instanceof Error ? error.message : JSON.stringify(error)})`}`;
    this.note(`${level} ${text}`);
    if (OUR_FAULT.test(message) || text.includes('there is no mirror')) this.checkers.fail(text);
  }

  fenced(process: string, { instance, epoch, lost }: Fork): void {
    this.note(`${process} gives way for ${instance}, ${lost?.length ?? 'unknown'} steps are lost`);
    this.checkers.fenced(
      process,
      instance,
      epoch,
      lost?.map(({ seq }) => seq),
    );
  }

  opened(process: Process, instance: string, mirror: Mirror): void {
    // It may have ended before its user heard of it.
    if (instance === 'vault' && isEnded(mirror)) {
      process.mirrors.delete(instance);
      return process.watchLater(instance);
    }
    const holder = `${process.role.name}#${++this.#opened}`;
    this.#holders.set(mirror, { holder, instance, process });
    this.note(`${holder} watches ${instance}`);
    const ended = (error?: unknown): void => {
      this.#holders.delete(mirror);
      process.mirrors.delete(instance);
      if (instance === 'vault' && (error as LockstepError | undefined)?.code === 'FORBIDDEN') return process.watchLater(instance);
      if (process.isAlive && !this.#isOver) this.checkers.fail(`${holder}: its mirror of ${instance} ended by itself (${String(error)})`);
    };
    mirror.subscribe({ error: ended, complete: ended });
  }

  // ── The run ────────────────────────────────────────────────────────────────────────────────────────────────────

  async run(): Promise<void> {
    hearEffects((process, instance, count) => {
      this.note(`effect of ${process} ${instance} ${count}`);
      this.checkers.effect(process, instance, count);
    });
    try {
      for (const role of this.#roles) this.#start(role);
      await this.environment.advance(500);
      const actions = ACTIONS_MIN + this.#dice.below(ACTIONS_MORE);
      for (let i = 0; i < actions && !this.#isDecided; i++) {
        this.#act(i);
        this.#successions?.act();
        if (this.#dice.chance(0.5)) for (let turns = this.#dice.below(8); turns >= 0; turns--) await this.environment.turn();
        else await this.environment.advance(this.#dice.pick([0, 5, 50, 400, 2_000]));
        this.#look();
      }
      if (!this.#isDecided) await this.#rest();
    } finally {
      this.#isOver = true;
      await this.#end();
    }
  }

  /** Nothing more is to be learnt from this world. */
  get #isDecided(): boolean {
    return this.checkers.failures.length > 0 || this.checkers.isTied;
  }

  #start(role: Role): void {
    if (role.disk?.isHeld === true) {
      this.environment.timer(300, () => (this.#isOver || this.#processes.has(role.name) ? undefined : this.#start(role)));
      return;
    }
    this.note(`${role.name} starts`);
    this.checkers.started(role.name);
    this.#processes.set(role.name, new Process(role, this));
  }

  #act(index: number): void {
    const dice = this.#dice;
    const role = dice.pick(this.#roles);
    const process = this.#processes.get(role.name);
    const trouble = dice.below(20);
    if (trouble >= 6) return this.#talk(index);
    if (process === undefined) return this.#start(role);
    if (trouble === 0 && this.#has.crashes) return this.#crash(process);
    if (trouble === 1 && this.#has.network) return this.#break(role.name);
    if (trouble === 2 && this.#has.network) return this.#cut(role.name);
    if (trouble === 3 && this.#has.clogs) return this.#clog(role.name);
    if (trouble === 4 && this.#has.relay && dice.chance(0.5)) return this.#restartRelay();
    if (trouble === 5 && this.#has.tabs && TABS.includes(role.name)) return this.#bother(process);
    if (process.isFrozen) process.thaw();
    for (const socket of this.network.of(role.name)) socket.near.hold(false);
    this.network.cutOff.delete(role.name);
    process.peer.reconnectNow();
  }

  /** Some of those who are here hand events in. */
  #talk(index: number): void {
    for (let k = this.#dice.below(5); k >= 0; k--) {
      const { name } = this.#dice.pick(this.#roles);
      const process = this.#processes.get(name);
      if (process === undefined || process.isFrozen || process.mirrors.size === 0) continue;
      const [instance, mirror] = this.#dice.pick([...process.mirrors]);
      // Only the pipe writes there.
      if (instance === PANEL) continue;
      this.#submit(mirror, instance, `${name}${index}.${k}`);
    }
  }

  #submit(mirror: Mirror, instance: string, id: string): void {
    const { holder } = this.#holders.get(mirror)!;
    const event = this.#event(instance, id);
    const expect = this.#dice.chance(0.05) ? { seq: mirror.seq } : undefined;
    this.note(`${holder} sends ${instance} ${JSON.stringify(event)}`);
    this.checkers.submitted(holder, instance, { id, event }, expect !== undefined);
    this.events++;
    mirror.submit(event, expect).then(
      ({ outcome, seq }) => {
        this.note(`${id} is answered ${outcome} ${seq}`);
        this.checkers.answered(id, outcome, seq);
      },
      (error: LockstepError) => {
        this.note(`${id} is refused ${error.code}`);
        this.checkers.refused(id, error.code);
      },
    );
  }

  #event(instance: string, id: string): EventObject {
    const dice = this.#dice;
    if (instance === 'gate') return this.#mutation(id);
    if (instance === 'lamp') return { type: 'TOGGLE', id };
    if (instance === 'cliff') return { type: dice.pick(['CALL', 'CALL', 'WHISPER']), id };
    if (instance === 'meter') return { type: dice.pick(['READ', 'READ', 'START']), id };
    if (instance === 'vault') return { type: dice.pick(['SHOW', 'SHOW', 'HIDE', 'HIDE', 'BAN', 'PARDON', 'PARDON']), id };
    if (instance === 'family') return { type: dice.pick(['START', 'TASK', 'TASK', 'TASK', 'STOP']), id };
    const type = dice.pick(['NAME', 'NAME', 'NAME', 'OPEN', 'CLOSE', 'PING']);
    return type === 'NAME' ? { type, id, name: dice.chance(0.2) ? '' : 'somebody' } : { type, id };
  }

  #mutation(id: string): EventObject {
    const dice = this.#dice;
    const names = ['Bell', 'Closed', 'Lit', 'Locked', 'Open'].filter(() => dice.chance(0.3));
    const args = { id, key: dice.pick([KEY, KEY, 7]), ...(dice.chance(0.15) ? { isBad: true } : {}) };
    return {
      type: `relational.${dice.pick(['add', 'add', 'remove', 'set', 'toggle'])}`,
      states: names.length > 0 ? names : ['Open'],
      args,
    };
  }

  // ── Trouble ────────────────────────────────────────────────────────────────────────────────────────────────────

  #crash(process: Process): void {
    const isKept = this.#dice.chance(0.5);
    const isSilent = this.#has.network && this.#dice.chance(0.3);
    // No process begins, makes an instance and is gone within a millisecond: whoever remembers nothing would give that epoch again.
    if (process.startedAt === this.environment.now()) return;
    this.note(`${process.role.name} crashes${isKept ? ', its last write arrives' : ''}${isSilent ? ', in silence' : ''}`);
    this.#forget(process);
    if (isSilent) this.#noticeLater(process.role.name);
    process.crash(isKept, isSilent);
  }

  #forget(process: Process): void {
    this.#processes.delete(process.role.name);
    for (const [mirror, { process: owner }] of this.#holders) if (owner === process) this.#holders.delete(mirror);
  }

  #break(name: string): void {
    for (const socket of this.network.of(name)) {
      if (this.#dice.chance(0.5)) {
        this.note(`the socket of ${name} breaks`);
        socket.reset();
      } else {
        this.note(`the socket of ${name} goes deaf`);
        socket.isDeaf = true;
        this.#noticeLater(name);
      }
    }
  }

  #noticeLater(name: string): void {
    const sockets = this.network.of(name);
    this.environment.timer(DEAF_MS, () => {
      for (const socket of sockets) socket.reset();
    });
  }

  #cut(name: string): void {
    this.note(`${name} is cut off`);
    this.network.cutOff.add(name);
    for (const socket of this.network.of(name)) socket.reset();
  }

  #clog(name: string): void {
    this.note(`${name} takes nothing from its socket`);
    for (const socket of this.network.of(name)) socket.near.hold(true);
  }

  #restartRelay(): void {
    this.note('the relay restarts');
    this.#hub.close();
    this.#hub = this.#newHub();
  }

  #bother(process: Process): void {
    if (process.role.browser !== undefined && this.#dice.chance(0.5)) {
      const isSeen = this.#dice.chance(0.5);
      this.note(`${process.role.name} is ${isSeen ? 'seen' : 'out of sight'}`);
      process.show(isSeen);
    } else if (process.isFrozen) {
      this.note(`${process.role.name} thaws`);
      process.thaw();
    } else if (this.#dice.chance(0.5)) {
      this.note(`${process.role.name} freezes`);
      process.freeze(process.role.browser !== undefined && this.#dice.chance(0.5));
    } else {
      this.note(`${process.role.name} leaves`);
      this.#forget(process);
      process.leave();
    }
  }

  // ── Looking ────────────────────────────────────────────────────────────────────────────────────────────────────

  #look(): void {
    this.#hub.check();
    for (const [mirror, { holder, instance, process }] of this.#holders) {
      const shown = shownBy(mirror, instance);
      const { name } = process.role;
      // What the pipe has sent is nobody's event, and so is an echo that is sent after its instance.
      const hasOthers = instance === PANEL || (instance === 'cliff' && ORDERERS.includes(name));
      if (hasOthers && mirror.unconfirmedCount > 0) continue;
      if (mirror.view === undefined || mirror.view === 'whole') this.checkers.shown(holder, instance, shown);
      else this.checkers.seen(name, instance, shown);
      // One view is another thing for each reader.
      this.checkers.unconfirmed(holder, instance, mirror.unconfirmedCount);
      this.checkers.digest(holder, instance, shown, mirror.digest, mirror.view === 'mine' ? `mine of ${name}` : (mirror.view ?? 'whole'));
    }
  }

  async #rest(): Promise<void> {
    this.note('everything is mended');
    this.#isResting = true;
    Object.assign(this.#weather, { lost: 0, repeated: 0, unreachable: 0 });
    for (const disk of this.#disks) disk.failing = 0;
    this.network.cutOff.clear();
    for (const socket of this.network.of()) {
      if (socket.isDeaf) socket.reset();
      socket.near.hold(false);
    }
    for (const role of this.#roles) {
      const process = this.#processes.get(role.name);
      if (process === undefined) this.#start(role);
      else if (process.isFrozen) process.thaw();
      process?.show(true);
    }
    await this.environment.advance(REST_MS);
    if (this.#hasBurst) await this.#burst();
    this.#look();
    for (const process of this.#processes.values()) {
      const kept = process.kept();
      if (kept !== undefined) this.checkers.keeps(process.role.name, kept);
    }
    this.checkers.rested(
      [...this.#holders].map(([mirror, { holder, instance }]) => ({
        holder,
        instance,
        shown: shownBy(mirror, instance),
        standing: mirror.standing,
        unconfirmed: mirror.unconfirmedCount,
      })),
    );
    this.checkers.piped('gate', PANEL, PIPED);
    for (const what of this.#successions?.open ?? []) this.checkers.fail(`at the end ${what} is still under way`);
    for (const { role, mirrors } of this.#processes.values()) {
      const banned = role.watches['vault'] !== undefined && this.checkers.isBanned(role.name) ? 1 : 0;
      const expected = Object.keys(role.watches).length + Object.keys(role.hosts).length - banned;
      if (mirrors.size !== expected) this.checkers.fail(`at the end ${role.name} has ${mirrors.size} mirrors of ${expected}`);
      const rooms = this.#memberships.of(role.name);
      if (rooms.length > mirrors.size)
        this.checkers.fail(`at the end ${role.name} is in the rooms ${rooms.join(' ')} and has ${mirrors.size} mirrors`);
    }
  }

  /** The server's own mirror, which is always there, says a lot to the lamp. */
  async #burst(): Promise<void> {
    const mirror = this.#processes.get('server')?.mirrors.get('lamp');
    if (mirror === undefined) return;
    this.note('the lamp is told a lot');
    for (let n = 0; n < BURST; n++) {
      this.#submit(mirror, 'lamp', `burst${n}`);
      if (n % BURST_AT_ONCE === BURST_AT_ONCE - 1) await this.environment.advance(2_000);
    }
    await this.environment.advance(2_000);
  }

  /** What ran here gives its memory back. */
  async #end(): Promise<void> {
    for (const process of this.#processes.values()) process.crash(false, false);
    this.#hub.close();
    await this.environment.advance(10);
  }
}

function isEnded(mirror: Mirror): boolean {
  try {
    return mirror.digest === '';
  } catch {
    return true;
  }
}

function shownBy(mirror: Mirror, instance: string): { epoch: number; seq: number; value: unknown; context: unknown } {
  const { value, context } = mirror.getSnapshot();
  const states = statesOf(instance);
  return { epoch: mirror.epoch, seq: mirror.seq, value: states === undefined ? value : ticksOf(mirror, states), context };
}
