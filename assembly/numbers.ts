// Numbers of cells: what is written of them, and the operations on two of them, also the marked ones (assembly/fuse.ts), whose operands need not
// come to the stack first. What is no pair of numbers is left to assembly/expression.ts.

import * as frame from './frame.ts';
import * as bytecode from './program-layout.ts';
import { load32, loadNumber, store32, storeNumber } from './prim.ts';

const CELL: i32 = bytecode.CELL_SIZE;
const NOT_A_NUMBER: f64 = 0 / 0;

export function put(cell: i32, tag: i32): void {
  store32(cell, tag);
  store32(cell + bytecode.CELL_HANDLE, 0);
  storeNumber(cell + bytecode.CELL_NUMBER, 0);
}

export function putBoolean(cell: i32, answer: boolean): void {
  put(cell, answer ? bytecode.TAG_TRUE : bytecode.TAG_FALSE);
}

export function putNumber(cell: i32, number: f64): void {
  store32(cell, bytecode.TAG_NUMBER);
  store32(cell + bytecode.CELL_HANDLE, 0);
  storeNumber(cell + bytecode.CELL_NUMBER, number);
}

// ── What assembly/fuse.ts has marked: a cell, a second operand and what is done with the two, in a row ───────────

/** The first operand at `at`; NaN, which no cell holds, when it is no number. */
export function leftAt(at: i32): f64 {
  return numberIn(frame.cells + (load32(at) >>> 8) * CELL);
}

/** The second one. */
export function rightAt(at: i32): f64 {
  const operation: i32 = load32(at) & bytecode.OP_MASK;
  const argument: i32 = load32(at + 4) >>> 8;
  if (operation === bytecode.OP_WITH_INTEGER) return argument as f64;
  return numberIn((operation === bytecode.OP_WITH_CELL ? frame.cells : frame.constants) + argument * CELL);
}

function numberIn(cell: i32): f64 {
  return load32(cell) === bytecode.TAG_NUMBER ? loadNumber(cell + bytecode.CELL_NUMBER) : NOT_A_NUMBER;
}

function isNumber(value: f64): boolean {
  return value === value;
}

/** @returns whether the result is in `to`. */
export function fused(at: i32, to: i32): boolean {
  const a: f64 = leftAt(at);
  const b: f64 = rightAt(at);
  return isNumber(a) && isNumber(b) && calculate(load32(at + 8) & bytecode.OP_MASK, a, b, to);
}

/** A guard that is no more than that. @returns 1, 0, or -1 for another one. */
export function decideAtOnce(record: i32): i32 {
  if (load32(record + bytecode.PROGRAM_LENGTH) !== 3) return -1;
  const at: i32 = frame.code + (load32(record + bytecode.PROGRAM_START) << 2);
  const operation: i32 = load32(at + 8) & bytecode.OP_MASK;
  if ((load32(at) & bytecode.OP_MASK) < bytecode.OP_WITH_CELL || operation < bytecode.OP_LESS) return -1;
  const a: f64 = leftAt(at);
  const b: f64 = rightAt(at);
  if (!isNumber(a) || !isNumber(b)) return -1;
  return compares(operation, a, b) ? 1 : 0;
}

function compares(operation: i32, a: f64, b: f64): boolean {
  if (operation === bytecode.OP_LESS) return a < b;
  if (operation === bytecode.OP_LESS_EQUAL) return a <= b;
  if (operation === bytecode.OP_GREATER) return a > b;
  if (operation === bytecode.OP_GREATER_EQUAL) return a >= b;
  return (a === b) === (operation === bytecode.OP_EQUAL);
}

/** Without a zero below zero. */
export function arithmetic(operation: i32, a: f64, b: f64): f64 {
  let result: f64 = 0;
  if (operation === bytecode.OP_ADD) result = a + b;
  else if (operation === bytecode.OP_SUBTRACT) result = a - b;
  else if (operation === bytecode.OP_MULTIPLY) result = a * b;
  else result = a / b;
  return result === 0 ? 0 : result;
}

/** Neither NaN nor an infinity is its own difference's zero. */
export function isFinite(value: f64): boolean {
  return value - value === 0;
}

/** @returns whether there is a result: a number that is not finite is none. */
export function calculate(operation: i32, a: f64, b: f64, to: i32): boolean {
  if (operation >= bytecode.OP_LESS) {
    putBoolean(to, compares(operation, a, b));
    return true;
  }
  const result: f64 = arithmetic(operation, a, b);
  if (!isFinite(result)) return false;
  putNumber(to, result);
  return true;
}
