// Runs the programs of an image: guards, assigns, delays, outputs, events and contexts that are the core's own. A program was verified when
// its image came in (assembly/validate-programs.ts): it never leaves its stack and only goes forward, callbacks are bounded by their nesting
// and by the elements that a step may visit. Numbers and conditions are worked out here; strings and trees are the host's, behind env.value.

import { action, guard, value } from './env.ts';
import * as frame from './frame.ts';
import * as layout from './layout.ts';
import * as bytecode from './program-layout.ts';
import { arithmetic, calculate, decideAtOnce, fused, isFinite, leftAt, put, putBoolean, putNumber, rightAt } from './numbers.ts';
import { hostEffect } from './operations.ts';
import { copyPair, IS_WHOLE, load32, loadNumber, store32, storeNumber } from './prim.ts';
import * as scratch from './scratch.ts';
import { beginWrites, noteWrite, takeBack, writes } from './writes.ts';

const CELL: i32 = bytecode.CELL_SIZE;

/** Whether the step that runs has asked env.value anything, or overwritten a string or a tree: only then it has an end to be told. */
export let isTouched: boolean = false;
/** Whether the program that runs may write the instance's cells. */
let mayWrite: boolean = false;
/** The function whose program runs. */
let running: i32 = 0;
/** The event that it sees. */
let seen: i32 = 0;
/** Elements that the step may still visit. */
let elements: i32 = 0;

export function runningFunction(): i32 {
  return running;
}

/** A step of an image with programs begins, or a question about one. */
export function begin(): void {
  isTouched = false;
  elements = bytecode.ELEMENTS_MAX;
  beginWrites();
}

/** It ends. @param isDone whether what it wrote stays. */
export function end(isDone: boolean): void {
  if (frame.programs === 0) return;
  if (!isDone) takeBack(frame.cells);
  if (isTouched) value(bytecode.VALUE_END, frame.cells, isDone ? writes : 0, 0);
}

// ── The functions of an image: programs where it has them, the host's where not ──────────────────────────────────

/** @returns 1, 0 or FAULT_HOST. */
export function decide(fn: i32, handle: i32): i32 {
  if (!isProgram(fn)) {
    const answer: i32 = guard(fn, handle);
    return answer < 0 ? layout.FAULT_HOST : answer !== 0 ? 1 : 0;
  }
  if (IS_WHOLE) {
    const answer: i32 = decideAtOnce(frame.programs + fn * bytecode.PROGRAM_SIZE);
    if (answer >= 0) return answer;
  }
  const fault: i32 = evaluate(fn, handle, false);
  return fault < 0 ? fault : isTrue(scratch.cells) ? 1 : 0;
}

/** @returns what env.action does, or a fault. */
export function compute(fn: i32, handle: i32): i32 {
  if (!isProgram(fn)) return action(fn, handle);
  const fault: i32 = evaluate(fn, handle, false);
  return fault < 0 ? fault : ask(bytecode.VALUE_RESULT, scratch.cells, fn, handle);
}

/** @returns 0, or a fault. */
export function assign(fn: i32, handle: i32): i32 {
  if (isProgram(fn)) return evaluate(fn, handle, true);
  return action(fn, handle) < 0 ? layout.FAULT_HOST : 0;
}

function isProgram(fn: i32): boolean {
  return frame.programs !== 0 && load32(frame.programs + fn * bytecode.PROGRAM_SIZE + bytecode.PROGRAM_LENGTH) !== 0;
}

/** Leaves the result at the bottom of the stack. @returns 0 or a fault. */
function evaluate(fn: i32, handle: i32, isAssign: boolean): i32 {
  running = fn;
  seen = handle;
  mayWrite = isAssign;
  return run(fn, scratch.cells);
}

// ── Cells ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Asks the host. @returns its answer, or FAULT_HOST. */
function ask(operation: i32, cells: i32, argument: i32, handle: i32): i32 {
  isTouched = true;
  const answer: i32 = value(operation, cells, argument, handle);
  return answer < 0 ? layout.FAULT_HOST : answer;
}

function isTrue(cell: i32): boolean {
  const tag: i32 = load32(cell);
  if (tag === bytecode.TAG_NUMBER) return loadNumber(cell + bytecode.CELL_NUMBER) !== 0;
  if (tag === bytecode.TAG_STRING) return load32(cell + bytecode.CELL_HANDLE) !== bytecode.HANDLE_EMPTY;
  return tag > bytecode.TAG_FALSE;
}

/** Writes a cell of the instance. @returns 0 or a fault. */
function write(cell: i32, from: i32): i32 {
  if (!mayWrite) return ask(bytecode.VALUE_FAULT, from, 2, 0);
  const to: i32 = frame.cells + cell * CELL;
  if (load32(to) >= bytecode.TAG_STRING || load32(from) >= bytecode.TAG_STRING) isTouched = true;
  noteWrite(cell, to);
  copyPair(to, from);
  store32(frame.instance + layout.INSTANCE_HOME, bytecode.HOME_WRITTEN);
  return scratch.emitWrite(cell, from);
}

// ── Programs ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Runs a program with its stack at `base`; its result is there then. @returns 0 or a fault. */
function run(program: i32, base: i32): i32 {
  const record: i32 = frame.programs + program * bytecode.PROGRAM_SIZE;
  let at: i32 = frame.code + (load32(record + bytecode.PROGRAM_START) << 2);
  const last: i32 = at + (load32(record + bytecode.PROGRAM_LENGTH) << 2);
  /** The cell behind the top of the stack. */
  let top: i32 = base;
  const cells: i32 = frame.cells;
  while (at < last) {
    const word: i32 = load32(at);
    const operation: i32 = word & bytecode.OP_MASK;
    const argument: i32 = word >>> 8;
    at += 4;
    let fault: i32 = 0;
    if (operation >= bytecode.OP_WITH_CELL) {
      if (last - at >= 8 && fused(at - 4, top)) at += 8;
      else copyPair(top, cells + argument * CELL);
      top += CELL;
    } else if (operation >= bytecode.OP_HOST) {
      const effect: i32 = hostEffect(operation, argument);
      top -= (effect >> 1) * CELL;
      fault = host(operation, top, argument);
      top += (effect & 1) * CELL;
    } else if (operation >= bytecode.OP_ADD) {
      top -= CELL;
      fault = binary(operation, top - CELL);
    } else if (operation >= bytecode.OP_MAP) {
      if (operation === bytecode.OP_REDUCE) top -= CELL;
      fault = each(operation, argument, top - CELL);
    } else {
      switch (operation) {
        case bytecode.OP_CONSTANT:
          copyPair(top, frame.constants + argument * CELL);
          top += CELL;
          break;
        case bytecode.OP_LITERAL:
          put(top, argument);
          top += CELL;
          break;
        case bytecode.OP_INTEGER:
          putNumber(top, argument as f64);
          top += CELL;
          break;
        case bytecode.OP_CELL:
          copyPair(top, cells + argument * CELL);
          top += CELL;
          break;
        case bytecode.OP_LOCAL:
          copyPair(top, scratch.locals + argument * CELL);
          top += CELL;
          break;
        case bytecode.OP_IN:
          putBoolean(top, frame.isActive(argument));
          top += CELL;
          break;
        case bytecode.OP_WRITE:
          top -= CELL;
          fault = write(argument, top);
          break;
        case bytecode.OP_BIND:
          top -= CELL;
          copyPair(scratch.locals + argument * CELL, top);
          break;
        case bytecode.OP_DROP:
          top -= CELL;
          break;
        case bytecode.OP_MERGE:
          top -= CELL;
          fault = merge(top);
          break;
        case bytecode.OP_JUMP:
          at += argument << 2;
          break;
        case bytecode.OP_JUMP_FALSE:
          top -= CELL;
          if (!isTrue(top)) at += argument << 2;
          break;
        case bytecode.OP_AND:
          if (isTrue(top - CELL)) top -= CELL;
          else at += argument << 2;
          break;
        case bytecode.OP_OR:
          if (isTrue(top - CELL)) at += argument << 2;
          else top -= CELL;
          break;
        case bytecode.OP_COALESCE:
          if (load32(top - CELL) > bytecode.TAG_NULL) at += argument << 2;
          else top -= CELL;
          break;
        case bytecode.OP_OPTIONAL:
          if (load32(top - CELL) <= bytecode.TAG_NULL) {
            put(top - CELL, bytecode.TAG_UNDEFINED);
            at += argument << 2;
          }
          break;
        case bytecode.OP_NOT:
          putBoolean(top - CELL, !isTrue(top - CELL));
          break;
        default:
          putBoolean(top - CELL, load32(top - CELL) <= bytecode.TAG_NULL);
      }
    }
    if (fault < 0) return fault;
  }
  return 0;
}

/**
 * An assign that does no more than put what two operands come to, by a marked operation, in the place of a number: the only one of a step in
 * which nothing can fail any more, so that what was there need not be noted. @returns 1 + its cell, 0 when the number is the one that was there,
 * -1 when nothing was done.
 */
export function replaceAtOnce(fn: i32): i32 {
  const record: i32 = frame.programs + fn * bytecode.PROGRAM_SIZE;
  if (load32(record + bytecode.PROGRAM_LENGTH) !== 5) return -1;
  const at: i32 = frame.code + (load32(record + bytecode.PROGRAM_START) << 2);
  const operation: i32 = load32(at + 8) & bytecode.OP_MASK;
  if ((load32(at) & bytecode.OP_MASK) < bytecode.OP_WITH_CELL || operation >= bytecode.OP_LESS) return -1;
  const target: i32 = load32(at + 12);
  // What every assign ends with.
  if ((load32(at + 16) & bytecode.OP_MASK) !== bytecode.OP_LITERAL) return -1;
  const result: f64 = arithmetic(operation, leftAt(at), rightAt(at));
  if ((target & bytecode.OP_MASK) !== bytecode.OP_WRITE || !isFinite(result)) return -1;
  const cell: i32 = target >>> 8;
  const to: i32 = frame.cells + cell * CELL;
  if (load32(to) !== bytecode.TAG_NUMBER) return -1;
  if (loadNumber(to + bytecode.CELL_NUMBER) === result) return 0;
  storeNumber(to + bytecode.CELL_NUMBER, result);
  store32(frame.instance + layout.INSTANCE_HOME, bytecode.HOME_WRITTEN);
  return cell + 1;
}

/** The host finds keys by the handles of their strings. */
function host(operation: i32, cells: i32, argument: i32): i32 {
  let handle: i32 = seen;
  if (operation === bytecode.OP_MEMBER || operation === bytecode.OP_PUT || operation === bytecode.OP_FIELD) {
    handle = load32(frame.constants + argument * CELL + bytecode.CELL_HANDLE);
    return ask(operation, cells, operation === bytecode.OP_FIELD ? seen : 0, handle);
  }
  if (operation === bytecode.OP_ROOT && argument === bytecode.ROOT_CONTEXT) handle = frame.cells;
  return ask(operation, cells, argument, handle);
}

/** Two numbers, or the equality of scalars, here; everything else is the host's. The result takes the place of the left cell. */
function binary(operation: i32, left: i32): i32 {
  const right: i32 = left + CELL;
  const tag: i32 = load32(left);
  if (operation >= bytecode.OP_EQUAL) {
    if (tag === bytecode.TAG_TREE && load32(right) === bytecode.TAG_TREE) return ask(operation, left, 0, 0);
    let same: boolean = tag === load32(right) && load32(left + bytecode.CELL_HANDLE) === load32(right + bytecode.CELL_HANDLE);
    if (same && tag === bytecode.TAG_NUMBER) same = loadNumber(left + bytecode.CELL_NUMBER) === loadNumber(right + bytecode.CELL_NUMBER);
    putBoolean(left, same === (operation === bytecode.OP_EQUAL));
    return 0;
  }
  if (tag !== bytecode.TAG_NUMBER || load32(right) !== bytecode.TAG_NUMBER) return ask(operation, left, 0, 0);
  const a: f64 = loadNumber(left + bytecode.CELL_NUMBER);
  const b: f64 = loadNumber(right + bytecode.CELL_NUMBER);
  // The host says what is wrong.
  return calculate(operation, a, b, left) ? 0 : ask(operation, left, 0, 0);
}

// ── Elements ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Whether the step may visit so many elements more with this program. */
function mayVisit(count: i32, program: i32): boolean {
  const weight: i32 = 1 + (load32(frame.programs + program * bytecode.PROGRAM_SIZE + bytecode.PROGRAM_LENGTH) >>> 6);
  if (count > elements / weight) return false;
  elements -= count * weight;
  return true;
}

/** The array is in `cell`, which takes the result; of a reduce what it begins with is in the cell behind. */
function each(operation: i32, argument: i32, cell: i32): i32 {
  const program: i32 = argument & 0xffff;
  let local: i32 = scratch.locals + (argument >>> 16) * CELL;
  const count: i32 = ask(bytecode.VALUE_LENGTH, cell, operation, 0);
  if (count < 0) return count;
  if (!mayVisit(count, program)) return ask(bytecode.VALUE_FAULT, cell, 0, 0);
  const isReduce: boolean = operation === bytecode.OP_REDUCE;
  const collects: boolean = operation <= bytecode.OP_FILTER;
  const base: i32 = cell + CELL;
  let fault: i32 = 0;
  if (isReduce) {
    copyPair(local, base);
    local += CELL;
  }
  if (collects) fault = ask(bytecode.OP_LIST, base, 0, 0);
  for (let index: i32 = 0; index < count && fault >= 0; index++) {
    fault = ask(bytecode.VALUE_ELEMENT, cell, index, 0);
    if (fault < 0) return fault;
    copyPair(local, base);
    putNumber(local + CELL, index as f64);
    fault = run(program, base);
    if (fault < 0) return fault;
    if (isReduce) copyPair(local - CELL, base);
    else if (operation === bytecode.OP_MAP) fault = ask(bytecode.OP_ITEM, base, 0, 0);
    else if (operation === bytecode.OP_FLAT_MAP) fault = ask(bytecode.OP_FLAT, base, 0, 0);
    else if (isTrue(base) !== (operation === bytecode.OP_EVERY)) {
      if (operation === bytecode.OP_FILTER) fault = ask(bytecode.OP_ITEM, local, 0, 0);
      else return found(operation, local, index, cell);
    }
  }
  if (fault < 0) return fault;
  if (collects) return ask(bytecode.OP_FINISH, cell, 0, 0);
  if (isReduce) copyPair(cell, local - CELL);
  else if (operation === bytecode.OP_FIND) put(cell, bytecode.TAG_UNDEFINED);
  else if (operation === bytecode.OP_FIND_INDEX) putNumber(cell, -1);
  else putBoolean(cell, operation === bytecode.OP_EVERY);
  return 0;
}

/** The element that decides. */
function found(operation: i32, local: i32, index: i32, cell: i32): i32 {
  if (operation === bytecode.OP_FIND) copyPair(cell, local);
  else if (operation === bytecode.OP_FIND_INDEX) putNumber(cell, index as f64);
  else putBoolean(cell, operation === bytecode.OP_SOME);
  return 0;
}

/** Writes the fields of an object to the cells of their names; a field without a cell is a fault. */
function merge(cell: i32): i32 {
  let fields: i32 = ask(bytecode.VALUE_FIELDS, cell, 0, 0);
  for (let name: i32 = 0; name < frame.cellCount && fields > 0; name++) {
    const answer: i32 = ask(bytecode.VALUE_NAMED, cell, name, 0);
    if (answer < 0) return answer;
    if (answer === 0) continue;
    fields -= 1;
    const fault: i32 = write(name, cell + CELL);
    if (fault < 0) return fault;
  }
  return fields > 0 ? ask(bytecode.VALUE_FAULT, cell, 1, 0) : fields;
}
