// A peer in a Node program that is a client: one call from a URL to a connected peer.

import { randomBytes } from 'node:crypto';
import { machineCompiler, type LoweringOptions } from '../compiler/index.ts';
import type { EventObject } from '../core/json.ts';
import type { Journal } from '../peer/journal.ts';
import type { Report } from '../peer/log.ts';
import { Peer } from '../peer/peer.ts';
import * as packed from '../peer/codec-packed.ts';
import { binding } from '../peer/binding.ts';
import { serving } from '../peer/serving.ts';
import type { Fork } from '../peer/succession.ts';
import type { Encoding, InstanceId, PeerId, PeerKind } from '../peer/wire.ts';
import { clientEnvironment } from '../relay/environment.ts';
import { dial } from '../relay/socket.ts';
import { loadCore, sharedCore } from './core-file.ts';
import { readMachine } from './guarded.ts';
import { watching } from './development.ts';

export interface ConnectOptions {
  /** For people. */
  readonly name?: string;
  readonly kind?: PeerKind;
  /** Who has it is this peer; made up unless given, so that each call is a new peer. */
  readonly secret?: string;
  /** Machines that this peer knows by name: for its own instances, and to predict those of others. */
  readonly machines?: Readonly<Record<string, unknown>>;
  /** Where its own instances live; in memory unless given. */
  readonly journal?: Journal;
  readonly hosts?: boolean;
  readonly presence?: boolean;
  /** What the server's `authenticate` judges. */
  readonly token?: string;
  readonly evaluate?: (source: string) => string | Promise<string>;
  /** Whether its own machines are lowered where they can be, as `serve` has it. */
  readonly lower?: boolean | LoweringOptions;
  /** Watches guards, assigns and the like for what makes replicas differ, and reports it; on unless NODE_ENV is `production`. */
  readonly development?: boolean;
  /** What the rooms of this peer are to speak; packed unless given. */
  readonly encoding?: Encoding;
  /** Peers whose word is taken: for who sent an event, for who orders an instance, to stand by and to hand over. Nobody unless given. */
  readonly trusts?: (peer: PeerId) => boolean;
  /** Hears that another peer orders an instance of this one, in a higher epoch, and which steps that one does not have. */
  readonly fenced?: (fork: Fork) => void;
  /** Hears what machines emit whose instances this peer orders. */
  readonly emitted?: (instance: InstanceId, event: EventObject) => void;
  readonly report?: Report;
}

/**
 * Connects to the relay, or the server, at `url` (`ws:`, `wss:`, `http:` or `https:`), and stays connected until the peer is closed.
 * Resolves when the relay has answered; while nobody is there it keeps trying.
 * @throws LockstepError BAD_PARAMS when that is no such URL; FORBIDDEN, BAD_VERSION … when the relay refuses this peer for good.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Peer> {
  const { machines = {}, secret = randomBytes(24).toString('base64url'), development, encoding, lower = true, ...rest } = options;
  const peer = new Peer({
    environment: clientEnvironment,
    core: await (rest.journal === undefined && options.machines === undefined ? sharedCore() : loadCore()),
    serving,
    binding,
    ...(encoding === 'json' ? {} : { packed: () => packed }),
    dial: dial(url),
    secret,
    compile: machineCompiler({ lower }),
    ...watching(development),
    ...rest,
  });
  try {
    for (const [name, given] of Object.entries(machines)) {
      const { machine, policy } = readMachine(name, given);
      peer.machines.add(name, { definition: machine, ...(policy === undefined ? {} : { policy }) });
    }
    await peer.ready;
    return peer;
  } catch (error) {
    await peer.close();
    throw error;
  }
}
