// Who hears what: the members of each room, and the rooms of each member. A room belongs to one authority, which alone admits and
// expels; it is gone when its authority is. Both indexes always say the same (`check`), and an empty room is no room.

import { assert } from '../core/errors.ts';
import type { PeerId } from '../peer/wire.ts';

/** @template Way how a member is reached: with a room at hand, nobody is looked up by name. */
export class Rooms<Way> {
  /** authority → its room numbers → members. */
  readonly #byAuthority = new Map<PeerId, Map<number, Map<PeerId, Way>>>();
  /** member → authorities → room numbers. */
  readonly #byMember = new Map<PeerId, Map<PeerId, Set<number>>>();
  /** Rooms that lose frames before any other does: "authority/room". */
  readonly #lossy = new Set<string>();
  /** authority → memberships in all its rooms. */
  readonly #places = new Map<PeerId, number>();

  /** How many places in its rooms a peer has given. */
  placesOf(authority: PeerId): number {
    return this.#places.get(authority) ?? 0;
  }

  /** @param way the member's for as long as it is here: it leaves before it comes back by another. */
  admit(authority: PeerId, room: number, member: PeerId, way: Way, mayLose = false): void {
    if (mayLose) this.#lossy.add(`${authority}/${room}`);
    const members = entry(entry(this.#byAuthority, authority, newMap<number, Map<PeerId, Way>>), room, newMap<PeerId, Way>);
    if (members.has(member)) return;
    members.set(member, way);
    this.#places.set(authority, this.placesOf(authority) + 1);
    entry(entry(this.#byMember, member, newMap<PeerId, Set<number>>), authority, newSet<number>).add(room);
  }

  expel(authority: PeerId, room: number, member: PeerId): void {
    const rooms = this.#byAuthority.get(authority);
    const members = rooms?.get(room);
    if (rooms && members) {
      if (members.delete(member)) this.#places.set(authority, this.placesOf(authority) - 1);
      if (members.size === 0) {
        rooms.delete(room);
        this.#lossy.delete(`${authority}/${room}`);
      }
      if (rooms.size === 0) {
        this.#byAuthority.delete(authority);
        this.#places.delete(authority);
      }
    }
    const authorities = this.#byMember.get(member);
    const numbers = authorities?.get(authority);
    if (authorities && numbers) {
      numbers.delete(room);
      if (numbers.size === 0) authorities.delete(authority);
      if (authorities.size === 0) this.#byMember.delete(member);
    }
  }

  /** A peer is gone: its own rooms end, and it is in no other any more. */
  leave(peer: PeerId): void {
    for (const [authority, rooms] of [...(this.#byMember.get(peer) ?? [])]) {
      for (const room of [...rooms]) this.expel(authority, room, peer);
    }
    for (const [room, members] of [...(this.#byAuthority.get(peer) ?? [])]) {
      for (const member of [...members.keys()]) this.expel(peer, room, member);
    }
  }

  mayLose(authority: PeerId, room: number): boolean {
    return this.#lossy.size > 0 && this.#lossy.has(`${authority}/${room}`);
  }

  members(authority: PeerId, room: number): ReadonlyMap<PeerId, Way> | undefined {
    return this.#byAuthority.get(authority)?.get(room);
  }

  isMember(authority: PeerId, room: number, member: PeerId): boolean {
    return this.members(authority, room)?.has(member) ?? false;
  }

  /** Throws when the two indexes disagree: for tests and the simulator. */
  check(): void {
    let forwards = 0;
    for (const [authority, rooms] of this.#byAuthority) {
      for (const [room, members] of rooms) {
        assert(members.size > 0, `room ${authority}/${room} is kept without members`);
        for (const member of members.keys()) {
          assert(this.#byMember.get(member)?.get(authority)?.has(room), `${member} does not know that it is in ${authority}/${room}`);
          forwards += 1;
        }
      }
    }
    let backwards = 0;
    for (const authorities of this.#byMember.values()) for (const rooms of authorities.values()) backwards += rooms.size;
    const places = [...this.#places.values()].reduce((sum, each) => sum + each, 0);
    assert(forwards === places, `rooms list ${forwards} memberships, the count of places is ${places}`);
    assert(forwards === backwards, `rooms list ${forwards} memberships, members ${backwards}`);
  }
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

const newMap = <Key, Value>(): Map<Key, Value> => new Map();
const newSet = <Value>(): Set<Value> => new Set();
