// What keeps a system of actors from going on for ever: two that answer each other never come to rest, in XState as little as here. Beyond a
// number of messages in a turn further ones are lost, beyond a number of new actors the next one throws; the same on both sides, at the same point.

import { sorted } from '../differential/view.ts';
import type { Playing, Side } from './record.ts';

const MESSAGES_MAX = 100;
const BORN_MAX = 60;
/** Lines of inspection in one turn: more than that many messages and actors can make. */
const LINES_MAX = 20_000;

type Relay = (source: unknown, target: unknown, event: unknown) => void;

export class Brake {
  /** Actors that were ever made. */
  actors = 0;
  hasBraked = false;
  readonly #name: string;
  readonly #side: Side;
  #messages = 0;
  #born = 0;
  #lines = 0;

  constructor(name: string, side: Side) {
    this.#name = name;
    this.#side = side;
    side.record.observe(({ type }) => {
      if (type === '@xstate.actor') this.#bear();
      this.#lines += 1;
      if (this.#lines > LINES_MAX) throw new Error(`${this.#name} does not come to an end`);
    });
  }

  /** @throws Error naming the side when it ran away; actors keep exceptions to themselves. */
  turn(run: () => void): void {
    this.#messages = 0;
    this.#born = 0;
    this.#lines = 0;
    run();
    if (this.#lines > LINES_MAX) throw new Error(`${this.#name} does not come to an end`);
  }

  /** Counts the messages of the system that this actor is the root of. */
  hold({ system }: Playing): void {
    const held = system as unknown as { _relay: Relay };
    const relay = held._relay;
    held._relay = (source, target, event) => {
      this.#messages += 1;
      if (this.#messages <= MESSAGES_MAX) return relay(source, target, inOneOrder(event));
      this.hasBraked = true;
      this.#side.record.write('lost', event);
    };
  }

  #bear(): void {
    this.actors += 1;
    this.#born += 1;
    if (this.#born <= BORN_MAX) return;
    this.hasBraked = true;
    throw new Error('too many actors');
  }
}

/**
 * A snapshot that a child tells has regions, memories, tags and children in the order in which they came, which a restored one does not know: the
 * difference that is no difference, and random functions see the text of what they are given.
 */
function inOneOrder(event: unknown): unknown {
  const { type, snapshot } = event as { readonly type: string; readonly snapshot?: object };
  if (!type.startsWith('xstate.snapshot.') || snapshot === undefined || !('_nodes' in snapshot)) return event;
  const { value, historyValue, children, tags } = snapshot as { readonly [field: string]: unknown } & { readonly tags?: Iterable<string> };
  const one = {
    value: sorted(value),
    historyValue: byKey(historyValue as object),
    children: byKey(children as object),
    tags: new Set([...(tags ?? [])].sort()),
  };
  return { ...(event as object), snapshot: { ...snapshot, ...one } };
}

function byKey(fields: object): object {
  return Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
}
