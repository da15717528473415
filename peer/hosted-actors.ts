// The actors of a hosted instance. A machine among them becomes an instance of its own, as durable as its parent and open to mirrors and
// tools; everything else is run by the runner that the program gave. Who comes back from a journal finds the instances of its children there.

import type { ActorGroup, ActorRunner, RunningActor } from '../core/children.ts';
import { failure } from '../core/children.ts';
import { LockstepError } from '../core/errors.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { ChildStart } from '../core/request.ts';
import { isMachine } from '../core/source.ts';
import { letters } from './identity.ts';
import type { InstanceRecord } from './journal.ts';
import type { InstanceId } from './wire.ts';

/** A machine instance as its parent sees it. */
export interface HostedChild {
  send(event: EventObject): void;
  /** Deletes it. */
  stop(): void;
}

/** What a child instance has to say. */
export interface ChildTold {
  /** It is done, with its output. */
  done(output: Json | undefined): void;
  failed(error: Json): void;
  /** It has a new snapshot. */
  changed(snapshot: Json): void;
  /** It sent its parent an event. */
  said(event: EventObject): void;
}

/** The peer that hosts. */
export interface HostsChildren {
  /**
   * The instance of a child: the one that is there when `isRestart`, else a new one in the place of what was there.
   * @param logic the author's machine.
   * @throws LockstepError UNSUPPORTED without a compiler, and what the compiler and the first step throw.
   */
  child(parent: InstanceRecord, child: ChildStart, logic: unknown, told: ChildTold, isRestart: boolean): HostedChild;
  readonly canCompile: boolean;
}

export class HostedActors implements ActorRunner {
  readonly #host: HostsChildren;
  readonly #parent: InstanceRecord;
  readonly #runner: ActorRunner | undefined;

  constructor(host: HostsChildren, parent: InstanceRecord, runner: ActorRunner | undefined) {
    this.#host = host;
    this.#parent = parent;
    this.#runner = runner;
  }

  open(): ActorGroup {
    let group: ActorGroup | undefined;
    return {
      start: (child, logic, tell, isRestart) => {
        if (isMachine(logic) && this.#host.canCompile) return this.#machine(child, logic, tell, isRestart);
        if (this.#runner === undefined)
          throw new LockstepError('UNSUPPORTED', `actor "${child.id}": this peer runs no actors but machines`);
        return (group ??= this.#runner.open()).start(child, logic, tell, isRestart);
      },
      close: () => group?.close(),
    };
  }

  #machine(child: ChildStart, logic: unknown, tell: (event: EventObject) => void, isRestart: boolean): RunningActor {
    const { id, sync } = child;
    return this.#host.child(
      this.#parent,
      child,
      logic,
      {
        done: (output) => tell({ type: `xstate.done.actor.${id}`, ...(output === undefined ? {} : { output }), actorId: id }),
        failed: (error) => tell(failure(id, error)),
        changed: (snapshot) => {
          if (sync === true) tell({ type: `xstate.snapshot.${id}`, snapshot });
        },
        said: tell,
      },
      isRestart,
    );
  }
}

/** A child's instance name: its parent's and its id. */
export function childName(parent: InstanceId, id: string): string {
  return `${parent.slice(parent.indexOf('/') + 1)}:${letters(id)}`;
}
