// The AssemblyScript names that the core uses, so that the same files type-check as TypeScript. Only prim.ts uses the functions: it is
// the file that the TypeScript build swaps for prim-portable.ts.
declare type u8 = number;
declare type u16 = number;
declare type i32 = number;
declare type u32 = number;
declare type u64 = number;
declare type f64 = number;
declare function load<T>(pointer: number): T;
declare function store<T>(pointer: number, value: T): void;
declare function ctz<T>(value: T): T;
declare function clz<T>(value: T): T;
declare function popcnt<T>(value: T): T;
declare function rotl<T>(value: T, count: T): T;
declare namespace memory {
  function size(): number;
  function grow(pages: number): number;
  function copy(target: number, source: number, size: number): void;
  function fill(target: number, value: number, size: number): void;
}
declare const __heap_base: number;
declare function isDefined(name: unknown): boolean;
/** Defined by the target `small` of asconfig.json. */
declare const SMALL: number;
