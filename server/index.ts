// A server: a relay, the authority of durable instances, and the pages, in one process. Public entry `lockstep/server`.
// An event is answered, told and acted on only when the journal has it; what was answered survives what the journal survives.

import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { xstateActors } from '../compiler/actors.ts';
import { machineCompiler, type LoweringOptions } from '../compiler/index.ts';
import { LockstepError } from '../core/errors.ts';
import type { EventObject, Json } from '../core/json.ts';
import { InspectIntake } from '../peer/inspect/intake.ts';
import type { Journal } from '../peer/journal.ts';
import type { Dial } from '../peer/link.ts';
import type { Report } from '../peer/log.ts';
import { linkPair } from '../peer/pair.ts';
import { Peer } from '../peer/peer.ts';
import * as packed from '../peer/codec-packed.ts';
import type { AuthContext } from '../peer/policy.ts';
import { binding } from '../peer/binding.ts';
import type { Fork } from '../peer/succession.ts';
import { serving } from '../peer/serving.ts';
import type { InstanceId, PeerId } from '../peer/wire.ts';
import { nodeEnvironment } from '../relay/environment.ts';
import { Gate } from '../relay/gate.ts';
import { Hub } from '../relay/hub.ts';
import type { Authenticate } from '../relay/introduction.ts';
import { identify } from '../relay/identify.ts';
import { listen, unlisten } from '../relay/listen.ts';
import { dial, serveSockets } from '../relay/socket.ts';
import { loadCore } from './core-file.ts';
import { watching } from './development.ts';
import { readMachine } from './guarded.ts';
import { createHttp } from './http.ts';
import { measured } from './report.ts';
import { SqliteJournal } from './journal/sqlite.ts';
import { VERSION } from './version.ts';

export type { AuthContext, Policy, ReadQuestion, View, WriteQuestion } from '../peer/policy.ts';
export { MemoryJournal } from '../peer/memory.ts';
export { Peer, type PeerOptions } from '../peer/peer.ts';
export type { Fork } from '../peer/succession.ts';
export { nodeEnvironment } from '../relay/environment.ts';
export { dial } from '../relay/socket.ts';
export { connect, type ConnectOptions } from './connect.ts';
export { loadCore } from './core-file.ts';
export { SqliteJournal } from './journal/sqlite.ts';

export interface ServeOptions {
  /**
   * The machines that this server runs, by name: what `createMachine` returns, its config, or a definition in another dialect; or
   * `{ machine, allowRead, allowWrite, allowDelete, views }` for one that is not for everyone (docs/views.md).
   */
  readonly machines?: Readonly<Record<string, unknown>>;
  /** Directory of the journal; made when it is not there. `./data` unless given. */
  readonly data?: string;
  /** Instead of a file under `data`. Whoever gives it closes it. */
  readonly journal?: Journal;
  /** 127.0.0.1 unless given. */
  readonly host?: string;
  /** 7400 unless given; 0 lets the system choose. */
  readonly port?: number;
  /** Says who a peer is, by what it says of itself in `hello`, its token for instance; without it everyone is anonymous. A relay elsewhere has its own. */
  readonly authenticate?: Authenticate;
  /** Who may use `evaluate`: everyone unless given, and nobody where a machine has authorizers. */
  readonly allowEval?: (authContext: AuthContext) => boolean;
  /** Connects to a relay elsewhere instead of being one. */
  readonly relay?: { readonly url: string; readonly key: string };
  /** Origins of pages that may connect besides those of this host, e.g. `https://app.example`. */
  readonly origins?: readonly string[];
  /** Directory of pages to serve. */
  readonly pages?: string;
  /** Answers lines of a REPL; without it `eval` is refused. */
  readonly evaluate?: (source: string) => string | Promise<string>;
  /** Whether other peers may define machines here; off unless given. */
  readonly acceptsDefinitions?: boolean;
  /**
   * Whether machines whose functions can all be lowered are; they are unless `false` is given. With what is known of names outside the
   * functions: `modules`, `constants`. What cannot be lowered is hosted.
   */
  readonly lower?: boolean | LoweringOptions;
  /** Watches guards, assigns and the like for what makes replicas differ, and reports it; on unless NODE_ENV is `production`. */
  readonly development?: boolean;
  /** Peers whose word is taken: for who sent an event, for who orders an instance, to stand by and to hand over. Nobody unless given. */
  readonly trusts?: (peer: PeerId) => boolean;
  /** Hears that another peer orders an instance of this server, in a higher epoch, and which steps that one does not have. */
  readonly fenced?: (fork: Fork) => void;
  /** Hears what machines emit whose instances this server orders. */
  readonly emitted?: (instance: InstanceId, event: EventObject) => void;
  readonly report?: Report;
}

export interface Server {
  readonly url: string;
  readonly peer: Peer;
  /** What an answered event survives: see Journal. */
  readonly survives: Journal['survives'];
  /** Creates an instance, or leaves the one that is there as it is. @returns its name. @throws LockstepError UNKNOWN_MACHINE, HOST_THREW … */
  create(machine: string, instance?: string, input?: Json): Promise<InstanceId>;
  /** Takes no more, writes what is under way, says goodbye, and ends. */
  close(): Promise<void>;
}

/** Milliseconds for the last answers and the goodbyes to leave before the sockets are cut. */
const GOODBYE_MS = 50;
/** Where plain XState programs report, through Stately's inspect protocol. */
const INSPECT_PATH = '/inspect';
/** `/health` counts instances up to this many. */
const COUNT_MAX = 10_000;

/**
 * Runs a server until it is closed.
 * @throws LockstepError STORAGE when the data directory cannot be used, CORRUPT when it is damaged, UNREACHABLE when the port cannot be
 *   had, and what is wrong with a machine; nothing is left open then.
 */
export async function serve(options: ServeOptions = {}): Promise<Server> {
  const { host = '127.0.0.1', port = 7400, origins = [] } = options;
  const core = await loadCore();
  const gate = new Gate({ host, origins });

  const reporting = options.report === undefined ? {} : { report: measured(options.report, nodeEnvironment) };

  // The relay: in this process, or elsewhere.
  const key = options.relay?.key ?? randomBytes(18).toString('base64url');
  const hub =
    options.relay === undefined
      ? new Hub({
          environment: nodeEnvironment,
          identify,
          key,
          ...(options.authenticate === undefined ? {} : { authenticate: options.authenticate }),
        })
      : undefined;
  const way = hub === undefined ? dial(options.relay?.url ?? '') : dialHub(hub);

  const ownJournal = options.journal === undefined ? openJournal(options.data ?? 'data') : undefined;
  const journal = options.journal ?? ownJournal;
  if (journal === undefined) throw new LockstepError('STORAGE', 'there is no journal');
  const peer = new Peer({
    environment: nodeEnvironment,
    core,
    serving,
    binding,
    packed: () => packed,
    dial: way,
    kind: 'server',
    name: 'server',
    key,
    secret: randomBytes(24).toString('base64url'),
    journal,
    compile: machineCompiler({ lower: options.lower ?? true }),
    actors: xstateActors({ timer: (delayMs, callback) => nodeEnvironment.timer(delayMs, callback) }),
    acceptsDefinitions: options.acceptsDefinitions ?? false,
    ...watching(options.development),
    ...(options.evaluate === undefined ? {} : { evaluate: options.evaluate }),
    ...(options.trusts === undefined ? {} : { trusts: options.trusts }),
    ...(options.fenced === undefined ? {} : { fenced: options.fenced }),
    ...(options.emitted === undefined ? {} : { emitted: options.emitted }),
    ...(options.allowEval === undefined ? {} : { allowEval: options.allowEval }),
    ...reporting,
  });

  const intake = new InspectIntake({
    environment: nodeEnvironment,
    tracer: peer.tracer,
    ...reporting,
  });

  const http = createHttp({
    gate,
    hasSockets: hub !== undefined,
    health: async () => ({
      status: peer.isConnected ? 'ok' : 'unconnected',
      version: VERSION,
      survives: journal.survives,
      ...(await count(journal)),
      peers: peer.peers().length,
    }),
    // Pages talk to the relay that they came from.
    ...(options.pages === undefined || hub === undefined ? {} : { pages: options.pages }),
  });
  const endSockets =
    hub === undefined
      ? undefined
      : serveSockets({
          http,
          gate,
          accept: (link, path) => {
            if (path === INSPECT_PATH) intake.attach(link);
            else hub.attach(link);
          },
        });

  const close = async (): Promise<void> => {
    await peer.close();
    await new Promise((resolve) => setImmediate(resolve));
    hub?.close('the server is closing');
    if (http.listening) {
      await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS));
      endSockets?.();
      await unlisten(http);
    } else {
      endSockets?.();
    }
    await ownJournal?.close();
  };

  try {
    for (const [name, given] of Object.entries(options.machines ?? {})) {
      const { machine, policy } = readMachine(name, given);
      peer.machines.add(name, { definition: machine, ...(policy === undefined ? {} : { policy }) });
    }
    // Nobody is let in before there is a server to talk to. A relay elsewhere may come later; the peer keeps trying.
    if (hub !== undefined) await peer.ready;
    const url = await listen(http, host, port);
    let closing: Promise<void> | undefined;
    return {
      url,
      peer,
      survives: journal.survives,
      create: (machine, instance, input) => createOnce(peer, machine, instance, input),
      close: () => (closing ??= close()),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The file `journal.sqlite` in `data`. @throws LockstepError STORAGE, CORRUPT */
function openJournal(data: string): SqliteJournal {
  try {
    mkdirSync(data, { recursive: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LockstepError('STORAGE', `the data directory ${data} cannot be made: ${reason}`, { cause: error });
  }
  return new SqliteJournal(join(data, 'journal.sqlite'));
}

/** What comes after it comes in this turn; queueMicrotask would make an object for each callback, to tell who asked for it. */
const SETTLED = Promise.resolve();

/** A link within the process: frames cross before the turn ends, so that beside sockets it costs no turn of its own. */
function dialHub(hub: Hub): Dial {
  return async () => {
    const [near, far] = linkPair({ ...nodeEnvironment, defer: (hand) => void SETTLED.then(hand) });
    hub.attach(far);
    return near;
  };
}

async function createOnce(peer: Peer, machine: string, instance: string | undefined, input: Json | undefined): Promise<InstanceId> {
  try {
    const created = await peer.create(machine, {
      ...(instance === undefined ? {} : { instance }),
      ...(input === undefined ? {} : { input }),
    });
    return created.instance;
  } catch (error) {
    if (instance !== undefined && error instanceof LockstepError && error.code === 'EXISTS') return instance;
    throw error;
  }
}

async function count(journal: Journal): Promise<{ readonly instances: number; readonly more?: true }> {
  const found = await journal.list({ limit: COUNT_MAX + 1 });
  return found.length > COUNT_MAX ? { instances: COUNT_MAX, more: true } : { instances: found.length };
}
