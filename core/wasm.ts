// The loader of a core: instantiates it, keeps views of its memory fresh, turns exceptions of the author's functions into results below
// zero and traps into errors. What the core means is for Machine and Instance to say.

import { FAULT_MEMORY, FORMAT } from '../assembly/layout.ts';
import type { CoreExports, CoreImports } from './abi.ts';
import { LockstepError } from './errors.ts';
import type { ContextMark, Json, Value } from './json.ts';
import type { ActionOwner, FunctionArguments } from './functions.ts';
import type { Operation } from './patch.ts';
import type { Acts } from './request.ts';
import type { Symbols } from './symbols.ts';

/** Who runs the step that a program belongs to. */
export interface ValueHost {
  /** What programs see of the event behind a handle. */
  eventOf(handle: number): { readonly [field: string]: unknown };
  /** Of the machine, in the step that starts it. */
  input(): unknown;
  /** Names of the instance's cells. */
  cells(): readonly string[];
  /** What a program that makes an event, a delay or an output came to. @returns as env.action. */
  result(fn: number, value: Value): number;
}

/** Views of a core's memory. */
export interface Memory {
  readonly words: Uint32Array;
  readonly numbers: Float64Array;
}

/** The strings and trees that cells hold: core/values.ts. */
export interface CoreValues {
  /** @returns what assembly/layout says beside the operation. @throws ExpressionFault, LockstepError NOT_JSON */
  ask(operation: number, cells: number, argument: number, handle: number, host: ValueHost): number;
  /** A value that stays. @returns its handle. */
  keep(value: Json): number;
  /** Strings and trees that are kept at the moment. */
  readonly size: number;
}

/** The contexts of a machine in its instances: core/cells.ts. */
export interface CoreCells {
  readonly names: readonly string[];
  /** Of an instance's cells. */
  readonly sizeBytes: number;
  home(instance: number): number;
  setHome(instance: number, home: number): void;
  isWritten(instance: number): boolean;
  read(instance: number, last: Json): Json;
  write(instance: number, last: Json, context: Json): void;
  count(instance: number, change: 1 | -1): void;
  patch(instance: number, owner: { readonly context: Json }): readonly Operation[];
  replaced(instance: number, cell: number): readonly Operation[];
  marks(before: Json, words: Uint32Array, from: number, count: number): readonly ContextMark[];
}

/** What a core needs beside itself to run programs: core/programs.ts brings it. */
export interface ProgramSupport {
  readonly values: CoreValues;
  /** Performs what the program of a builtin action came to. */
  readonly perform: (machine: ActionOwner, path: string, value: unknown, args: FunctionArguments, acts: Acts) => void;
  /**
   * For an image that was just loaded: gives its constants their handles, in the core's own copy.
   * @throws LockstepError BAD_IMAGE when its symbols are not those of its programs, or some functions of a step are programs and some not.
   */
  take(image: number, strideBytes: number, symbols: Symbols): CoreCells;
}

/** Who answers for guards and actions while a step runs. */
export interface CoreHost extends Partial<ValueHost> {
  guard(functionNumber: number, handle: number): number;
  action(functionNumber: number, handle: number): number;
  /** Only asked by a host that steps with LIVE. */
  live?(word: number, handle: number): number;
}

/** Room for the text that hashText hashes; longer texts get a block of their own. */
const SCRATCH_SIZE = 4_096;
const WORD = 0x1_0000_0000n;

export class Core {
  readonly exports: CoreExports;
  /** The memory as 32-bit words. Ask again after any call that may grow it, which detaches the view; a step never does. */
  words: Uint32Array = new Uint32Array(0);
  /** As bytes, and as 64-bit floats; like words. */
  bytes: Uint8Array = new Uint8Array(0);
  numbers: Float64Array = new Float64Array(0);
  /** Undefined until supportPrograms() of core/programs.ts; images with programs wait for it. */
  programs: ProgramSupport | undefined;
  host: CoreHost | undefined;
  /** What the last exception of an author's function was, and the number of that function. */
  thrown: unknown;
  thrower = 0;
  readonly #encoder = new TextEncoder();
  readonly #scratch: number;

  /** @throws LockstepError CORE when it is not a core of this version. */
  static async fromWasm(source: BufferSource | WebAssembly.Module): Promise<Core> {
    const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
    return new Core((imports) => new WebAssembly.Instance(module, { env: { ...imports.env } }).exports as unknown as CoreExports);
  }

  /** A core that is not WebAssembly: core/dialect.ts makes one. */
  static fromExports(make: (imports: CoreImports) => CoreExports): Core {
    return new Core(make);
  }

  private constructor(make: (imports: CoreImports) => CoreExports) {
    const made = make({
      env: {
        guard: (functionNumber, handle) => {
          try {
            return this.host!.guard(functionNumber, handle);
          } catch (thrown) {
            this.thrown = thrown;
            this.thrower = functionNumber;
            return -1;
          }
        },
        action: (functionNumber, handle) => {
          try {
            return this.host!.action(functionNumber, handle);
          } catch (thrown) {
            this.thrown = thrown;
            this.thrower = functionNumber;
            return -1;
          }
        },
        live: (word, handle) => {
          try {
            return this.host!.live!(word, handle);
          } catch (thrown) {
            this.thrown = thrown;
            return -1;
          }
        },
        value: (operation, cells, argument, handle) => {
          try {
            return this.programs!.values.ask(operation, cells, argument, handle, this.host as ValueHost);
          } catch (thrown) {
            this.thrown = thrown;
            this.thrower = this.exports.running();
            return -1;
          }
        },
      },
    });
    this.exports = {
      ...made,
      allocate: this.#growing(made.allocate),
      load: this.#growing(made.load),
      create: this.#growing(made.create),
      reserve: this.#growing(made.reserve),
    };
    this.#look();
    const found = this.exports.abi();
    if (found !== FORMAT) throw new LockstepError('CORE', `the core reads image format ${found}, expected ${FORMAT}`);
    this.#scratch = this.exports.allocate(SCRATCH_SIZE + 8);
  }

  /** A call that may grow the memory, and so detach its views. */
  #growing<Arguments extends number[]>(call: (...its: Arguments) => number): (...its: Arguments) => number {
    return (...its) => {
      const result = call(...its);
      if (this.words.length === 0) this.#look();
      return result;
    };
  }

  /** Whether this core has what the semantics of an image ask for: the small one lacks some. */
  runs(semantics: number): boolean {
    return (semantics & ~this.exports.semantics()) === 0;
  }

  #look(): void {
    const { buffer } = this.exports.memory;
    this.words = new Uint32Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.numbers = new Float64Array(buffer);
  }

  /**
   * Hands an image to the core, which validates it.
   * @returns the core's handle of it.
   * @throws LockstepError BAD_IMAGE with the number of the check that failed (docs/IMAGE.md), CORE when memory is exhausted.
   */
  loadImage(image: Uint8Array): number {
    const pointer = this.exports.allocate(image.length);
    if (pointer < 0) throw new LockstepError('CORE', `no memory for an image of ${image.length} bytes`);
    this.bytes.set(image, pointer);
    const handle = this.exports.load(pointer, image.length);
    if (handle >= 0) return handle;
    this.exports.release(pointer, image.length);
    if (handle === FAULT_MEMORY) throw new LockstepError('CORE', `no memory to run an image of ${image.length} bytes`);
    throw new LockstepError('BAD_IMAGE', `check ${this.exports.refusal()} of the validator refused an image of ${image.length} bytes`);
  }

  /** The digest of an instance's bytes. */
  digest(instance: number): bigint {
    this.exports.digest(instance, this.#scratch);
    return this.#result(this.#scratch);
  }

  /** xxh64 of the UTF-8 text, seed 0. */
  readonly hashText = (text: string): bigint => {
    if (text.length * 3 > SCRATCH_SIZE) return this.hashBytes(this.#encoder.encode(text));
    const { written } = this.#encoder.encodeInto(text, this.bytes.subarray(this.#scratch + 8, this.#scratch + 8 + SCRATCH_SIZE));
    this.exports.hash(this.#scratch + 8, written, 0, 0, this.#scratch);
    return this.#result(this.#scratch);
  };

  /** xxh64 of bytes, seed 0. @throws LockstepError CORE when memory is exhausted. */
  readonly hashBytes = (bytes: Uint8Array): bigint => {
    const block = this.exports.allocate(bytes.length);
    if (block < 0) throw new LockstepError('CORE', `no memory to hash ${bytes.length} bytes`);
    this.bytes.set(bytes, block);
    this.exports.hash(block, bytes.length, 0, 0, this.#scratch);
    this.exports.release(block, bytes.length);
    return this.#result(this.#scratch);
  };

  #result(pointer: number): bigint {
    const words = this.words;
    return BigInt(words[(pointer >>> 2) + 1]!) * WORD + BigInt(words[pointer >>> 2]!);
  }
}
