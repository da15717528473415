// The way from a mirror to its authority, as the peer provides it. Agreement only.

import type { LockstepError } from '../core/errors.ts';
import type { Machine } from '../core/machine.ts';
import type { Core } from '../core/wasm.ts';
import type { Environment } from './environment.ts';
import type { Keeping } from './keeping.ts';
import type { Instances } from './replica.ts';
import type { Report } from './log.ts';
import type { SightReplica } from './sight-replica.ts';
import type { Unconfirmed } from './unconfirmed.ts';
import type { DivergenceRecord, Methods, PeerId, WatchResult } from './wire.ts';

/** What a mirror has. */
export type WatchFrom = Methods['watch']['params']['from'];
export interface WatchAsked {
  /** Called at most once, while it is wanted, and before anything that the source sent later is handed on. */
  answered(error: LockstepError | undefined, result?: WatchResult): void;
  /** Whether whoever asked still waits. A room that lets it in when it does not is left again. */
  isWanted(): boolean;
}

/** What keeps partial views. */
export interface Sights {
  readonly SightReplica: typeof SightReplica;
}

export interface Upstream {
  readonly environment: Environment;
  readonly report: Report;
  readonly core: Core;
  sights(): Sights | Promise<Sights>;
  /** What makes replicas of machines that need more than a copy. */
  instances(): Instances | undefined;
  /** Where the mirror outlives this process, if it does. */
  readonly keeping: Keeping | undefined;
  watch(from: WatchFrom, question: WatchAsked): void;
  /** Where it listens nothing is to be heard: another road is to be tried first. */
  stalled(): void;
  /** Its authority says that this peer is the next one. */
  located(peer: PeerId): void;
  /** To the room of a watch; a step there or `settled` answers. @returns why it cannot be sent. */
  send(event: Unconfirmed, watched: WatchResult, machine: Machine | undefined): LockstepError | undefined;
  /** Asks where the mirror listens. */
  ask<M extends keyof Methods>(method: M, params: Methods[M]['params']): Promise<Methods[M]['result']>;
  /** The machine of an image, with the author's functions where they are at hand; fetched from the authority when it is not here. */
  machine(image: string, name: string): Machine | Promise<Machine>;
  /** The mirror listens to this room from now on. */
  entered(room: number): void;
  /** @param isGuarded whether there are peers who may not see what is in it. */
  diverged(record: Omit<DivergenceRecord, 'kind' | 'peer'>, isGuarded: boolean): void;
  /** Nobody holds the mirror any more, or its instance is gone: it leaves every room. */
  ended(): void;
}
