// A machine: an image loaded into a core, its names, and (where this replica has them) the author's functions. Shared by all its instances.
// Configurations are keyed here: a number while all states fit 53 bits, else a string; equal keys mean equal configurations.

import {
  IMAGE_SEMANTICS,
  IMAGE_STATES,
  KIND_COMPOUND,
  KIND_PARALLEL,
  NONE16,
  SEMANTICS_RELATIONAL,
  SEMANTICS_SCXML,
  STATE_END,
  STATE_KIND,
  STATE_OUTPUT,
  STATE_PARENT,
  STATE_SIZE,
} from '../assembly/layout.ts';
import { LockstepError } from './errors.ts';
import type { BoundFunctions } from './functions.ts';
import { needsInstance, readImage } from './image.ts';
import type { EventObject, Json } from './json.ts';
import type { FunctionKind, Symbols } from './symbols.ts';
import type { Core, CoreCells } from './wasm.ts';

/** XState's state value: the key of the active child, or an object of them. */
export type StateValue = string | { readonly [key: string]: StateValue };
export type ConfigurationKey = number | string;

/** The states of a machine, or those of them that are shown: what clocks are the clocks of. */
export interface StateNames {
  /** Key paths by number, from 1 on; of a relational machine its names. */
  readonly names: readonly string[];
  readonly isRelational: boolean;
  /** Set where the machine may have others. */
  readonly isPartial?: boolean;
  /** @throws LockstepError for a name that is not among them. */
  stateNumber(name: string): number;
}

/** Kinds of functions that ask for something outside. */
const LOUD: ReadonlySet<FunctionKind> = new Set(['effect', 'builtin', 'invoke', 'stop'] as const);

/** Values kept per machine; a machine has more reachable configurations only in pathological cases. */
const VALUE_CACHE_MAX = 4_096;
const KEY_BITS_MAX = 53;

export class Machine implements StateNames {
  readonly core: Core;
  readonly bytes: Uint8Array;
  /** 16 hex digits. */
  readonly hash: string;
  readonly symbols: Symbols;
  /** Undefined on a replica that only mirrors: it folds differences but cannot run events that ask the author's functions. */
  readonly functions: BoundFunctions | undefined;
  /** The core's handle of the image. */
  readonly handle: number;
  readonly stateCount: number;
  readonly historyCount: number;
  /** u32 words of one configuration. */
  readonly wordCount: number;
  readonly strideBytes: number;
  /** Where its contexts are, when all functions of its steps are programs: the core runs them on every replica, whoever has the author's. */
  readonly cells: CoreCells | undefined;
  /** Whether a replica can run events: the author's functions are there, or none is needed. */
  readonly canRun: boolean;
  /** Whether a replica is to be an Instance, for all that its events ask of it here; else an InstanceCopy is enough. */
  readonly needsInstance: boolean;
  /** Whether no function takes part in a step: the core needs nobody. */
  readonly isAlone: boolean;
  /** Whether SCXML's rules hold where they differ from XState's. */
  readonly isScxml: boolean;
  /** Whether it is a relational machine: its events are mutations. */
  readonly isRelational: boolean;
  /** What the event of a completed state begins with; its id follows. */
  readonly donePrefix: string;
  /** Whether no step asks for anything outside: effects, timers, actors. An assign that spawns an actor after all ends it. */
  isQuiet: boolean;
  /** By function number of an output: the state it belongs to. */
  readonly outputStates: ReadonlyMap<number, number>;
  /** By id. */
  readonly stateNumbers: ReadonlyMap<string, number>;
  /** The author's logic behind the `src` of an actor, where the author's functions are. */
  logicOf: (src: string) => unknown = () => undefined;
  /** Whether an event would do something in a configuration that may be past. core/instance sets it with the first instance. */
  canFrom: (key: ConfigurationKey, context: Json, event: EventObject) => boolean = () => false;
  readonly #parents: Uint16Array;
  readonly #ends: Uint16Array;
  readonly #kinds: Uint8Array;
  readonly #eventNumbers = new Map<string, number>();
  readonly #wildcards: readonly { readonly prefix: string; readonly number: number }[];
  readonly #timerNumbers = new Map<string, number>();

  #names: readonly string[] | undefined;
  readonly #values = new Map<ConfigurationKey, StateValue>();
  readonly #tags = new Map<ConfigurationKey, ReadonlySet<string>>();

  /**
   * Loads an image into the core.
   * @param functions by function number of the image; left out on replicas that only mirror.
   * @throws LockstepError BAD_IMAGE, MISSING_FUNCTION when `functions` does not fit the image.
   */
  static load(core: Core, bytes: Uint8Array, functions?: BoundFunctions): Machine {
    return new Machine(core, bytes, functions);
  }

  private constructor(core: Core, bytes: Uint8Array, functions: BoundFunctions | undefined) {
    const image = readImage(bytes, core.hashBytes);
    this.core = core;
    this.bytes = bytes;
    this.hash = image.hash;
    this.symbols = image.symbols;
    const wanted = image.symbols.functions.length;
    if (functions !== undefined && functions.length !== wanted) {
      throw new LockstepError(
        'MISSING_FUNCTION',
        `machine ${image.symbols.id} names ${wanted} host functions, ${functions.length} were bound`,
      );
    }
    // An image without host functions runs everywhere.
    const needsAuthor = image.symbols.cells === undefined ? wanted > 0 : image.symbols.functions.some(({ kind }) => kind === 'effect');
    this.functions = functions ?? (needsAuthor ? undefined : []);
    if (image.symbols.cells !== undefined && core.programs === undefined)
      throw new LockstepError('CORE', `machine ${image.symbols.id} has programs, and supportPrograms() was not called for this core`);
    this.handle = core.loadImage(bytes);
    this.stateCount = image.symbols.states.length;
    this.historyCount = image.symbols.histories.length;
    this.isAlone = wanted === 0;
    this.isQuiet = image.symbols.timers.length === 0 && !image.symbols.functions.some(({ kind }) => LOUD.has(kind));
    this.needsInstance = needsInstance(bytes, functions !== undefined);
    this.wordCount = (this.stateCount + 31) >>> 5;
    this.strideBytes = core.exports.stride(this.handle);
    this.cells = image.symbols.cells === undefined ? undefined : core.programs!.take(this.handle, this.strideBytes, image.symbols);
    this.canRun = this.functions !== undefined || this.cells !== undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const semantics = view.getUint32(IMAGE_SEMANTICS, true);
    this.isScxml = (semantics & SEMANTICS_SCXML) !== 0;
    this.isRelational = (semantics & SEMANTICS_RELATIONAL) !== 0;
    this.donePrefix = this.isScxml ? 'done.state.' : 'xstate.done.state.';
    const states = view.getUint32(IMAGE_STATES, true);
    this.#parents = new Uint16Array(this.stateCount);
    this.#ends = new Uint16Array(this.stateCount);
    this.#kinds = new Uint8Array(this.stateCount);
    const outputStates = new Map<number, number>();
    const stateNumbers = new Map<string, number>();
    for (let state = 0; state < this.stateCount; state++) {
      const at = states + state * STATE_SIZE;
      this.#parents[state] = view.getUint16(at + STATE_PARENT, true);
      this.#ends[state] = view.getUint16(at + STATE_END, true);
      this.#kinds[state] = view.getUint8(at + STATE_KIND);
      const output = view.getUint16(at + STATE_OUTPUT, true);
      if (output !== NONE16) outputStates.set(output, state);
      stateNumbers.set(image.symbols.states[state]!.id, state);
    }
    this.outputStates = outputStates;
    this.stateNumbers = stateNumbers;
    this.#wildcards = this.#indexEvents();
    image.symbols.timers.forEach((type, timer) => this.#timerNumbers.set(type, timer));
  }

  /** Exact names go into the map; wildcard descriptors are kept longest first. */
  #indexEvents(): { prefix: string; number: number }[] {
    const wildcards: { prefix: string; number: number }[] = [];
    this.symbols.events.forEach((descriptor, number) => {
      if (number === 0) return;
      if (descriptor === '*') wildcards.push({ prefix: '', number });
      else if (descriptor.endsWith('.*')) wildcards.push({ prefix: descriptor.slice(0, -1), number });
      else this.#eventNumbers.set(descriptor, number);
    });
    return wildcards.sort((a, b) => b.prefix.length - a.prefix.length);
  }

  /** The event number of a type: its own, that of the longest wildcard descriptor that matches, or 0 when nothing names it. */
  eventNumber(type: string): number {
    const known = this.#eventNumbers.get(type);
    if (known !== undefined) return known;
    const wildcard = this.#wildcards.find(({ prefix }) => prefix === '' || type.startsWith(prefix) || type === prefix.slice(0, -1));
    return wildcard === undefined ? 0 : wildcard.number;
  }

  /** The timer that sends this event type when it fires, if any. */
  timerNumber(type: string): number | undefined {
    return this.#timerNumbers.size === 0 ? undefined : this.#timerNumbers.get(type);
  }

  /** State number of an id (`#` in front is allowed), or of a key path from the root like `a.b`. @throws LockstepError BAD_PARAMS */
  stateNumber(name: string): number {
    const id = name.startsWith('#') ? name.slice(1) : name;
    const number = this.stateNumbers.get(id) ?? this.stateNumbers.get(`${this.symbols.states[0]!.id}.${id}`);
    if (number === undefined) throw new LockstepError('BAD_PARAMS', `machine ${this.symbols.id} has no state "${name}"`);
    return number;
  }

  get names(): readonly string[] {
    return (this.#names ??= this.symbols.states.slice(1).map((_, index) => this.#path(index + 1)));
  }

  #path(state: number): string {
    const { key } = this.symbols.states[state]!;
    return this.#parents[state] === 0 ? key : `${this.#path(this.#parents[state]!)}.${key}`;
  }

  parent(state: number): number {
    return this.#parents[state]!;
  }

  kind(state: number): number {
    return this.#kinds[state]!;
  }

  /** Direct children in document order. */
  children(state: number): number[] {
    const children: number[] = [];
    for (let child = state + 1; child <= this.#ends[state]!; child = this.#ends[child]! + 1) children.push(child);
    return children;
  }

  /** The key of the configuration whose words begin at word index `at` of the core's memory. */
  configurationKey(words: Uint32Array, at: number): ConfigurationKey {
    if (this.stateCount <= 32) return words[at]!;
    if (this.stateCount <= KEY_BITS_MAX) return words[at]! + words[at + 1]! * 0x1_0000_0000;
    let key = '';
    for (let i = 0; i < this.wordCount; i++) key += String.fromCharCode(words[at + i]! & 0xffff, words[at + i]! >>> 16);
    return key;
  }

  isActive(key: ConfigurationKey, state: number): boolean {
    if (typeof key === 'string') return ((key.charCodeAt(state >>> 4) >>> (state & 15)) & 1) === 1;
    return state < 32 ? ((key >>> state) & 1) === 1 : ((Math.floor(key / 0x1_0000_0000) >>> (state - 32)) & 1) === 1;
  }

  /** Ids of the active states, document order. */
  active(key: ConfigurationKey): readonly string[] {
    return this.symbols.states.filter((_, state) => this.isActive(key, state)).map(({ id }) => id);
  }

  /** XState's state value; the same frozen object for the same configuration. */
  value(key: ConfigurationKey): StateValue {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const value = this.#valueOf(key, 0);
    if (this.#values.size < VALUE_CACHE_MAX) this.#values.set(key, value);
    return value;
  }

  #valueOf(key: ConfigurationKey, state: number): StateValue {
    if (this.#kinds[state] === KIND_COMPOUND) {
      const child = this.children(state).find((candidate) => this.isActive(key, candidate));
      if (child === undefined) return Object.freeze({});
      const name = this.symbols.states[child]!.key;
      if (this.#kinds[child] !== KIND_COMPOUND && this.#kinds[child] !== KIND_PARALLEL) return name;
      return Object.freeze({ [name]: this.#valueOf(key, child) });
    }
    if (this.#kinds[state] !== KIND_PARALLEL) return Object.freeze({});
    const regions: Record<string, StateValue> = {};
    const children = this.children(state);
    // Of a relational machine any may be active.
    for (const child of this.isRelational ? children.filter((each) => this.isActive(key, each)) : children)
      regions[this.symbols.states[child]!.key] = this.#valueOf(key, child);
    return Object.freeze(regions);
  }

  tags(key: ConfigurationKey): ReadonlySet<string> {
    const known = this.#tags.get(key);
    if (known !== undefined) return known;
    const tags = new Set(
      this.symbols.states.flatMap((symbol, state) => (symbol.tags !== undefined && this.isActive(key, state) ? symbol.tags : [])),
    );
    if (this.#tags.size < VALUE_CACHE_MAX) this.#tags.set(key, tags);
    return tags;
  }
}

/** XState's `matches`: whether `value` lies within `pattern`, which may stop at any depth. */
export function matchesValue(pattern: Json, value: StateValue): boolean {
  if (typeof pattern === 'string') {
    if (typeof value === 'string') return value === pattern;
    return pattern.includes('.') ? matchesValue(pathToValue(pattern), value) : Object.hasOwn(value, pattern);
  }
  if (typeof pattern !== 'object' || pattern === null || Array.isArray(pattern)) return false;
  if (typeof value === 'string') return false;
  return Object.entries(pattern).every(([key, inner]) => Object.hasOwn(value, key) && matchesValue(inner as Json, value[key]!));
}

function pathToValue(path: string): Json {
  const keys = path.split('.');
  return keys.reduceRight<Json>((inner, key) => (inner === '' ? key : { [key]: inner }), '');
}
