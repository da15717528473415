// The actors of a relational machine that runs here: started and stopped by its steps, heard as mutations of it.        (REL-40)

import { Children } from '../children.ts';
import type { EventObject, Json } from '../json.ts';
import type { LocalEnvironment } from '../local.ts';
import type { Machine } from '../machine.ts';
import type { Mutation } from '../mutation.ts';
import { PARENT } from '../request.ts';
import { StateActors, toldMutation } from './actors.ts';
import type { Clocks } from './waits.ts';

export interface LocalActorsOptions {
  readonly id: string;
  readonly machine: Machine;
  readonly environment: LocalEnvironment;
  /** What an actor came to, or said. */
  tell(mutation: Mutation): void;
  readonly parent: ((event: EventObject) => void) | undefined;
}

export class LocalActors {
  readonly #children: Children;
  #machine: Machine;
  #states: StateActors;

  constructor({ id, machine, environment, tell, parent }: LocalActorsOptions) {
    this.#machine = machine;
    const told = (event: EventObject): void => {
      const made = toldMutation(this.#machine, event);
      if (made === undefined) environment.log?.(`${id} has no state for "${event.type}" of its actor`);
      else tell(made as Mutation);
    };
    const owner = { tell: told, tellParent: parent, emit: () => undefined, log: () => undefined };
    this.#children = new Children(owner, environment.actors);
    this.#states = new StateActors(machine, this.#children);
  }

  /** A step was made. @param args of its mutation. */
  stepped(before: Clocks, after: Clocks, args: Json | undefined): void {
    if (!this.#states.isEmpty) this.#states.stepped((state) => before[state] !== after[state], isOdd(after), args);
  }

  /** The machine became another: so do its actors, without input. */
  resume(clocks: Clocks): void {
    this.#children.stopAll();
    this.#states.resume(isOdd(clocks));
  }

  /** Its schema has grown. */
  follow(machine: Machine, clocks: Clocks): void {
    const before = this.#states;
    this.#machine = machine;
    this.#states = new StateActors(machine, this.#children);
    this.#states.follow(before, isOdd(clocks));
  }

  /** To the actor of a state, while it runs. */
  send(state: string, event: EventObject): void {
    this.#children.send(state, event);
  }

  /** @throws LockstepError UNREACHABLE when nobody invoked the machine. */
  sendParent(event: EventObject): void {
    this.#children.send(PARENT, event);
  }

  close(): void {
    this.#children.stopAll();
    this.#children.close();
  }
}

function isOdd(clocks: Clocks): (state: number) => boolean {
  return (state) => (clocks[state]! & 1) === 1;
}
