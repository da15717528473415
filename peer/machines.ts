// The machines that a peer knows: what each name means now, every image by its hash, and the author's functions bound to them. An
// instance is pinned to the image it began with; the functions that are registered under its machine's name are bound to that image.

import { LockstepError } from '../core/errors.ts';
import { type HashBytes, hasPrograms, needsInstance, readImage, semanticsOf } from '../core/image.ts';
import type { Instance } from '../core/instance.ts';
import { Machine } from '../core/machine.ts';
import type { Watcher } from '../core/watch.ts';
import type { Core } from '../core/wasm.ts';
import type { Binding } from './binding.ts';
import { isName, letters } from './identity.ts';
import type { Report } from './log.ts';
import type { Policy } from './policy.ts';
import type { MachineDescription } from './wire.ts';

/** A definition in some dialect, ready to be loaded. */
export interface Compiled {
  readonly image: Uint8Array;
  /** Where the functions of the image are found: the definition itself, or what its dialect makes of it. */
  readonly definition: unknown;
}

/** Makes an image of a definition: the machine object, its config, or whatever dialects there are. @throws LockstepError BAD_DEFINITION, UNSUPPORTED */
export type Compile = (definition: unknown) => Compiled;

export interface MachineSource {
  /** Compiled already; else `definition` is compiled here. */
  readonly image?: Uint8Array;
  /** The author's machine object, `{ config, implementations }`, or bare config: where host functions are found. */
  readonly definition?: unknown;
  /** Who may see and do what; without it those who might before, anyone anything where none was ever given. */
  readonly policy?: Policy;
}

export interface Known {
  readonly machine: Machine;
  /** As it was given. */
  readonly source: unknown;
  /** Where functions are found. */
  readonly definition: unknown;
  /** By the program that runs this peer, not through `define`: no other peer may replace it. */
  readonly isOwn: boolean;
  readonly policy?: Policy | undefined;
  /** Only the journal knows of it. */
  readonly isRestored?: true;
}

/** By image. */
const bareIn = new WeakMap<Core, Map<string, Machine>>();

/** Without the author's functions a machine is the same for all peers in a core. */
function bare(core: Core, bytes: Uint8Array, hash: string): Machine {
  let machines = bareIn.get(core);
  if (machines === undefined) bareIn.set(core, (machines = new Map()));
  let machine = machines.get(hash);
  if (machine === undefined) machines.set(hash, (machine = Machine.load(core, bytes)));
  return machine;
}

export class Machines {
  readonly #core: Core;
  readonly hashBytes: HashBytes;
  /** For images that #core does not run; machines that are loaded stay where they are. */
  #whole: Core | undefined;
  readonly #wholeCore: (() => Promise<Core>) | undefined;
  #binding: Binding | undefined;
  /** Makes replicas of machines that need more than a copy; undefined until one does, or this peer serves. */
  instances: typeof Instance | undefined;
  readonly #compile: Compile | undefined;
  readonly #watcher: Watcher | undefined;
  readonly #report: Report;
  readonly #added: (name: string) => void;
  readonly #known = new Map<string, Known>();
  /** Whether any of them has authorizers. */
  #hasPolicies = false;
  /** Definitions whose actors are being added, the outermost first. */
  readonly #adding = new Set<unknown>();
  readonly #images = new Map<string, Uint8Array>();
  /** Loaded machines by image, and among them by the definition that their functions come from. */
  readonly #loaded = new Map<string, Map<unknown, Machine>>();

  constructor(options: {
    readonly core: Core;
    readonly wholeCore?: (() => Promise<Core>) | undefined;
    readonly binding?: Binding | undefined;
    readonly compile?: Compile | undefined;
    readonly watcher?: Watcher | undefined;
    readonly report: Report;
    readonly added: (name: string) => void;
  }) {
    this.#core = options.core;
    this.hashBytes = options.core.hashBytes;
    this.#wholeCore = options.wholeCore;
    this.#binding = options.binding;
    this.instances = options.binding?.Instance;
    this.#compile = options.compile;
    this.#watcher = options.watcher;
    this.#report = options.report;
    this.#added = options.added;
  }

  /**
   * Registers what a name means from now on, for the program that runs this peer.
   * @throws LockstepError BAD_DEFINITION, UNSUPPORTED, BAD_IMAGE, MISSING_FUNCTION; BAD_PARAMS when the name is none.
   */
  add(name: string, source: MachineSource): Machine {
    if (!isName(name))
      throw new LockstepError('BAD_PARAMS', `"${name}" is no machine name: letters, digits and _ . : ~ @ - are allowed, at most 128`);
    const { definition: given } = source;
    // Instances that are not for everyone do not become so because the machine was given once more.
    const policy = source.policy ?? this.#known.get(name)?.policy;
    const { image, definition } = source.image === undefined ? this.compiled(given) : { image: source.image, definition: given };
    const machine = this.load(image, definition);
    this.#known.set(name, { machine, source: given, definition, isOwn: true, policy });
    this.#hasPolicies ||= policy !== undefined;
    this.#added(name);
    if (this.canCompile) this.#addChildren(name, definition);
    return machine;
  }

  /**
   * An image that comes from elsewhere may ask for the whole core, have programs or wait for timers, and a definition has functions: what runs
   * and finds them is loaded with the first of them, where it is not at hand. Undefined = nothing to wait for.
   * @throws LockstepError CORE when the whole core cannot be had: to be tried again.
   */
  prepare(image: Uint8Array | undefined, definition?: unknown): Promise<unknown> | undefined {
    const brought = [
      image === undefined ? undefined : this.#prepareCore(image),
      definition === undefined ? undefined : this.#prepareBinding(),
      image !== undefined && needsInstance(image, definition !== undefined) ? this.#prepareInstances() : undefined,
    ].filter((each) => each !== undefined);
    return brought.length === 0 ? undefined : Promise.all(brought);
  }

  #prepareBinding(): Promise<unknown> | undefined {
    if (this.#binding !== undefined) return undefined;
    return import('./binding.ts').then(({ binding }) => {
      this.#binding = binding;
      this.instances = binding.Instance;
    });
  }

  #prepareInstances(): Promise<unknown> | undefined {
    if (this.instances !== undefined) return undefined;
    return import('../core/instance.ts').then((brought) => (this.instances = brought.Instance));
  }

  #prepareCore(image: Uint8Array): Promise<unknown> | undefined {
    const core = this.#coreFor(image);
    if (core === undefined)
      return this.#wholeCore!().then((whole) => {
        this.#whole ??= whole;
        return this.#prepareCore(image);
      });
    if (core.programs !== undefined || !hasPrograms(image)) return undefined;
    return import('../core/programs.ts').then(({ supportPrograms }) => supportPrograms(core));
  }

  /** Undefined while it is still to be brought. */
  #coreFor(image: Uint8Array): Core | undefined {
    return this.#wholeCore === undefined || this.#core.runs(semanticsOf(image)) ? this.#core : this.#whole;
  }

  /** @throws LockstepError EXPECTATION */
  get #binder(): Binding {
    if (this.#binding !== undefined) return this.#binding;
    throw new LockstepError(
      'EXPECTATION',
      'a definition has functions, and what finds them is not here yet: await machines.prepare() first',
    );
  }

  get canCompile(): boolean {
    return this.#compile !== undefined;
  }

  /** The machines among the actors of a definition, so that instances of theirs that come from a journal find their functions. */
  #addChildren(name: string, definition: unknown): void {
    this.#adding.add(definition);
    for (const [src, logic] of this.#binder.machinesWithin(definition)) {
      // A machine that runs itself as an actor is compiled for each depth that it reaches.
      if (this.#adding.has(logic)) continue;
      try {
        this.ofChild(name, src, logic);
      } catch (error) {
        this.#report('warn', `the actor ${src} of machine "${name}" is not compiled: it fails when it is started`, error);
      }
    }
    this.#adding.delete(definition);
  }

  /**
   * The machine behind an actor of another one.
   * @returns its name here. @throws as add.
   */
  ofChild(parent: string, src: string, logic: unknown): string {
    const name = `${parent}:${letters(src)}`;
    const known = this.#known.get(name);
    if (known?.source !== logic) this.add(name, { definition: logic });
    return name;
  }

  /** What a name means from now on, when it is not the program of this peer that says so (definitions.ts). */
  know(name: string, known: Known): void {
    this.#known.set(name, known);
  }

  /** What is known under a name. */
  known(name: string): Known | undefined {
    return this.#known.get(name);
  }

  /** Whether any machine here has authorizers. */
  get hasPolicies(): boolean {
    return this.#hasPolicies;
  }

  /** For people; the machines of actors go with those that have them. */
  #named(): string {
    return [...this.#known.keys()].filter((name) => !this.#known.has(name.slice(0, Math.max(0, name.lastIndexOf(':'))))).join(', ');
  }

  /** @throws LockstepError UNKNOWN_MACHINE */
  get(name: string): Machine {
    const known = this.#known.get(name);
    if (known === undefined)
      throw new LockstepError('UNKNOWN_MACHINE', `no machine "${name}" is defined here; there are ${this.#named() || 'none'}`);
    return known.machine;
  }

  list(): readonly MachineDescription[] {
    return [...this.#known].map(([machine, known]) => ({ machine, image: known.machine.hash }));
  }

  /** An image that is here. */
  image(hash: string): Uint8Array | undefined {
    return this.#images.get(hash);
  }

  /** The machine of a pinned image, with the functions of `definition`, else of what is registered under `name` now. */
  pinned(name: string, bytes: Uint8Array, definition: unknown = this.#known.get(name)?.definition): Machine {
    return this.#loose(bytes, definition, `machine "${name}"`);
  }

  /** As `load`, but without functions when those at hand do not fit: such a replica can be read and mirrored, and refuses events. */
  #loose(bytes: Uint8Array, definition: unknown, what: string): Machine {
    try {
      return this.load(bytes, definition);
    } catch (error) {
      if (!(error instanceof LockstepError) || error.code !== 'MISSING_FUNCTION') throw error;
      this.#report('warn', `${what}: the functions at hand do not fit its image`, error);
      return this.load(bytes, undefined);
    }
  }

  /**
   * The machine of an image, loaded once per definition. Without one, the registered machine of that image, if there is any.
   * @throws LockstepError BAD_IMAGE, MISSING_FUNCTION
   */
  load(bytes: Uint8Array, definition: unknown): Machine {
    const { hash, symbols } = readImage(bytes, this.hashBytes);
    const loaded = this.#loaded.get(hash) ?? new Map<unknown, Machine>();
    const same = definition === undefined ? (this.#registered(hash) ?? loaded.get(undefined)) : loaded.get(definition);
    if (same !== undefined) return same;
    const bound = definition === undefined ? undefined : this.#binder.bind(symbols, definition);
    const core = this.#coreFor(bytes);
    if (core === undefined)
      throw new LockstepError(
        'EXPECTATION',
        `machine ${symbols.id} needs the whole core, which is not here yet: await machines.prepare() first`,
      );
    const machine =
      bound === undefined ? bare(core, bytes, hash) : Machine.load(core, bytes, this.#watcher?.watch(bound, symbols) ?? bound);
    if (definition !== undefined) machine.logicOf = (src) => this.#binder.findLogic(definition, src);
    this.#images.set(hash, bytes);
    this.#loaded.set(hash, loaded.set(definition, machine));
    return machine;
  }

  #registered(hash: string): Machine | undefined {
    for (const { machine } of this.#known.values()) if (machine.hash === hash) return machine;
    return undefined;
  }

  /** @throws LockstepError UNSUPPORTED where there is no compiler; as it. */
  compiled(definition: unknown): Compiled {
    if (this.#compile === undefined) throw new LockstepError('UNSUPPORTED', 'this peer has no compiler: it takes images, not definitions');
    return this.#compile(definition);
  }
}
