// Names: which are legal, and who the authority of an instance is. `name` lives at the server, `peer/name` at any other peer; a peer id is
// what the relay derives from the peer's secret (the first 16 characters of its SHA-256 in base64url).

import { LockstepError } from '../core/errors.ts';
import type { InstanceId, PeerId } from './wire.ts';

const NAME = /^[A-Za-z0-9_.:~@-]{1,128}$/;
const INSTANCE = /^(?:[A-Za-z0-9_-]{1,64}\/)?[A-Za-z0-9_.:~@-]{1,128}$/;

/** Whether it can name a machine, or an instance within its authority. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

export function isInstanceId(text: string): boolean {
  return INSTANCE.test(text);
}

/** The peer that is the authority of an instance; null for the server. */
export function ownerOf(instance: InstanceId): PeerId | null {
  const slash = instance.indexOf('/');
  return slash < 0 ? null : instance.slice(0, slash);
}

/**
 * The id of an instance that `peer` hosts under `name`, which may be given with its owner in front.
 * @throws LockstepError FORBIDDEN when the name belongs to another peer, BAD_PARAMS when it is no name.
 */
export function hostedId(name: string, peer: PeerId, isServer: boolean): InstanceId {
  const owner = ownerOf(name);
  const local = owner === null ? name : name.slice(owner.length + 1);
  if (!isName(local))
    throw new LockstepError('BAD_PARAMS', `"${name}" is no instance name: letters, digits and _ . : ~ @ - are allowed, at most 128`);
  if (owner !== null && owner !== peer)
    throw new LockstepError('FORBIDDEN', `instance "${name}" belongs to peer ${owner}, and this is ${peer}`);
  return isServer ? local : `${peer}/${local}`;
}

/** What the relay calls a peer's room in the headers of its frames. */
export function roomAddress(peer: PeerId, room: number | string): string {
  return `#${peer}/${room}`;
}

/** The peer whose room it is. */
export function peerOfRoom(address: string): PeerId {
  return address.slice(1, address.indexOf('/'));
}

/** A text in the letters of names. */
export function letters(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]/g, (letter) => `~${letter.charCodeAt(0).toString(16)}`);
}
