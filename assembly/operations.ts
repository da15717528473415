// What the operations of programs that are the host's work do to the stack: known to the verifier and to the interpreter.

import * as bytecode from './program-layout.ts';

/** Cells popped << 1 | cells pushed. */
export function hostEffect(operation: i32, argument: i32): i32 {
  if (operation <= bytecode.OP_INDEX) return 5;
  if (operation <= bytecode.OP_MEMBER) return 3;
  if (operation <= bytecode.OP_ROOT) return 1;
  if (operation === bytecode.OP_CALL) return ((argument >>> 8) << 1) | 1;
  if (operation <= bytecode.OP_OBJECT) return 0;
  if (operation === bytecode.OP_PUT_KEY) return 4;
  if (operation < bytecode.OP_FINISH) return 2;
  if (operation === bytecode.OP_FINISH) return 1;
  return ((argument + (operation === bytecode.OP_REMOVE ? 1 : 2)) << 1) | 1;
}
