// Who is in which room at the relay, as the authorities told it in `admit` and `expel`: a reader that is in more rooms than it has mirrors costs
// memory and frames for nobody. Imports nothing of the product.

interface Message {
  readonly method?: string;
  readonly params?: unknown;
}

export class Memberships {
  /** By authority, by room: its members. */
  readonly #rooms = new Map<string, Map<number, Set<string>>>();

  /** To the relay itself. @param name of the one who says it. */
  said(name: string, { method, params }: Message): void {
    if (method === 'hello') this.#forget((params as { readonly secret: string }).secret);
    if (method !== 'admit' && method !== 'expel') return;
    const [room, peer] = params as readonly [room: number, peer: string];
    const rooms = this.#rooms.get(name) ?? new Map<number, Set<string>>();
    this.#rooms.set(name, rooms);
    const members = rooms.get(room) ?? new Set<string>();
    rooms.set(room, members);
    if (method === 'admit') members.add(peer);
    else members.delete(peer);
  }

  /** A new link: the one before took all its rooms and places along. */
  #forget(name: string): void {
    this.#rooms.delete(name);
    for (const rooms of this.#rooms.values()) for (const members of rooms.values()) members.delete(name);
  }

  /** In which rooms a peer is. */
  of(peer: string): readonly string[] {
    return [...this.#rooms].flatMap(([name, rooms]) =>
      [...rooms].filter(([, members]) => members.has(peer)).map(([room]) => `${name}/${room}`),
    );
  }
}
