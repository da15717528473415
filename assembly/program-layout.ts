// Numbers of programs that the core, the compiler and the running side agree on: cells, instructions, what the core asks of env.value. No
// logic. Part of the image's format like assembly/layout.ts; docs/IMAGE.md describes both.

// ── Cell, 16 bytes: one value ────────────────────────────────────────────────────────────────────────────────────
//  0     4        8
//  | tag | handle | f64 |      what a tag does not use is zero, so that equal scalars have equal bytes
export const CELL_SIZE: i32 = 16;
export const CELL_TAG: i32 = 0;
/** Of a string or a tree: where core/values.ts keeps it. */
export const CELL_HANDLE: i32 = 4;
/** Of a number: finite, never −0. */
export const CELL_NUMBER: i32 = 8;

/** What a missing key reads as. Tags up to FALSE are false in a condition. */
export const TAG_UNDEFINED: i32 = 0;
export const TAG_NULL: i32 = 1;
export const TAG_FALSE: i32 = 2;
export const TAG_TRUE: i32 = 3;
export const TAG_NUMBER: i32 = 4;
/** Equal strings that are alive have one handle. */
export const TAG_STRING: i32 = 5;
/** An array or an object. */
export const TAG_TREE: i32 = 6;
/** The handle of the empty string, always. */
export const HANDLE_EMPTY: i32 = 1;

// ── Program, 8 bytes: where its instructions are; a function without one (length 0) is the host's ────────────────
//  0       4
//  | start | length |      in words of CODE
export const PROGRAM_SIZE: i32 = 8;
export const PROGRAM_START: i32 = 0;
export const PROGRAM_LENGTH: i32 = 4;

// ── Instruction word: operation in the low byte, argument in the 24 bits above ───────────────────────────────────
// A program begins with an empty stack of cells and ends behind its last instruction with one cell on it. Jumps go forward: their argument
// is how many instructions are skipped. Operations from OP_HOST on are the host's work: env.value(operation, cells, argument, handle).
export const OP_MASK: i32 = 0xff;
/** Pushes the constant. */
export const OP_CONSTANT: i32 = 1;
/** Pushes the value of a tag that needs nothing else. */
export const OP_LITERAL: i32 = 2;
/** Pushes the argument as a number. */
export const OP_INTEGER: i32 = 3;
/** Pushes a cell of the instance. */
export const OP_CELL: i32 = 4;
export const OP_LOCAL: i32 = 5;
/** Pushes whether the state is active. */
export const OP_IN: i32 = 6;
/** Pops into a cell of the instance. Only while an assign or the maker of a context runs. */
export const OP_WRITE: i32 = 7;
/** Pops into a local. */
export const OP_BIND: i32 = 8;
export const OP_DROP: i32 = 9;
/** Pops an object, or undefined, and writes its fields to the cells of their names. */
export const OP_MERGE: i32 = 10;
export const OP_JUMP: i32 = 11;
/** Pops; jumps when that is false in a condition. */
export const OP_JUMP_FALSE: i32 = 12;
/** Jump and keep what is false, true, or neither null nor undefined; else pop. */
export const OP_AND: i32 = 13;
export const OP_OR: i32 = 14;
export const OP_COALESCE: i32 = 15;
/** Jumps with undefined in the place of null or undefined; else goes on with what is there. */
export const OP_OPTIONAL: i32 = 16;
export const OP_NOT: i32 = 17;
export const OP_NULLISH: i32 = 18;
/** Of the elements of an array, popped: runs a program with the element and its index in locals. Argument: program, first local << 16. */
export const OP_MAP: i32 = 19;
export const OP_FLAT_MAP: i32 = 20;
export const OP_FILTER: i32 = 21;
export const OP_FIND: i32 = 22;
export const OP_FIND_INDEX: i32 = 23;
export const OP_SOME: i32 = 24;
export const OP_EVERY: i32 = 25;
/** The same with what came so far in a local before them, which begins as the second cell popped. */
export const OP_REDUCE: i32 = 26;

/** Two operands each. Numbers are the core's, all else the host's. */
export const OP_ADD: i32 = 32;
export const OP_SUBTRACT: i32 = 33;
export const OP_MULTIPLY: i32 = 34;
export const OP_DIVIDE: i32 = 35;
export const OP_LESS: i32 = 36;
export const OP_LESS_EQUAL: i32 = 37;
export const OP_GREATER: i32 = 38;
export const OP_GREATER_EQUAL: i32 = 39;
export const OP_EQUAL: i32 = 40;
export const OP_UNEQUAL: i32 = 41;

export const OP_HOST: i32 = 48;
export const OP_REMAINDER: i32 = 48;
/** Pops a value and a key. */
export const OP_INDEX: i32 = 49;
export const OP_NEGATE: i32 = 50;
/** Argument: the constant that is the key. */
export const OP_MEMBER: i32 = 51;
/** Pushes a field of the event; argument: the constant that is the key. */
export const OP_FIELD: i32 = 52;
/** Pushes ROOT_EVENT, ROOT_CONTEXT or ROOT_INPUT. */
export const OP_ROOT: i32 = 53;
/** Argument: number in CALLS of core/calls.ts, arguments << 8. */
export const OP_CALL: i32 = 54;
/** Begin an array or an object; parts are popped and added to the one begun last; OP_FINISH pushes it. */
export const OP_LIST: i32 = 55;
export const OP_OBJECT: i32 = 56;
export const OP_ITEM: i32 = 57;
/** All elements of an array. */
export const OP_ITEMS: i32 = 58;
/** An element, or all of an array. */
export const OP_FLAT: i32 = 59;
/** Argument: the constant that is the key. */
export const OP_PUT: i32 = 60;
/** Pops a key and a value. */
export const OP_PUT_KEY: i32 = 61;
/** All fields of an object. */
export const OP_PUT_ALL: i32 = 62;
export const OP_FINISH: i32 = 63;
/** Pop a value, as many keys as the argument says, and for SET and APPEND another value; push the changed copy. */
export const OP_SET: i32 = 64;
export const OP_REMOVE: i32 = 65;
export const OP_APPEND: i32 = 66;
export const OP_LAST: i32 = 66;

export const ROOT_EVENT: i32 = 0;
export const ROOT_CONTEXT: i32 = 1;
export const ROOT_INPUT: i32 = 2;

// What else the core asks of env.value.
/** An array's element by number (argument) in the cell behind it. @returns 0. */
export const VALUE_ELEMENT: i32 = 128;
/** @returns the length of an array. */
export const VALUE_LENGTH: i32 = 129;
/** The field of an object that the cell of the instance (argument) is named after, in the cell behind it. @returns 0, 1 when it is there. */
export const VALUE_NAMED: i32 = 130;
/** @returns how many fields an object has; 0 for undefined. */
export const VALUE_FIELDS: i32 = 131;
/** What the program of a function (argument) that is no guard or assign came to. @returns as env.action. */
export const VALUE_RESULT: i32 = 132;
/** A fault: argument 0, more elements than ELEMENTS_MAX; 1, a field that no cell is named after; 2, a write where none may be. */
export const VALUE_FAULT: i32 = 133;
/** A step ended. Cells: the instance's. Argument: what was written, as writes() has it, 0 when the step came to nothing. */
export const VALUE_END: i32 = 134;

// In no file: written by the core into its own copy (assembly/fuse.ts) in the place of OP_CELL, where the next instruction pushes a cell, an
// integer or a constant and the one behind it takes both. With anything but two numbers it is OP_CELL.
export const OP_WITH_CELL: i32 = 128;
export const OP_WITH_INTEGER: i32 = 129;
export const OP_WITH_CONSTANT: i32 = 130;

// ── What a step wrote: at writes() of the exports, where it stays, how many entries, and their address; an entry for each cell ─
//  0      4        8
//  | cell | unused | was |
export const WRITES_SIZE: i32 = 8;
export const WRITES_ENTRIES: i32 = 4;
export const WRITE_SIZE: i32 = 24;
export const WRITE_WAS: i32 = 8;

// ── Where the context of an instance is: INSTANCE_HOME ───────────────────────────────────────────────────────────
export const HOME_READ: i32 = 0;
export const HOME_WRITTEN: i32 = 1;
/** The context is not in the cells: there is none yet, or it has other keys. Such an instance takes no events. */
export const HOME_OUTSIDE: i32 = 2;

// ── Limits ───────────────────────────────────────────────────────────────────────────────────────────────────────
/** Cells of an instance. */
export const CELL_MAX: i32 = 4096;
/** Locals of a program and its callbacks together. */
export const LOCAL_MAX: i32 = 256;
/** Cells on the stack of one program. */
export const STACK_MAX: i32 = 256;
/** Programs inside one another. */
export const PROGRAM_DEPTH_MAX: i32 = 16;
/** Elements that the programs of one step may visit; one more is counted for each 64 instructions of what is run for an element. */
export const ELEMENTS_MAX: i32 = 1000000;
/** Functions that OP_CALL knows. */
export const CALL_COUNT: i32 = 32;
export const CALL_ARGUMENTS_MAX: i32 = 16;
/** Keys of one OP_SET, OP_REMOVE or OP_APPEND. */
export const PATH_MAX: i32 = 64;
