// lockstep: what runs everywhere. Peers and their mirrors, local machines, images, and the words for time and chance inside a step.

export { Actor, type Condition, type Observer, type Standing, type Subscription } from '../core/actor.ts';
export { bind } from '../core/bind.ts';
export { CODES, type ErrorCode, LockstepError } from '../core/errors.ts';
export { readImage } from '../core/image.ts';
export type { EventObject, Json, JsonObject } from '../core/json.ts';
export { type LocalActor, type LocalEnvironment, LocalSystem } from '../core/local.ts';
export { Machine } from '../core/machine.ts';
export type { HandlerEvent } from '../core/handlers.ts';
export { mutation, type Mutation, type MutationKind, type MutationSource } from '../core/mutation.ts';
export { MachineGroup } from '../core/relational/group.ts';
export * as pipes from '../core/relational/pipes.ts';
export { RelationalMachine } from '../core/relational/local.ts';
export {
  CANCELLED,
  EXECUTED,
  type RelationalOptions,
  type RelationalState,
  type RelationalTracer,
  type Result,
} from '../core/relational/types.ts';
export type { WaitOptions } from '../core/relational/waits.ts';
export type { Snapshot } from '../core/snapshot.ts';
export { now, random, uuid } from '../core/chance.ts';
export type { Step } from '../core/step.ts';
export { Core } from '../core/wasm.ts';
export type { Environment } from './environment.ts';
export { type InspectMessage, inspectTo, type InspectSink } from './inspect/inspect.ts';
export type { Journal } from './journal.ts';
export type { Dial, Link } from './link.ts';
export { MemoryJournal } from './memory.ts';
export type { AnyMirror, Mirror, MirrorOf, Refusal } from './mirror.ts';
export { Peer, type PeerOptions } from './peer.ts';
export { Presence } from './presence.ts';
export { layBetween, type LaidBetween } from './laid-pipes.ts';
export { RelationalMirror } from './relational-mirror.ts';
export type { WatchOptions } from './options.ts';
export { binding } from './binding.ts';
export { serving } from './serving.ts';
export type { Fork } from './succession.ts';
export type * from './wire.ts';
