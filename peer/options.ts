// Everything that a program gives a peer, and how it introduces itself with that.

import type { ActorRunner } from '../core/children.ts';
import type { EventObject } from '../core/json.ts';
import type { FoundImpurity, Watcher } from '../core/watch.ts';
import type { Core } from '../core/wasm.ts';
import type { Asking } from './asking.ts';
import type { Environment } from './environment.ts';
import type { Journal } from './journal.ts';
import type { Keep } from './keeping.ts';
import type { Dial } from './link.ts';
import type { Report } from './log.ts';
import type { Binding } from './binding.ts';
import type { Compile, MachineSource } from './machines.ts';
import type { BringPacked } from './packed.ts';
import type { AuthContext } from './policy.ts';
import type { Serving, ServingOptions } from './serving.ts';
import type { Fork } from './succession.ts';
import type { Sights } from './upstream.ts';
import { type Filter, type HelloParams, type InstanceId, type Mode, type PeerId, type PeerKind, PROTOCOL_VERSION } from './wire.ts';

export interface PeerOptions {
  readonly environment: Environment;
  readonly dial: Dial;
  readonly core: Core;
  /** Brings in the whole core when `core` is the small one, with the first image that this one does not run. */
  readonly wholeCore?: () => Promise<Core>;
  /** Whoever has it is this peer: its id derives from it. At most 256 characters. */
  readonly secret: string;
  /** Brings in what this peer does for others, when the first of them asks, or a journal is to be read: `serving` of serving.ts, or a loader of it. */
  readonly serving: (options: ServingOptions) => Serving | Promise<Serving>;
  /** Finds functions for images; `machines.prepare()` loads it for the first definition unless it is given: `binding` of binding.ts. */
  readonly binding?: Binding;
  /** Brings in the packed encoding, before the first dial; without it the peer speaks json. */
  readonly packed?: BringPacked | undefined;
  /** Brings in what keeps partial views, when the first one is watched; loaded then unless given. */
  readonly sights?: () => Sights | Promise<Sights>;
  /** Brings in what asks other peers for more than mirrors, with the first such question; loaded then unless given. */
  readonly asking?: () => { readonly Asking: typeof Asking };
  /** How rooms are to tell it what happens: briefly unless given. */
  readonly mode?: Mode;
  /** For people. */
  readonly name?: string;
  readonly kind?: PeerKind;
  /** A server shows its relay this key. */
  readonly key?: string;
  /** What the relay's `authenticate` judges. */
  readonly token?: string | undefined;
  /** Whether others may find authorities of instances here; true unless said otherwise. */
  readonly hosts?: boolean;
  /** Whether to be told who comes and goes; true unless said otherwise. Without it a lost authority is noticed by the next event. */
  readonly presence?: boolean;
  /** In memory unless given. Whoever gives it closes it. */
  readonly journal?: Journal | undefined;
  readonly compile?: Compile;
  /** Those whose instances the journal may hold are given here, so that these find their functions; others can follow by `machines.add`. */
  readonly machines?: Readonly<Record<string, MachineSource>>;
  /** Answers `eval`; without it `eval` is refused. */
  readonly evaluate?: ((source: string) => string | Promise<string>) | undefined;
  /** Who may use `evaluate`: everyone unless given, and nobody where a machine has authorizers. */
  readonly allowEval?: (authContext: AuthContext) => boolean;
  /** Whether others may define machines here; off unless given. */
  readonly acceptsDefinitions?: boolean;
  readonly report?: Report;
  /** Watches the authors' functions for what makes replicas differ, and says what it finds: in development only, it costs. */
  readonly development?: (found: FoundImpurity) => Watcher;
  /** Keeps the mirrors of this peer beyond its process; with the secret, whose events are sent again under their numbers. */
  readonly keep?: Keep | undefined;
  /** Runs the actors that hosted machines invoke and spawn, but for machines where there is a compiler: those are instances of their own. */
  readonly actors?: ActorRunner;
  /** Hears events that hosted machines emit. */
  readonly emitted?: (instance: InstanceId, event: EventObject) => void;
  /** Peers whose word is taken: for who sent an event, for who orders an instance, to stand by and to hand over. Nobody unless given. */
  readonly trusts?: ((peer: PeerId) => boolean) | undefined;
  /** Hears that another peer orders an instance of this one, in a higher epoch, and which steps that one does not have. */
  readonly fenced?: ((fork: Fork) => void) | undefined;
}

/** With a filter: what of all that its view shows the mirror is told (docs/filters.md). It counts for all who watch the instance here. */
export interface WatchOptions extends Filter {
  /** An instance or authority that is not there yet is waited for. */
  readonly isPatient?: boolean;
  /** Peers to watch at rather than the authority, in order of preference; the authority comes last. Counts for the first who watches it here. */
  readonly sources?: readonly PeerId[];
  /** By which of the views that its machine's author made; what the authority shows unasked unless given. */
  readonly view?: string;
}

export interface OfferOptions {
  /** Who may watch here what the mirror sees; everyone unless given. */
  readonly to?: (peer: PeerId) => boolean;
}

export function helloOf({ secret, name, kind, hosts, evaluate, presence, key, token }: PeerOptions): HelloParams {
  return {
    versions: [PROTOCOL_VERSION],
    encodings: ['json'],
    secret,
    name: name ?? '',
    kind: kind ?? 'node',
    hosts: hosts ?? true,
    eval: evaluate !== undefined,
    presence: presence ?? true,
    ...(key === undefined ? {} : { key }),
    ...(token === undefined ? {} : { token }),
  };
}
