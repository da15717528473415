// The numbers that a peer gives: to its rooms, and to the senders that the steps of a room name.

import { describe, expect, test } from 'vitest';
import { RoomNumbers } from '../../peer/room-numbers.ts';
import { SenderNumbers } from '../../peer/sender-numbers.ts';
import type { Session } from '../../peer/session.ts';

describe('[SYNC-46] rooms', () => {
  const told = (...numbers: readonly number[]) => ({ room: { numbers } });

  test('each has a number of its own, which finds what is watched in it', () => {
    const rooms = new RoomNumbers<ReturnType<typeof told>>();
    const [front, back] = [told(rooms.next()), told(rooms.next())];
    for (const each of [front, back]) rooms.keep(each);
    const another = rooms.another(front);
    expect([front.room.numbers, back.room.numbers, another]).toEqual([[1], [2], 3]);
    expect([1, 2, 3, 4].map((number) => rooms.get(number))).toEqual([front, back, front, undefined]);
  });

  test('one that has ended finds nothing, the others of the instance stay, and its number is not given again', () => {
    const rooms = new RoomNumbers<ReturnType<typeof told>>();
    const front = told(rooms.next());
    rooms.keep(front);
    const another = rooms.another(front);
    rooms.end(another);
    expect([rooms.get(1), rooms.get(another), rooms.next()]).toEqual([front, undefined, 3]);
    rooms.drop(front);
    expect([rooms.get(1), rooms.next()]).toEqual([undefined, 4]);
  });
});

describe('[SYNC-45] senders', () => {
  const NAMED_MAX = 1_024;
  const made = () => {
    const members = new Set<string>();
    const named: [number, string][] = [];
    const senders = new SenderNumbers({ isMember: (peer) => members.has(peer), named: (who, peer) => named.push([who, peer]) });
    const session = (remote: string) => ({ remote }) as Session;
    return { members, named, senders, session };
  };

  test('a member has a number for as long as it is one; what stands by hears of each', () => {
    const { members, named, senders, session } = made();
    members.add('alice');
    expect([senders.give('alice'), senders.give('alice'), senders.of('alice'), senders.of('bob')]).toEqual([1, 1, 1, 0]);
    members.delete('alice');
    senders.forget(session('alice'));
    expect([senders.of('alice'), senders.give('alice')]).toEqual([0, 2]);
    expect(named).toEqual([
      [1, 'alice'],
      [2, 'alice'],
    ]);
  });

  test('those behind a member lose their numbers with it, but for who is there by another way', () => {
    const { members, senders, session } = made();
    const [one, two] = [session('one'), session('two')];
    for (const each of [one, two]) {
      members.add(each.remote);
      senders.give(each.remote);
    }
    expect([senders.enroll(one, 'leaf'), senders.enroll(one, 'both'), senders.enroll(two, 'both')]).toEqual([3, 4, 4]);
    members.delete('one');
    senders.forget(one);
    expect([senders.isBehind(one, 'leaf'), senders.isBehind(one, 'both'), senders.isBehind(two, 'both')]).toEqual([false, false, true]);
    expect(senders.all()).toEqual([
      [2, 'two'],
      [4, 'both'],
    ]);
    senders.forget(two);
    expect(senders.of('both')).toBe(0);
  });

  test(`of those who are not there the newest ${NAMED_MAX} keep a number, and one that came meanwhile keeps it longer`, () => {
    const { members, senders } = made();
    for (let i = 0; i < NAMED_MAX; i++) senders.name(`p${i}`);
    senders.name('p0');
    members.add('p1');
    expect([senders.of('p0'), senders.of('p1'), senders.of(`p${NAMED_MAX - 1}`)]).toEqual([1, 2, NAMED_MAX]);
    senders.name('x');
    senders.name('y');
    expect(['p0', 'p1', 'p2', 'x', 'y'].map((peer) => senders.of(peer))).toEqual([0, 2, 3, NAMED_MAX + 1, NAMED_MAX + 2]);
  });
});
