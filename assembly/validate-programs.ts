// The verifier of programs: follows the stack through each, forward only, and lets in what always ends with one cell on it, never leaves
// its stack, and names only cells, locals, constants, states and programs that exist. Part of the gate of assembly/validate.ts.

import { allocate, release } from './heap.ts';
import * as layout from './layout.ts';
import * as bytecode from './program-layout.ts';
import { hostEffect } from './operations.ts';
import { load32, store32 } from './prim.ts';
import * as tables from './tables.ts';

/** A word per instruction: the depth at which a jump comes there. Behind them a word per program: how many are inside one another in it. */
let marks: i32 = 0;
let depths: i32 = 0;
/** Depth of the stack while an instruction is looked at. */
let depth: i32 = 0;
/** Whether the instruction is reached from the one before it. */
let isReached: boolean = false;

const UNMARKED: i32 = -1;

/** @returns 0, the number of a check, or FAULT_MEMORY. */
export function validatePrograms(): i32 {
  const context: i32 = tables.field(layout.IMAGE_CONTEXT_FUNCTION);
  if (context < 0 || context > tables.functionCount) return 102;
  if (tables.programCount === 0) return tables.codeCount === 0 && tables.cellCount === 0 && context === 0 ? 0 : 101;
  if (tables.programCount < tables.functionCount) return 101;
  for (let constant: i32 = 0; constant < tables.constantCount; constant++) {
    const tag: i32 = tables.constantTag(constant);
    if (tag < bytecode.TAG_NUMBER || tag > bytecode.TAG_TREE) return 103;
    if (tables.constantHandle(constant) !== 0 || !tables.isConstantNumber(constant)) return 103;
  }
  let longest: i32 = 0;
  for (let program: i32 = 0; program < tables.programCount; program++) {
    const at: i32 = tables.programAt(program);
    const start: i32 = load32(at + bytecode.PROGRAM_START);
    const length: i32 = load32(at + bytecode.PROGRAM_LENGTH);
    if (start < 0 || length < 0 || start > tables.codeCount || length > tables.codeCount - start) return 104;
    if (length === 0 && program >= tables.functionCount) return 104;
    if (!tables.mayLook(length)) return 104;
    if (length > longest) longest = length;
  }
  const size: i32 = (longest + 1 + tables.programCount) << 2;
  marks = allocate(size);
  if (marks < 0) return layout.FAULT_MEMORY;
  depths = marks + ((longest + 1) << 2);
  let wrong: i32 = 0;
  // Backwards: a callback's number is above that of what it is in.
  for (let program: i32 = tables.programCount - 1; program >= 0 && wrong === 0; program--) wrong = validateProgram(program);
  release(marks, size);
  return wrong;
}

function validateProgram(program: i32): i32 {
  const at: i32 = tables.programAt(program);
  const start: i32 = load32(at + bytecode.PROGRAM_START);
  const length: i32 = load32(at + bytecode.PROGRAM_LENGTH);
  for (let i: i32 = 0; i <= length; i++) store32(marks + (i << 2), UNMARKED);
  store32(depths + (program << 2), 1);
  depth = 0;
  isReached = true;
  for (let i: i32 = 0; i < length; i++) {
    if (!meets(i)) return 105;
    const word: i32 = tables.codeWord(start + i);
    const wrong: i32 = follow(program, word & bytecode.OP_MASK, word >>> 8, i, length);
    if (wrong !== 0) return wrong;
  }
  if (length === 0) return 0;
  return meets(length) && depth === 1 ? 0 : 106;
}

/** Whether all roads to an instruction bring the same depth, and there is one. */
function meets(instruction: i32): boolean {
  const marked: i32 = load32(marks + (instruction << 2));
  if (marked === UNMARKED) return isReached;
  if (isReached && marked !== depth) return false;
  depth = marked;
  isReached = true;
  return true;
}

/** Pops and pushes. */
function changes(pops: i32, pushes: i32): boolean {
  depth -= pops;
  if (depth < 0) return false;
  depth += pushes;
  return depth <= bytecode.STACK_MAX;
}

/** A jump over `skipped` instructions that comes there with `its` depth. */
function jumps(from: i32, skipped: i32, length: i32, its: i32): boolean {
  if (skipped >= length - from) return false;
  const mark: i32 = marks + ((from + 1 + skipped) << 2);
  const marked: i32 = load32(mark);
  store32(mark, its);
  return marked === UNMARKED || marked === its;
}

function follow(program: i32, operation: i32, argument: i32, from: i32, length: i32): i32 {
  if (operation >= bytecode.OP_HOST) {
    if (operation > bytecode.OP_LAST || !fits(operation, argument)) return 107;
    const effect: i32 = hostEffect(operation, argument);
    return changes(effect >> 1, effect & 1) ? 0 : 108;
  }
  if (operation >= bytecode.OP_ADD) {
    if (operation > bytecode.OP_UNEQUAL) return 107;
    return changes(2, 1) ? 0 : 108;
  }
  if (operation >= bytecode.OP_MAP) return operation > bytecode.OP_REDUCE ? 107 : followEach(program, operation, argument);
  if (operation >= bytecode.OP_JUMP && operation <= bytecode.OP_OPTIONAL) return followJump(operation, argument, from, length);
  if (!fits(operation, argument)) return 107;
  if (operation <= bytecode.OP_IN) return changes(0, 1) ? 0 : 108;
  // What is merged needs a cell behind it.
  if (operation === bytecode.OP_MERGE && depth === bytecode.STACK_MAX) return 108;
  if (operation <= bytecode.OP_MERGE) return changes(1, 0) ? 0 : 108;
  return changes(1, 1) ? 0 : 108;
}

/** Whether an operation exists and its argument names something. */
function fits(operation: i32, argument: i32): boolean {
  switch (operation) {
    case bytecode.OP_CONSTANT:
      return argument < tables.constantCount;
    case bytecode.OP_LITERAL:
      return argument <= bytecode.TAG_TRUE;
    case bytecode.OP_CELL:
    case bytecode.OP_WRITE:
      return argument < tables.cellCount;
    case bytecode.OP_LOCAL:
    case bytecode.OP_BIND:
      return argument < bytecode.LOCAL_MAX;
    case bytecode.OP_IN:
      return argument < tables.stateCount;
    case bytecode.OP_MEMBER:
    case bytecode.OP_FIELD:
    case bytecode.OP_PUT:
      return argument < tables.constantCount && tables.constantTag(argument) === bytecode.TAG_STRING;
    case bytecode.OP_ROOT:
      return argument <= bytecode.ROOT_INPUT;
    case bytecode.OP_CALL:
      return (argument & 0xff) < bytecode.CALL_COUNT && argument >>> 8 <= bytecode.CALL_ARGUMENTS_MAX;
    case bytecode.OP_SET:
    case bytecode.OP_REMOVE:
    case bytecode.OP_APPEND:
      return argument <= bytecode.PATH_MAX;
    default:
      return operation > 0;
  }
}

function followJump(operation: i32, skipped: i32, from: i32, length: i32): i32 {
  const pops: i32 = operation === bytecode.OP_JUMP ? 0 : 1;
  if (depth < pops) return 108;
  const landed: i32 = operation === bytecode.OP_JUMP_FALSE ? depth - 1 : depth;
  if (!jumps(from, skipped, length, landed)) return 109;
  if (operation !== bytecode.OP_OPTIONAL) depth -= pops;
  isReached = operation !== bytecode.OP_JUMP;
  return 0;
}

/** A callback lies behind what it is in, so that none is inside itself; element and index, and for a reduce the result, have locals. */
function followEach(program: i32, operation: i32, argument: i32): i32 {
  const isReduce: boolean = operation === bytecode.OP_REDUCE;
  const callback: i32 = argument & 0xffff;
  if (callback <= program || callback < tables.functionCount || callback >= tables.programCount) return 107;
  if ((argument >>> 16) + 3 > bytecode.LOCAL_MAX) return 107;
  const inner: i32 = load32(depths + (callback << 2)) + 1;
  if (inner > bytecode.PROGRAM_DEPTH_MAX) return 107;
  if (inner > load32(depths + (program << 2))) store32(depths + (program << 2), inner);
  // Elements lie behind the array.
  if (depth >= bytecode.STACK_MAX) return 108;
  return changes(isReduce ? 2 : 1, 1) ? 0 : 108;
}
