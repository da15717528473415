// lockstep/browser: what a page needs to take part. No compiler, no Node.

export { connect, type ConnectOptions } from './connect.ts';
export { loadCore } from './core.ts';
export { devtools, type DevtoolsExtension, type Shown } from './devtools.ts';
export type { Condition, Observer, Standing, Subscription } from '../core/actor.ts';
export { CODES, type ErrorCode, LockstepError } from '../core/errors.ts';
export type { EventObject, Json, JsonObject } from '../core/json.ts';
export type { Snapshot } from '../core/snapshot.ts';
export { now, random, uuid } from '../core/chance.ts';
export type { Presence } from '../peer/directory.ts';
export type { MachineSource } from '../peer/machines.ts';
export type { AnyMirror, Mirror, MirrorOf, Refusal } from '../peer/mirror.ts';
export { type InspectMessage, inspectTo, type InspectSink } from '../peer/inspect/inspect.ts';
export { Peer } from '../peer/peer.ts';
export type { Fork } from '../peer/succession.ts';
export type * from '../peer/wire.ts';
export { select, type SnapshotOf } from './select.ts';
export { serving } from './serving.ts';
