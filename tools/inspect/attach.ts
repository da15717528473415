// A tool's peer at a server that tells everything which happens there, on the server and in all tabs, as messages of Stately's inspect
// protocol.

import { randomBytes } from 'node:crypto';
import type { LockstepError } from '../../core/errors.ts';
import { Machine } from '../../core/machine.ts';
import { InspectEmitter, type InspectSink } from '../../peer/inspect/emitter.ts';
import type { Report } from '../../peer/log.ts';
import { Peer } from '../../peer/peer.ts';
import { binding } from '../../peer/binding.ts';
import { serving } from '../../peer/serving.ts';
import type { PeerKind } from '../../peer/wire.ts';
import { nodeEnvironment } from '../../relay/environment.ts';
import { dial } from '../../relay/socket.ts';
import { loadCore } from '../../server/core-file.ts';
import { Collector } from '../trace/collector.ts';

export interface Attached {
  readonly peer: Peer;
  /** Resolves when everyone who was there is followed. @throws LockstepError when the server refuses us for good. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

export interface AttachOptions {
  readonly url: string;
  readonly send: InspectSink;
  /** `tool` unless given; viewers follow any other kind. */
  readonly kind?: PeerKind;
  readonly failed: (error: LockstepError) => void;
  /** Hears what becomes of the link. */
  readonly report?: Report;
}

export async function attach({ url, send, kind = 'tool', failed, report }: AttachOptions): Promise<Attached> {
  const core = await loadCore();
  const emitter = new InspectEmitter({ send, now: () => nodeEnvironment.now(), load: (bytes) => Machine.load(core, bytes) });
  const peer = new Peer({
    environment: nodeEnvironment,
    core,
    serving,
    binding,
    dial: dial(url),
    secret: randomBytes(24).toString('base64url'),
    name: 'inspector',
    kind,
    hosts: false,
    ...(report === undefined ? {} : { report }),
  });
  const collector = new Collector({ peer, model: emitter, changed: () => undefined, failed });
  const begin = async (): Promise<void> => {
    await peer.ready;
    await collector.start();
    await collector.settled();
  };
  return {
    peer,
    ready: begin(),
    close: async () => {
      collector.stop();
      await peer.close();
      emitter.close();
    },
  };
}
