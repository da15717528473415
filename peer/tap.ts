// What a mirror tells the one who passes it on to others: its confirmed state as it moves, and whether it hears its own source. Agreement
// only; branch.ts is who listens.

import type { Subscription } from '../core/actor.ts';
import type { LockstepError } from '../core/errors.ts';
import type { InstanceState } from '../core/state.ts';
import type { Machine } from '../core/machine.ts';
import type { InstanceRecord } from './journal.ts';
import type { Taken } from './replica.ts';
import type { InstanceId, Methods, Present } from './wire.ts';

export interface Tap {
  /** One more confirmed step, with the sender's number in the room where the mirror hears it. */
  stepped(step: Taken): void;
  /** One message, or what was missed, is in. @param digest after the last step, when it was told and agreed. @param isAnew a watch was answered. */
  told(digest: string | undefined, isAnew: boolean): void;
  /** A watch was answered: what follows may come from another room, with other numbers for senders. */
  renewed(): void;
  /** The confirmed state is one that steps did not lead to. */
  jumped(): void;
  /** It does not hear it any more. */
  cutOff(): void;
  /** It is not for everyone any more. */
  guarded(): void;
  closed(error: LockstepError): void;
}

/** A mirror, to the one who passes it on. */
export interface Tapped {
  readonly id: InstanceId;
  readonly machine: Machine;
  readonly record: InstanceRecord;
  readonly epoch: number;
  readonly seq: number;
  /** Of the confirmed state. */
  readonly digest: string;
  /** Whether it hears its source. */
  readonly isOpen: boolean;
  /** Whether there are readers who may not see what it shows. */
  readonly isGuarded: boolean;
  /** The confirmed state. */
  confirmed(): InstanceState;
  /** What peers at the instance say of themselves, once its source was asked to `attend`. */
  onPresent(observer: (present: Present) => void): Subscription;
  /** Acts after so many milliseconds. */
  later(delayMs: number, act: () => void): void;
  /** Asks its source. @throws LockstepError as the source answered, CLOSED, UNREACHABLE, TIMEOUT. */
  ask<M extends keyof Methods>(method: M, params: Methods[M]['params']): Promise<Methods[M]['result']>;
}
