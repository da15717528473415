// Who is at a board with this person, and which card each of them has in hand. Lossy and never stored: it is about now.

import type { Json } from '../../core/json.ts';
import type { Mirror } from '../../peer/mirror.ts';
import { Presence } from '../../peer/presence.ts';
import { element } from '../kit/dom.ts';
import { badgeOf } from './person.ts';

/** What each says of themselves. */
interface Seat {
  readonly name: string;
  /** The task in hand: focused, written in, or dragged. */
  readonly task: string | null;
}

export class Company {
  readonly #me: string;
  readonly #peer: () => string | undefined;
  readonly #host: HTMLElement;
  readonly #holders: (names: ReadonlyMap<string, readonly string[]>) => void;
  #presence: Presence | undefined;
  #task: string | null = null;

  /** @param peer the id of this peer, once it has one. @param holders is told who else has which task in hand. */
  constructor(
    me: string,
    peer: () => string | undefined,
    host: HTMLElement,
    holders: (names: ReadonlyMap<string, readonly string[]>) => void,
  ) {
    this.#me = me;
    this.#peer = peer;
    this.#host = host;
    this.#holders = holders;
  }

  /** This person looks at another board now. */
  join(mirror: Mirror): void {
    this.#presence?.close();
    const presence = new Presence(mirror);
    this.#presence = presence;
    this.#task = null;
    presence.subscribe((present) => this.#presence === presence && this.#show(present));
    this.#say();
    this.#show(presence.present);
  }

  hold(task: string | null): void {
    if (task === this.#task) return;
    this.#task = task;
    this.#say();
  }

  #say(): void {
    this.#presence?.set({ name: this.#me, task: this.#task });
  }

  #show(present: ReadonlyMap<string, Json>): void {
    const seats = [...present].filter(([id]) => id !== this.#peer()).flatMap(([, said]) => (isSeat(said) ? [said] : []));
    const names = [...new Set(seats.map(({ name }) => name))].filter((name) => name !== this.#me).sort();
    this.#host.replaceChildren(
      ...names.map((name) => {
        const { initials, hue } = badgeOf(name);
        const badge = element('span', { class: 'badge', 'aria-hidden': 'true' }, initials);
        badge.style.setProperty('--hue', String(hue));
        return element('li', { title: `${name} is here` }, badge, element('span', { class: 'hidden-text' }, name));
      }),
    );
    const holders = new Map<string, string[]>();
    for (const { name, task } of seats)
      if (task !== null && name !== this.#me) holders.set(task, [...new Set([...(holders.get(task) ?? []), name])].sort());
    this.#holders(holders);
  }
}

/** Others may say anything. */
function isSeat(said: Json): said is Json & Seat {
  if (typeof said !== 'object' || said === null || Array.isArray(said)) return false;
  const { name, task } = said as Readonly<Record<string, unknown>>;
  return typeof name === 'string' && (task === null || typeof task === 'string');
}
