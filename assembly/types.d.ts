// The AssemblyScript names that the core uses, so that the same files type-check as TypeScript.
declare type i32 = number;
declare type u32 = number;
declare type f64 = number;
