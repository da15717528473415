// Who hears what: the members of each room, and the rooms of each member. A room belongs to one authority, which alone admits and
// expels; it is gone when its authority is. Both indexes always say the same (`check`), and an empty room is no room.

import { assert } from '../core/errors.ts';
import type { PeerId } from '../peer/wire.ts';

interface Room<Way> {
  readonly authority: PeerId;
  readonly number: number;
  readonly members: Map<PeerId, Way>;
  /** Whether it loses frames before any other does. */
  mayLose: boolean;
}

/** What a peer has given. */
interface Given<Way> {
  readonly rooms: Map<number, Room<Way>>;
  /** Memberships in all its rooms. */
  places: number;
}

/** @template Way how a member is reached: with a room at hand, nobody is looked up by name. */
export class Rooms<Way> {
  readonly #byAuthority = new Map<PeerId, Given<Way>>();
  readonly #byMember = new Map<PeerId, Set<Room<Way>>>();

  /** How many places in its rooms a peer has given. */
  placesOf(authority: PeerId): number {
    return this.#byAuthority.get(authority)?.places ?? 0;
  }

  /** @param way the member's for as long as it is here: it leaves before it comes back by another. */
  admit(authority: PeerId, number: number, member: PeerId, way: Way, mayLose = false): void {
    let given = this.#byAuthority.get(authority);
    if (given === undefined) this.#byAuthority.set(authority, (given = { rooms: new Map(), places: 0 }));
    let room = given.rooms.get(number);
    if (room === undefined) given.rooms.set(number, (room = { authority, number, members: new Map(), mayLose: false }));
    room.mayLose ||= mayLose;
    if (room.members.has(member)) return;
    room.members.set(member, way);
    given.places += 1;
    const heard = this.#byMember.get(member);
    if (heard === undefined) this.#byMember.set(member, new Set<Room<Way>>().add(room));
    else heard.add(room);
  }

  expel(authority: PeerId, number: number, member: PeerId): void {
    const room = this.#byAuthority.get(authority)?.rooms.get(number);
    if (room !== undefined) this.#part(room, member);
  }

  #part(room: Room<Way>, member: PeerId): void {
    const given = this.#byAuthority.get(room.authority);
    if (given === undefined || !room.members.delete(member)) return;
    given.places -= 1;
    if (room.members.size === 0) given.rooms.delete(room.number);
    if (given.rooms.size === 0) this.#byAuthority.delete(room.authority);
    const heard = this.#byMember.get(member);
    heard?.delete(room);
    if (heard?.size === 0) this.#byMember.delete(member);
  }

  /** A peer is gone: its own rooms end, and it is in no other any more. */
  leave(peer: PeerId): void {
    for (const room of [...(this.#byMember.get(peer) ?? [])]) this.#part(room, peer);
    for (const room of [...(this.#byAuthority.get(peer)?.rooms.values() ?? [])])
      for (const member of [...room.members.keys()]) this.#part(room, member);
  }

  mayLose(authority: PeerId, number: number): boolean {
    return this.#byAuthority.get(authority)?.rooms.get(number)?.mayLose ?? false;
  }

  members(authority: PeerId, number: number): ReadonlyMap<PeerId, Way> | undefined {
    return this.#byAuthority.get(authority)?.rooms.get(number)?.members;
  }

  /** Throws when the two indexes disagree: for tests and the simulator. */
  check(): void {
    let forwards = 0;
    let places = 0;
    for (const [authority, given] of this.#byAuthority) {
      places += given.places;
      for (const [number, room] of given.rooms) {
        assert(room.members.size > 0, `room ${authority}/${number} is kept without members`);
        for (const member of room.members.keys()) {
          assert(this.#byMember.get(member)?.has(room), `${member} does not know that it is in ${authority}/${number}`);
          forwards += 1;
        }
      }
    }
    let backwards = 0;
    for (const rooms of this.#byMember.values()) backwards += rooms.size;
    assert(forwards === places, `rooms list ${forwards} memberships, the count of places is ${places}`);
    assert(forwards === backwards, `rooms list ${forwards} memberships, members ${backwards}`);
  }
}
