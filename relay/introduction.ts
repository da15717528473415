// What a peer says of itself in hello, and what the relay makes of it: its name, by what it is known by; who it is, by what it shows; and the
// encoding that both speak.

import { LockstepError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { ENCODINGS, PROTOCOL_VERSION } from '../peer/wire.ts';
import type { Encoding, HelloParams, PeerId, PeerInfo } from '../peer/wire.ts';

/** What a peer says of itself, without what it is known by. */
export type Introduction = Omit<HelloParams, 'secret' | 'key'> & { readonly peer: PeerId };
/** @returns its auth context, plain JSON; undefined for one of whom nothing is known. */
export type Authenticate = (hello: Introduction) => Json | undefined | Promise<Json | undefined>;

/** What the relay knows of peers. */
interface Known {
  /** Of the server. */
  readonly key: string | undefined;
  readonly identify: (secret: string) => PeerId;
  /** The name of the server. */
  readonly server: PeerId;
}

/** Who it is by what it is known by. @throws LockstepError BAD_VERSION, FORBIDDEN */
export function identified(hello: HelloParams, relay: Known): PeerInfo {
  if (!hello.versions.includes(PROTOCOL_VERSION)) {
    throw new LockstepError('BAD_VERSION', `this relay speaks version ${PROTOCOL_VERSION}, found ${hello.versions.join(', ') || 'none'}`);
  }
  if (hello.key !== undefined && hello.key !== relay.key) throw new LockstepError('FORBIDDEN', 'the key is not the key of this relay');
  if (hello.kind === 'server' && hello.key === undefined) {
    throw new LockstepError('FORBIDDEN', 'a server presents the key of its relay, found none');
  }
  const peer = hello.kind === 'server' ? relay.server : relay.identify(hello.secret);
  return { peer, name: hello.name, kind: hello.kind, hosts: hello.hosts, eval: hello.eval };
}

/** The first that both speak, by the peer's own preference. @throws LockstepError BAD_VERSION */
export function encodingOf({ encodings }: HelloParams): Encoding {
  for (const wanted of encodings) for (const encoding of ENCODINGS) if (wanted === encoding) return encoding;
  throw new LockstepError('BAD_VERSION', `this relay speaks ${ENCODINGS.join(' and ')}, found ${encodings.join(', ') || 'none'}`);
}

/** Without what the peer is known by, which is nobody else's. */
export function introductionOf(hello: HelloParams, peer: PeerId): Introduction {
  const said = Object.entries(hello).filter(([field]) => field !== 'secret' && field !== 'key');
  return { ...(Object.fromEntries(said) as Omit<HelloParams, 'secret' | 'key'>), peer };
}
