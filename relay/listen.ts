// Opens an HTTP server's port, and closes it again without waiting for idle clients.

import type { Server } from 'node:http';
import { LockstepError } from '../core/errors.ts';

const PORT_MAX = 65_535;

/** @returns the URL that reaches it, with the port that the system chose for 0. @throws LockstepError UNREACHABLE with what to do about it, BAD_PARAMS when it is no port. */
export async function listen(http: Server, host: string, port: number): Promise<string> {
  if (!Number.isInteger(port) || port < 0 || port > PORT_MAX)
    throw new LockstepError('BAD_PARAMS', `a port is a number from 0 to ${PORT_MAX}, found ${String(port)}`);
  await new Promise<void>((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      reject(new LockstepError('UNREACHABLE', sentence(error, host, port), { cause: error }));
    });
    http.listen(port, host, resolve);
  });
  const address = http.address();
  const chosen = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${chosen}`;
}

export async function unlisten(http: Server): Promise<void> {
  const closed = new Promise<void>((resolve) =>
    http.close(() => {
      resolve();
    }),
  );
  http.closeAllConnections();
  await closed;
}

function sentence(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'EADDRINUSE') return `port ${port} of ${host} is in use by another program; PORT chooses another`;
  if (error.code === 'EACCES') return `port ${port} of ${host} is not ours to open; PORT chooses another`;
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return `${host} is not an address of this machine; HOST chooses another`;
  return `cannot listen on ${host}, port ${port}: ${error.message}`;
}
