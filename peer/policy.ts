// Who may see and do what with the instances of a machine: functions that stand beside it. docs/views.md describes it.

import type { EventObject, Json } from '../core/json.ts';
import type { Shown, Whole } from './sighting.ts';
import type { InstanceId, PeerId } from './wire.ts';

/** Who a reader is, as whoever let it in says; `{ auth: 'anonymous', peer }` when nobody says anything. */
export type AuthContext = Json;

/** A peer of whom nothing is known but that it has its secret. */
export function anonymous(peer: PeerId): AuthContext {
  return { auth: 'anonymous', peer };
}

/** Asked of every reader before it sees anything, and again after each step. */
export interface ReadQuestion<TContext = Json, TAuth = AuthContext> extends Omit<Whole<TContext>, 'value'> {
  readonly machineInstanceName: InstanceId;
  /** XState's state value. */
  readonly state: Json;
  /** Under which name it is looked at: `public`, or one of `views`. */
  readonly view: string;
  readonly authContext: TAuth;
}

/** Asked of every writer about each thing that it wants to write. */
export type WriteQuestion<TContext = Json, TAuth = AuthContext> =
  | {
      readonly type: 'initialization';
      readonly machineInstanceName: InstanceId;
      /** The input, as the caller gave it. */
      readonly context: Json;
      readonly authContext: TAuth;
    }
  | {
      readonly type: 'event';
      readonly machineInstanceName: InstanceId;
      readonly event: EventObject;
      readonly state: Json;
      readonly context: TContext;
      readonly authContext: TAuth;
    }
  | {
      /** The instance is to go on with the schema that the name of its machine means now. */
      readonly type: 'schema';
      readonly machineInstanceName: InstanceId;
      readonly state: Json;
      readonly context: TContext;
      readonly authContext: TAuth;
    };

/** Asked of whoever wants to delete an instance. */
export type DeleteQuestion<TContext = Json, TAuth = AuthContext> = Omit<ReadQuestion<TContext, TAuth>, 'view'>;

/**
 * What a reader sees. A function of the instance alone, or of instance and reader; only what it returns is ever sent. One that takes no
 * second parameter is not given the reader, and its readers share what is made once. `all`: everything, image and trace included.
 */
export type View<TContext = Json, TAuth = AuthContext> = 'all' | ((instance: Whole<TContext>, authContext: TAuth) => Shown);

/**
 * All of them synchronous and without side effects; what throws, or answers anything but `true`, denies. A policy without a function denies
 * what it would allow. The types are what its author says of the machine and of `authenticate`.
 */
export interface Policy<TContext = Json, TAuth = AuthContext> {
  readonly allowRead?: (question: ReadQuestion<TContext, TAuth>) => boolean;
  readonly allowWrite?: (question: WriteQuestion<TContext, TAuth>) => boolean;
  readonly allowDelete?: (question: DeleteQuestion<TContext, TAuth>) => boolean;
  /** Besides `public`, which it may replace. */
  readonly views?: Readonly<Record<string, View<TContext, TAuth>>>;
}

/** Nobody may do anything: actors of a machine with authorizers that has none for them. */
export const SEALED: Policy = Object.freeze({});
