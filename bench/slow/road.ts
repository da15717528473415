// A road from a client to a server that lets through as much as it is told of what comes from there, and everything the other way.

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Road {
  readonly url: string;
  /** @param rate bytes a second that come through from now on; 0: nothing. */
  narrow(rate: number): void;
  /** Everything comes through again, at once. */
  widen(): void;
}

/** Times a second that a narrow road lets something through. */
const STEPS = 10;

/** @param url of the server, on this machine. It is a road for one connection at a time. */
export async function makeRoad(url: string): Promise<Road> {
  let server: Socket | undefined;
  let client: Socket | undefined;
  let ticking: NodeJS.Timeout | undefined;
  const road = createServer((socket) => {
    const other = connect(Number(new URL(url).port), '127.0.0.1');
    socket.pipe(other);
    other.pipe(socket);
    socket.on('close', () => other.destroy());
    other.on('close', () => socket.destroy());
    for (const each of [socket, other]) each.on('error', () => undefined);
    [client, server] = [socket, other];
  });
  await new Promise<void>((resolve) => road.listen(0, '127.0.0.1', resolve));
  const stop = (): void => {
    clearInterval(ticking);
    ticking = undefined;
  };
  return {
    url: `http://127.0.0.1:${(road.address() as AddressInfo).port}`,
    narrow: (rate) => {
      stop();
      server?.unpipe();
      server?.pause();
      if (rate === 0) return;
      const some = rate / STEPS;
      ticking = setInterval(() => {
        const bytes = server?.read(Math.min(some, server.readableLength)) as Buffer | null | undefined;
        if (bytes != null) client?.write(bytes);
        // What is in the socket of the operating system comes in when there is room for it.
        else server?.read(0);
      }, 1000 / STEPS);
    },
    widen: () => {
      stop();
      if (client !== undefined) server?.pipe(client);
    },
  };
}
