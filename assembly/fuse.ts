// What the core makes of programs in its own copy of an image that the verifier has passed: where a cell and a second operand meet in a binary
// operation, the first of the three instructions is marked, so that numbers need one look instead of three. The other two stay: jumps find them,
// and whatever is no pair of numbers goes by them.

import * as bytecode from './program-layout.ts';
import { load32, store32 } from './prim.ts';
import * as tables from './tables.ts';

/** Marks all programs. */
export function fuse(): void {
  for (let program: i32 = 0; program < tables.programCount; program++) {
    const at: i32 = tables.programAt(program);
    const start: i32 = load32(at + bytecode.PROGRAM_START);
    const last: i32 = start + load32(at + bytecode.PROGRAM_LENGTH) - 2;
    for (let i: i32 = start; i < last; i++) {
      const word: i32 = tables.codeWord(i);
      if ((word & bytecode.OP_MASK) !== bytecode.OP_CELL || !isBinary(tables.codeWord(i + 2))) continue;
      const second: i32 = tables.codeWord(i + 1) & bytecode.OP_MASK;
      let fused: i32 = bytecode.OP_CELL;
      if (second === bytecode.OP_CELL || second === bytecode.OP_WITH_CELL) fused = bytecode.OP_WITH_CELL;
      else if (second === bytecode.OP_INTEGER) fused = bytecode.OP_WITH_INTEGER;
      else if (second === bytecode.OP_CONSTANT) fused = bytecode.OP_WITH_CONSTANT;
      store32(tables.codeAt(i), (word & ~bytecode.OP_MASK) | fused);
    }
  }
}

function isBinary(word: i32): boolean {
  const operation: i32 = word & bytecode.OP_MASK;
  return operation >= bytecode.OP_ADD && operation <= bytecode.OP_UNEQUAL;
}
