// Instances that change hands in a simulated world: now and then whoever orders one hands it over, or one that stands by takes it over, while
// one of the two, or the road between them, is lost a moment later. Dice of its own, so that worlds without it are the same.

import type { LockstepError } from '../../core/errors.ts';
import type { Random } from '../support/random.ts';
import { ORDERERS } from './cast.ts';
import type { Checkers } from './checkers.ts';
import type { Process } from './process.ts';

/** Of a hundred actions of the world, how many are followed by one of these. */
const OFTEN = 15;
/** Milliseconds within which trouble follows: as long as an answer takes, or a hand-over that is not answered. */
const SOON_MS = [0, 1, 10, 60, 300, 12_000];

/** What of a world it needs. */
export interface Stage {
  readonly checkers: Checkers;
  process(name: string): Process | undefined;
  note(line: string): void;
  after(ms: number, act: () => void): void;
  crash(process: Process): void;
  cut(name: string): void;
  readonly hasCrashes: boolean;
  readonly hasCuts: boolean;
  /** Instances that change hands. */
  readonly movable: readonly string[];
}

export class Successions {
  readonly #dice: Random;
  readonly #stage: Stage;
  /** Whether somebody takes over in this world; else nothing that was answered is lost. */
  readonly #hasTakeOvers: boolean;
  /** That are under way. */
  readonly #open = new Set<{ readonly process: Process; readonly what: string }>();

  constructor(dice: Random, stage: Stage) {
    this.#dice = dice;
    this.#stage = stage;
    this.#hasTakeOvers = dice.chance(0.5);
  }

  /** Those that have come to no end. */
  get open(): readonly string[] {
    return [...this.#open].filter(({ process }) => process.isAlive).map(({ what }) => what);
  }

  act(): void {
    if (!this.#dice.chance(OFTEN / 100)) return;
    const instance = this.#dice.pick(this.#stage.movable);
    const owner = this.#stage.checkers.ownerOf(instance);
    const other = this.#dice.pick(ORDERERS.filter((name) => name !== owner));
    const takes = this.#hasTakeOvers && this.#dice.chance(0.4);
    const trouble = this.#dice.below(6);
    const isOwner = this.#dice.chance(0.5);
    const soonMs = this.#dice.pick(SOON_MS);
    if (owner === undefined) return;
    if (takes) this.#takeOver(instance, other);
    else this.#handOver(instance, owner, other);
    if (trouble < 3) this.#stage.after(soonMs, () => this.#trouble(isOwner ? owner : other, trouble));
  }

  #handOver(instance: string, from: string, to: string): void {
    const process = this.#stage.process(from);
    if (process === undefined || process.isFrozen) return;
    this.#begin(process, `${from} hands ${instance} over to ${to}`, process.peer.handOver(instance, to));
  }

  #takeOver(instance: string, name: string): void {
    const process = this.#stage.process(name);
    const mirror = process?.mirrors.get(instance);
    if (process === undefined || process.isFrozen || mirror === undefined) return;
    const { peer } = process;
    const taken = peer.standBy(mirror).then(() => {
      this.#stage.checkers.decides(name, instance);
      return peer.takeOver(instance);
    });
    this.#begin(process, `${name} takes ${instance} over`, taken);
  }

  #begin(process: Process, what: string, ended: Promise<void>): void {
    this.#stage.note(what);
    const open = { process, what };
    this.#open.add(open);
    const end = (how: string): void => {
      this.#open.delete(open);
      if (process.isAlive) this.#stage.note(`${what}: ${how}`);
    };
    ended.then(
      () => end('done'),
      ({ code }: LockstepError) => end(code),
    );
  }

  #trouble(name: string, kind: number): void {
    const process = this.#stage.process(name);
    if (process === undefined) return;
    if (kind === 0 && this.#stage.hasCrashes) this.#stage.crash(process);
    else if (kind > 0 && this.#stage.hasCuts) this.#stage.cut(name);
  }
}
