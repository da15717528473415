// The way from a peer that serves to its rooms: the relay admits others, and what it says in them it hears itself without the relay.

import type { RoomPort } from './channel.ts';
import { encodeNotice } from './codec-json.ts';
import type { Connection } from './connection.ts';
import type { PeerId } from './wire.ts';

export function roomPort(connection: Pick<Connection, 'self' | 'packed' | 'outbox' | 'ownRooms'>): RoomPort {
  const { outbox, ownRooms } = connection;
  const tell = (method: 'admit' | 'expel', room: number, peer: PeerId, ...may: [] | [true]): void => {
    if (peer !== connection.self) outbox.post('', encodeNotice(method, [room, peer, ...may]));
    else if (method === 'admit') ownRooms.add(room);
    else {
      // What was said in it before is still for us.
      outbox.flush();
      ownRooms.delete(room);
    }
  };
  return {
    packed: () => connection.packed,
    admit: (room, peer, mayLose) => tell('admit', room, peer, ...(mayLose === true ? ([true] as const) : [])),
    expel: (room, peer) => tell('expel', room, peer),
    post: (room, message) => outbox.post(`#${room}`, message),
    barrier: () => outbox.barrier(),
    fits: (message) => outbox.fits('#0000000000', message),
  };
}
