// A world of trees and hand-overs from one seed: two peers that order a desk in turn, two that pass it on, three that watch behind them. Links
// break, middles and leaves begin again, disks refuse writes, and the desk changes hands. What must hold is checked from the outside: by
// what senders were told, and by what is there when all is mended.

import { assign, setup } from 'xstate';
import { compileMachine } from '../../compiler/index.ts';
import type { LockstepError } from '../../core/errors.ts';
import type { Mirror } from '../../peer/mirror.ts';
import type { Peer } from '../../peer/peer.ts';
import { MemoryJournal, TestEnvironment } from '../../peer/testing.ts';
import { random, type Random } from '../support/random.ts';
import { World } from '../support/world.ts';

const desk = setup({ types: {} as { context: { ids: string[] } } }).createMachine({
  id: 'desk',
  context: { ids: [] },
  on: { ADD: { actions: assign({ ids: ({ context, event }) => [...context.ids, (event as { readonly id?: string }).id ?? ''] }) } },
});
const image = compileMachine(desk).bytes;
const DESK = 'alice/desk';
const ORDERERS = ['alice', 'bob'] as const;
const MIDDLES = ['one', 'two'] as const;
/** Behind whom each of them is, in order of preference. */
const LEAVES: Readonly<Record<string, readonly string[]>> = { lisa: ['one'], liam: ['two', 'one'], lars: [] };
const ACTIONS = 60;
/** Milliseconds in which everything comes to rest. */
const REST_MS = 90_000;

/** Refuses some writes whole. */
class BadDisk extends MemoryJournal {
  readonly #dice: Random;
  failing = 0;

  constructor(dice: Random) {
    super();
    this.#dice = dice;
  }

  override async write(...args: Parameters<MemoryJournal['write']>): Promise<void> {
    if (this.#dice.chance(this.failing)) throw new Error('the disk is full');
    return super.write(...args);
  }
}

export async function storm(seed: number): Promise<readonly string[]> {
  const one = new Storm(seed);
  await one.run();
  return one.failures;
}

class Storm {
  readonly failures: string[] = [];
  readonly #world: World;
  readonly #dice: Random;
  readonly #disks: ReadonlyMap<string, BadDisk>;
  readonly #peers = new Map<string, Peer>();
  readonly #mirrors = new Map<string, Mirror>();
  readonly #fates = new Map<string, { readonly seq: number } | { readonly code: string } | undefined>();
  readonly #epochs = new Map<Mirror, number>();
  #owner: (typeof ORDERERS)[number] = 'alice';
  /** A hand-over is under way; meanwhile those two only lose their links and their writes. */
  #isHanding = false;
  #count = 0;

  constructor(seed: number) {
    this.#world = new World(seed, new TestEnvironment({ seed }));
    this.#dice = random(seed ^ 0x70b0);
    this.#disks = new Map(ORDERERS.map((name) => [name, new BadDisk(this.#dice)]));
  }

  async run(): Promise<void> {
    for (const name of ORDERERS) await this.#start(name);
    await this.#world.advance(1_000);
    for (const name of [...MIDDLES, ...Object.keys(LEAVES)]) await this.#start(name);
    await this.#world.advance(1_000);
    for (const disk of this.#disks.values()) disk.failing = this.#dice.pick([0, 0, 0.1]);
    for (let i = 0; i < ACTIONS && this.failures.length === 0; i++) {
      await this.#act();
      if (this.#dice.chance(0.6)) for (let turns = this.#dice.below(10); turns >= 0; turns--) await this.#world.environment.turn();
      else await this.#world.advance(this.#dice.pick([0, 20, 500, 4_000]));
      this.#look();
    }
    await this.#rest();
  }

  async #start(name: string): Promise<void> {
    const isOrderer = this.#disks.has(name);
    const journal = this.#disks.get(name);
    const peer = await this.#world.peer(name, {
      machines: { desk: { definition: desk, image } },
      trusts: () => true,
      ...(journal === undefined ? {} : { journal }),
    });
    this.#peers.set(name, peer);
    const isFirst = name === 'alice' && (await journal?.moved())?.length === 0 && (await journal?.read(DESK)) === undefined;
    const opened = isFirst ? peer.host('desk', 'desk') : peer.watch(DESK, desk, { isPatient: true, sources: LEAVES[name] ?? [] });
    opened.then(
      (mirror) => {
        if (this.#peers.get(name) !== peer) return;
        this.#mirrors.set(name, mirror);
        mirror.subscribe({ error: (error) => this.failures.push(`the mirror of ${name} ended: ${String(error)}`) });
        if (!isOrderer && LEAVES[name] === undefined) peer.offer(mirror).catch((error: unknown) => this.failures.push(String(error)));
      },
      (error: unknown) => {
        if (this.#peers.get(name) === peer) this.failures.push(`${name} has no mirror: ${String(error)}`);
      },
    );
  }

  async #act(): Promise<void> {
    const dice = this.#dice;
    const name = dice.pick([...ORDERERS, ...MIDDLES, ...Object.keys(LEAVES)]);
    const trouble = dice.below(16);
    if (trouble === 0) return this.#world.network(name).cut();
    if (trouble <= 2) return this.#mend(name);
    if (trouble === 3) return this.#restart(name);
    if (trouble === 4 && !this.#isHanding) return this.#handOver();
    for (let k = dice.below(4); k >= 0; k--) this.#send();
  }

  #mend(name: string): void {
    this.#world.network(name).mend();
    this.#peers.get(name)?.reconnectNow();
  }

  /** One that orders says goodbye to its journal; the others have nothing to lose but what they had queued. */
  async #restart(name: string): Promise<void> {
    const peer = this.#peers.get(name);
    if (peer === undefined || (this.#isHanding && this.#disks.has(name))) return;
    this.#peers.delete(name);
    const mirror = this.#mirrors.get(name);
    this.#mirrors.delete(name);
    if (mirror !== undefined) this.#epochs.delete(mirror);
    this.#world.network(name).cut();
    peer.close().catch(() => undefined);
    await this.#world.settle();
    await this.#start(name);
  }

  #handOver(): void {
    const to = this.#owner === 'alice' ? 'bob' : 'alice';
    const peer = this.#peers.get(this.#owner);
    if (peer === undefined) return;
    this.#isHanding = true;
    peer.handOver(DESK, to).then(
      () => {
        this.#owner = to;
        this.#isHanding = false;
      },
      () => (this.#isHanding = false),
    );
  }

  #send(): void {
    const [name, mirror] = this.#dice.pick([...this.#mirrors]);
    const id = `${name}${this.#count++}`;
    this.#fates.set(id, undefined);
    const told = (fate: { readonly seq: number } | { readonly code: string }): void => void this.#fates.set(id, fate);
    mirror.submit({ type: 'ADD', id }).then(told, ({ code }: LockstepError) => told({ code }));
  }

  /** An epoch never falls, and nothing is shown twice. */
  #look(): void {
    for (const [name, mirror] of this.#mirrors) {
      if (mirror.epoch < (this.#epochs.get(mirror) ?? 0)) this.failures.push(`${name} goes back to epoch ${mirror.epoch}`);
      this.#epochs.set(mirror, mirror.epoch);
      const ids = idsOf(mirror);
      if (new Set(ids).size < ids.length) this.failures.push(`${name} shows ${ids.join(' ')}`);
    }
  }

  async #rest(): Promise<void> {
    for (const disk of this.#disks.values()) disk.failing = 0;
    for (const name of this.#peers.keys()) this.#mend(name);
    await this.#world.advance(REST_MS);
    if (this.failures.length > 0) return;
    this.#look();
    const whole = this.#mirrors.get(this.#owner);
    if (whole === undefined || this.#mirrors.size < 7) return void this.failures.push(`at the end ${this.#mirrors.size} of 7 have mirrors`);
    for (const [name, mirror] of this.#mirrors) {
      const place = [mirror.epoch, mirror.seq, mirror.digest, mirror.standing, mirror.unconfirmedCount];
      const expected = [whole.epoch, whole.seq, whole.digest, 'confirmed', 0];
      if (place.join() !== expected.join())
        this.failures.push(`at the end ${name} is at ${place.join(' ')}, its authority at ${expected.join(' ')}`);
    }
    const ids = idsOf(whole);
    for (const [id, fate] of this.#fates) {
      if (fate !== undefined && 'seq' in fate && ids[fate.seq - 2] !== id)
        this.failures.push(`${id} was answered at ${fate.seq}, where there is ${ids[fate.seq - 2]}`);
      if (fate !== undefined && 'code' in fate && fate.code !== 'CLOSED' && ids.includes(id))
        this.failures.push(`${id} was refused with ${fate.code} and is there`);
      if (fate !== undefined && 'code' in fate && !['CLOSED', 'STORAGE', 'STALE'].includes(fate.code))
        this.failures.push(`${id} was refused with ${fate.code}`);
      if (fate === undefined && this.#peers.has(id.replace(/\d+$/, '')) && !ids.includes(id)) this.failures.push(`${id} has no answer`);
    }
    for (const peer of this.#peers.values()) peer.close().catch(() => undefined);
    await this.#world.settle();
  }
}

function idsOf(mirror: Mirror): readonly string[] {
  return (mirror.getSnapshot().context as { readonly ids: readonly string[] }).ids;
}
