// The server's side of foo and bar: mirrors of the bars that foo knows, so that foo's words reach them. Which bars there are is foo's own
// state; a bar whose tab stays away is made to leave.

import type { Subscription } from '../../core/actor.ts';
import type { Json } from '../../core/json.ts';
import type { Mirror } from '../../peer/mirror.ts';
import type { Peer } from '../../peer/peer.ts';
import { foo, type FooContext } from './foo.machine.ts';

/** Milliseconds that a tab may be away (a reload, a tunnel) before foo forgets its bar. */
const AWAY_MAX_MS = 30_000;

export class Company {
  /** foo, with the effect that carries its words to this company. */
  readonly foo = foo.provide({ actions: { tell: ({ event }) => event.type === 'say' && this.#tell(event.text) } });
  /** By instance; a mirror opens when its tab is there. */
  readonly #bars = new Map<string, Promise<Mirror>>();
  readonly #departures = new Map<string, NodeJS.Timeout>();
  #subscriptions: Subscription[] = [];

  /** @param peer the authority of foo. @param host its mirror of foo. */
  attend(peer: Peer, host: Mirror): void {
    const review = (): void => this.#review(peer, host);
    this.#subscriptions = [host.subscribe(review), peer.onPresence(review)];
    review();
  }

  leave(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    for (const timer of this.#departures.values()) clearTimeout(timer);
    for (const bar of this.#bars.values())
      bar.then(
        (mirror) => mirror.stop(),
        () => undefined,
      ); // One that never opened is gone already.
    this.#bars.clear();
    this.#departures.clear();
  }

  /** Mirrors whom foo knows, forgets whom it does not, and counts how long tabs stay away. */
  #review(peer: Peer, host: Mirror): void {
    const { bars } = host.getSnapshot().context as unknown as FooContext;
    const here = new Set(peer.peers().map((each) => each.peer));
    for (const bar of this.#bars.keys()) if (!bars.includes(bar)) this.#drop(bar);
    for (const bar of bars) {
      if (!this.#bars.has(bar)) this.#bars.set(bar, peer.watch(bar, undefined, { isPatient: true }));
      const isHere = here.has(bar.slice(0, bar.indexOf('/')));
      if (isHere) this.#stays(bar);
      else if (!this.#departures.has(bar))
        this.#departures.set(bar, setTimeout(() => host.send({ type: 'leave', bar }), AWAY_MAX_MS).unref());
    }
  }

  #stays(bar: string): void {
    clearTimeout(this.#departures.get(bar));
    this.#departures.delete(bar);
  }

  #drop(bar: string): void {
    this.#stays(bar);
    this.#bars.get(bar)?.then(
      (mirror) => mirror.stop(),
      () => undefined,
    ); // One that never opened is gone already.
    this.#bars.delete(bar);
  }

  /** A tab that is away hears it when it is back. */
  #tell(text: string): void {
    const message: { type: string; [field: string]: Json } = { type: 'message', from: 'foo', text };
    for (const bar of this.#bars.values())
      bar.then(
        (mirror) => mirror.send(message),
        () => undefined,
      ); // Its tab never hosted it.
  }
}
