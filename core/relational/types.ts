// What users of a relational machine that runs here hand in and get back. No logic.

import type { EventObject, Json } from '../json.ts';
import type { LocalEnvironment } from '../local.ts';
import type { Mutation, MutationSource } from '../mutation.ts';

/** EXECUTED, CANCELLED, or the tick of the queue at which it will have its turn. */
export type Result = number;
export const EXECUTED = 0;
export const CANCELLED = 1;

/** Args by the state called; those of several states are any of theirs. */
export type ArgsOf<A, K extends string> = K extends keyof A ? A[K] : Json;

export interface MutationOptions {
  /** One that is aborted before its turn is cancelled. */
  readonly signal?: AbortSignal;
  /** For handlers and tools: whose step brings it. */
  readonly source?: MutationSource;
}

/** Hears what happens; every method may be left out. */
export interface RelationalTracer {
  mutationQueued?(mutation: Mutation, tick: number): void;
  transitionStart?(mutation: Mutation): void;
  /** @param isAccepted false: cancelled, nothing changed. */
  transitionEnd?(mutation: Mutation, isAccepted: boolean, time: readonly number[]): void;
  handlerStart?(name: string): void;
  handlerEnd?(name: string, error: unknown): void;
  queueEnd?(): void;
  schemaChange?(names: readonly string[]): void;
  dispose?(): void;
}

export interface RelationalOptions {
  /** Its `actors` run what states invoke. */
  readonly environment: LocalEnvironment;
  /** Default: the machine's id. */
  readonly id?: string;
  /** Mutations that may wait; more are cancelled, but for an exception when there is none. Default 1,000. */
  readonly queueMax?: number;
  /** How long an asynchronous final handler may take, in ms. Default 100. */
  readonly handlerTimeoutMs?: number;
  /** An asynchronous final handler that has not even ended by then is given up, in ms. Default 10,000. */
  readonly handlerDeadlineMs?: number;
  /** For how long every mutation is cancelled when one was given up, in ms. Default 3,000. */
  readonly handlerBackoffMs?: number;
  readonly tracers?: readonly RelationalTracer[];
  /** Who invoked it: hears what handlers send to the parent. */
  readonly parent?: (event: EventObject) => void;
}

/** What export() gives and import() takes: ticks by number, the tick of the queue, and how often it was imported. */
export interface RelationalState {
  readonly id: string;
  readonly names: readonly string[];
  readonly time: readonly number[];
  readonly queueTick: number;
  readonly machineTick: number;
}
