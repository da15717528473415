// The packed encoding: the messages of codec-json.ts in binary frames. `step` and `send` have forms of their own, in which an instance is
// its room and an event its number in the image; any other message is its JSON text. A frame is read whole before any of it is handed on:
// what is malformed or cut off anywhere is refused with a code, and nothing of it counts.      (docs/PROTOCOL.md, Packed; docs/spec/packed.md)

import { LockstepError } from '../core/errors.ts';
import type { EventObject, Json, JsonObject } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import type { Operation } from '../core/patch.ts';
import { encodeNotice, type Message, readBody } from './codec-json.ts';
import { ByteReader, ByteWriter, readAddress, writeAddress } from './packed-bytes.ts';
import { isEvent } from './told.ts';
import type { InstanceId, Methods, Notifications, StepDifference, StepEvent, ToldStep } from './wire.ts';

export { ByteWriter };

/** What the numbers in a room stand for. */
export interface RoomNames {
  readonly instance: InstanceId;
  readonly machine: Pick<Machine, 'symbols' | 'eventNumber'>;
}

export interface PackedFrame {
  readonly address: string;
  readonly messages: readonly (Message | LockstepError)[];
}

// Heads of messages. Between them there is room for more.
const JSON_MESSAGE = 0x00;
const STEP = 0x40;
const STEP_DIGEST = 0x20;
/** Low bits of the head; this one says that the count follows. */
const STEP_COUNT = 0x1f;
export const SEEN = 0x20;
export const SEEN_DIGEST = 0x01;
export const SEEN_PATCH = 0x02;
export const SEEN_CLOCKS = 0x04;
const SEEN_MASK = 0x07;
const SEND = 0x80;
const SEND_EVENT = 0x7f;

// One step.
const HAS_CAUSE = 0x01;
const HAS_NUMBER = 0x02;
const HAS_PATCH = 0x04;
const HAS_MORE = 0x08;
const IS_IGNORED = 0x10;
const CLOCKS_SHIFT = 5;
const CLOCKS_MANY = 7;
/** In the place of IS_IGNORED and the clocks, which together mean nothing else: the step is told by its event. */
const EVENT_MASK = 0xf0;
const IS_EVENT = 0x30;
const EVENT_HAS_FIELDS = HAS_PATCH;
const EVENT_HAS_STAMP = HAS_MORE;

// One send.
const HAS_FIELDS = 1;
const HAS_EXPECT = 2;

/** Four times it is still exact. */
const N_MAX = 2 ** 50;

const OPS = ['add', 'replace', 'remove'] as const;
const DIGEST_SIZE = 8;

// ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

export function packFrame(address: string, messages: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter();
  writeAddress(writer, address);
  for (const message of messages) writer.raw(message);
  return writer.take();
}

/** @param text one JSON-RPC message. */
export function packJson(text: string): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(JSON_MESSAGE);
  writer.text(text);
  return writer.take();
}

/** In the frame its header is `authority#room`: the room of the instance. */
export function packSend(params: Methods['send']['params'], { machine }: RoomNames): Uint8Array {
  const [, n, event, expect] = params;
  const { type, ...fields } = event;
  const writer = new ByteWriter();
  const number = machine.eventNumber(type);
  // A wildcard's number does not say what the event is called.
  const known = machine.symbols.events[number] === type ? number : 0;
  writer.byte(SEND | Math.min(known, SEND_EVENT));
  if (known === 0) writer.text(type);
  if (known >= SEND_EVENT) writer.whole(known);
  const hasFields = Object.keys(fields).length > 0;
  if (n > N_MAX) writer.isFaithful = false;
  writer.whole(n * 4 + (hasFields ? HAS_FIELDS : 0) + (expect === undefined ? 0 : HAS_EXPECT));
  if (hasFields) writer.value(fields as Json);
  if (expect !== undefined) writer.value(expect as unknown as Json);
  return writer.isFaithful ? writer.take() : packJson(encodeNotice('send', params));
}

/** In the frame its header is that of the room. */
export function packStep(params: Notifications['step']): Uint8Array {
  const [, steps, digest, seq] = params;
  const writer = new ByteWriter();
  writer.byte(STEP | (digest === undefined ? 0 : STEP_DIGEST) | Math.min(steps.length, STEP_COUNT));
  if (steps.length >= STEP_COUNT) writer.whole(steps.length);
  if (digest !== undefined) packDigest(writer, digest);
  writer.whole(steps[0]?.[0] ?? seq ?? 0);
  const before = new Before();
  steps.forEach((step, i) => {
    if (step[0] !== steps[0]![0] + i || !packTold(writer, step, before)) writer.isFaithful = false;
  });
  // What no authority says has no form of its own: steps with a gap, clocks out of order, a digest of some other step.
  const isUsual = writer.isFaithful && (seq === undefined) === (steps.length > 0 || digest === undefined);
  return isUsual ? writer.take() : packJson(encodeNotice('step', params));
}

export function packDigest(writer: ByteWriter, digest: string): void {
  for (let i = 0; i < DIGEST_SIZE; i++) writer.byte(parseInt(digest.slice(2 * i, 2 * i + 2), 16));
}

interface Caused {
  readonly seq: number;
  readonly who: number;
  readonly n: number;
}

/** What a message has said already. */
class Before {
  readonly paths: string[] = [];
  /** The sender of the step before, and its newest event number. */
  #who = 0;
  #n: number | undefined;
  /** The same of those before it: mostly there are none. */
  #others: Map<number, number> | undefined;

  /** The number that an event most likely has: one sender's events are numbered as the steps are, from 1 when the second step comes. */
  expected(seq: number, who: number): number {
    return ((who === this.#who ? this.#n : this.#others?.get(who)) ?? seq - 2) + 1;
  }

  heard(who: number, n: number): void {
    if (who !== this.#who && this.#n !== undefined) (this.#others ??= new Map()).set(this.#who, this.#n);
    this.#who = who;
    this.#n = n;
  }
}

/** @returns false when it cannot be said in this form. */
function packTold(writer: ByteWriter, step: ToldStep, before: Before): boolean {
  return isEvent(step) ? packEvent(writer, step, before) : packDifference(writer, step, before);
}

function packEvent(writer: ByteWriter, [seq, who, n, event, fields, at, seed]: StepEvent, before: Before): boolean {
  const flags = IS_EVENT | (fields == null ? 0 : EVENT_HAS_FIELDS) | (at === undefined ? 0 : EVENT_HAS_STAMP);
  packCause(writer, flags, { seq, who, n }, before);
  // Odd: a timer. Zero: a text follows.
  writer.whole(typeof event === 'string' ? 0 : event > 0 ? event * 2 : event * -2 + 1);
  if (typeof event === 'string') writer.text(event);
  if (fields != null) writer.value(fields as Json);
  if (at !== undefined) {
    writer.whole(at * 2 + (seed === undefined ? 0 : 1));
    if (seed !== undefined) writer.whole(seed);
  }
  return (fields !== null || at !== undefined) && (at === undefined || (Number.isInteger(at) && at >= 0 && at <= N_MAX));
}

/** Writes the flags, and who sent which event. */
function packCause(writer: ByteWriter, flags: number, { seq, who, n }: Caused, before: Before): void {
  const hasCause = who > 0 || n > 0;
  const surprise = hasCause ? n - before.expected(seq, who) : 0;
  writer.byte(flags | (hasCause ? HAS_CAUSE : 0) | (surprise === 0 ? 0 : HAS_NUMBER));
  if (hasCause) writer.whole(who);
  if (surprise !== 0) writer.whole(surprise > 0 ? 2 * surprise : -2 * surprise - 1);
  before.heard(who, n);
}

/** @returns false when it cannot be said in this form. */
function packDifference(writer: ByteWriter, [seq, who, n, clocks, patch, more]: StepDifference, before: Before): boolean {
  const { ignored, ...rest } = more ?? {};
  const hasMore = Object.keys(rest).length > 0;
  const pairs = clocks.length / 2;
  // An ignored step moves no clock.
  if (ignored === true && pairs > 0) return false;
  const flags =
    (patch.length > 0 ? HAS_PATCH : 0) |
    (hasMore ? HAS_MORE : 0) |
    (ignored === true ? IS_IGNORED : 0) |
    (Math.min(pairs, CLOCKS_MANY) << CLOCKS_SHIFT);
  packCause(writer, flags, { seq, who, n }, before);
  if (pairs >= CLOCKS_MANY) writer.whole(pairs);
  if (!packClocks(writer, clocks)) return false;
  if (patch.length > 0) packPatch(writer, patch, before.paths);
  if (hasMore) writer.value(rest as Json);
  return more === undefined || hasMore || ignored === true;
}

/** @returns false when they are not ascending by state. */
export function packClocks(writer: ByteWriter, clocks: readonly number[]): boolean {
  let next = 0;
  for (let i = 0; i < clocks.length; i += 2) {
    const state = clocks[i]!;
    const ticks = clocks[i + 1]!;
    if (state < next) return false;
    writer.whole((state - next) * 2 + (ticks === 1 ? 0 : 1));
    if (ticks !== 1) writer.whole(ticks);
    next = state + 1;
  }
  return true;
}

/** A path is written once in a message; after that its place among them is enough. */
export function packPatch(writer: ByteWriter, patch: readonly Operation[], paths: string[]): void {
  writer.whole(patch.length);
  for (const operation of patch) {
    const known = paths.indexOf(operation.path) + 1;
    writer.whole(known * OPS.length + OPS.indexOf(operation.op));
    if (known === 0) {
      paths.push(operation.path);
      writer.text(operation.path);
    }
    if (operation.op !== 'remove') writer.value(operation.value);
  }
}

// ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The messages of a binary frame, in order; what is in them is checked by the gates that stand behind those of JSON as well.
 * @param names of a room of this peer's own, for what others send to it.
 * @throws LockstepError MALFORMED: nothing of the frame counts.
 */
export function readPacked(frame: Uint8Array, names: (room: number) => RoomNames | undefined): PackedFrame {
  const reader = new ByteReader(frame);
  const address = readAddress(reader);
  const hash = address.indexOf('#');
  // Of this peer's own, which others send to, or one that it hears.
  const own = hash > 0 ? roomIn(address) : undefined;
  const heard = hash === 0 ? roomIn(address) : undefined;
  const known = own === undefined ? undefined : names(own);
  let messages: (Message | LockstepError)[] | undefined;
  while (!reader.isAtEnd) {
    const head = reader.byte();
    let said: (Message | LockstepError)[];
    if (head === JSON_MESSAGE) said = [...readBody(reader.text())];
    else if (head >= SEND) said = [readSend(reader, head & SEND_EVENT, about(own, reader), known)];
    else if (head >= STEP) said = [readStep(reader, head, about(heard, reader))];
    else if (head >= SEEN && (head & ~SEEN_MASK) === SEEN) said = [readSeen(reader, head, about(heard, reader))];
    else throw reader.malformed(`the head of a message, found ${head}`);
    // Mostly there is one: a list that grows would begin with room for many.
    if (messages === undefined) messages = said;
    else messages.push(...said);
  }
  return { address, messages: messages ?? [] };
}

/**
 * As `readPacked`; what cannot be read is the only thing that the frame says then: its sender is refused, or its room has a gap.
 * @throws LockstepError MALFORMED when not even the address can be read, or the relay itself is at fault: the two speak different protocols.
 */
export function receivePacked(frame: Uint8Array, names: (room: number) => RoomNames | undefined, sizeMax: number): PackedFrame {
  try {
    if (frame.length > sizeMax) throw new LockstepError('TOO_LARGE', `a frame of ${frame.length} bytes, at most ${sizeMax} are taken`);
    return readPacked(frame, names);
  } catch (error) {
    const address = readAddress(new ByteReader(frame));
    if (address === '') throw error;
    return { address, messages: [error as LockstepError] };
  }
}

function roomIn(address: string): number {
  return Number(address.slice(Math.max(address.lastIndexOf('/'), address.lastIndexOf('#')) + 1));
}

function about(room: number | undefined, reader: ByteReader): number {
  if (room === undefined) throw reader.malformed('a message that belongs to this header, found one about a room');
  return room;
}

function readSend(reader: ByteReader, head: number, room: number, known: RoomNames | undefined): Message | LockstepError {
  const number = head === SEND_EVENT ? reader.whole() : head;
  const named = number === 0 ? reader.text() : undefined;
  const id = reader.whole();
  const fields = (id & HAS_FIELDS) === 0 ? {} : reader.value();
  const expect = (id & HAS_EXPECT) === 0 ? undefined : reader.value();
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields) || Object.hasOwn(fields, 'type'))
    throw reader.malformed('the fields of an event but its type, found something else');
  if (known === undefined) return new LockstepError('UNKNOWN_INSTANCE', `there is no room ${room} here`);
  const type = named ?? known.machine.symbols.events[number];
  if (type === undefined) return new LockstepError('UNKNOWN_EVENT', `machine ${known.machine.symbols.id} has no event ${number}`);
  const event: EventObject = { type, ...(fields as JsonObject) };
  const n = Math.floor(id / 4);
  const params = expect === undefined ? [known.instance, n, event] : [known.instance, n, event, expect];
  return { kind: 'notice', method: 'send', params };
}

function readStep(reader: ByteReader, head: number, room: number): Message {
  const low = head & STEP_COUNT;
  const count = low === STEP_COUNT ? reader.whole() : low;
  const digest = (head & STEP_DIGEST) === 0 ? undefined : hex(reader.raw(DIGEST_SIZE));
  const seq = reader.whole();
  const before = new Before();
  // As long as one step needs: mostly there are no more.
  const steps: ToldStep[] = count === 0 ? [] : [readTold(reader, seq, before)];
  for (let i = 1; i < count; i++) steps.push(readTold(reader, seq + i, before));
  const params = digest === undefined ? [room, steps] : count === 0 ? [room, steps, digest, seq] : [room, steps, digest];
  return { kind: 'notice', method: 'step', params };
}

function readSeen(reader: ByteReader, head: number, room: number): Message {
  const digest = (head & SEEN_DIGEST) === 0 ? undefined : hex(reader.raw(DIGEST_SIZE));
  const seq = reader.whole();
  const base = seq - reader.whole();
  const clocks = (head & SEEN_CLOCKS) === 0 ? undefined : readClocks(reader, reader.whole());
  const patch = (head & SEEN_PATCH) === 0 ? [] : readPatch(reader, []);
  const told = [room, base, seq, patch];
  const params = clocks !== undefined ? [...told, digest ?? null, clocks] : digest === undefined ? told : [...told, digest];
  return { kind: 'notice', method: 'seen', params };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function readTold(reader: ByteReader, seq: number, before: Before): ToldStep {
  const flags = reader.byte();
  const who = (flags & HAS_CAUSE) === 0 ? 0 : reader.whole();
  if ((flags & (HAS_CAUSE | HAS_NUMBER)) === HAS_NUMBER) throw reader.malformed('a sender before its number, found none');
  const coded = (flags & HAS_NUMBER) === 0 ? 0 : reader.whole();
  const surprise = coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2;
  const n = (flags & HAS_CAUSE) === 0 ? 0 : before.expected(seq, who) + surprise;
  before.heard(who, n);
  const cause = { seq, who, n };
  return (flags & EVENT_MASK) === IS_EVENT ? readEvent(reader, flags, cause) : readDifference(reader, flags, cause, before);
}

function readEvent(reader: ByteReader, flags: number, { seq, who, n }: Caused): StepEvent {
  const coded = reader.whole();
  const event = coded === 0 ? reader.text() : coded % 2 === 0 ? coded / 2 : 0 - (coded - 1) / 2;
  const fields = (flags & EVENT_HAS_FIELDS) === 0 ? null : (reader.value() as JsonObject);
  if ((flags & EVENT_HAS_STAMP) === 0) return fields === null ? [seq, who, n, event] : [seq, who, n, event, fields];
  const at = reader.whole();
  if (at % 2 === 0) return [seq, who, n, event, fields, at / 2];
  return [seq, who, n, event, fields, (at - 1) / 2, reader.whole()];
}

function readDifference(reader: ByteReader, flags: number, { seq, who, n }: Caused, before: Before): StepDifference {
  if ((flags & IS_IGNORED) !== 0 && flags >>> CLOCKS_SHIFT > 0)
    throw reader.malformed('a step that was ignored and moved nothing, found clocks');
  const few = flags >>> CLOCKS_SHIFT;
  const pairs = few === CLOCKS_MANY ? reader.whole() : few;
  const clocks = readClocks(reader, pairs);
  const patch = (flags & HAS_PATCH) === 0 ? [] : readPatch(reader, before.paths);
  const rest = (flags & HAS_MORE) === 0 ? undefined : reader.value();
  if (rest === undefined && (flags & IS_IGNORED) === 0) return [seq, who, n, clocks, patch];
  const more = { ...((rest ?? {}) as StepDifference[5]), ...((flags & IS_IGNORED) === 0 ? {} : { ignored: true as const }) };
  return [seq, who, n, clocks, patch, more];
}

function readClocks(reader: ByteReader, pairs: number): number[] {
  const clocks: number[] = [];
  let next = 0;
  for (let i = 0; i < pairs; i++) {
    const coded = reader.whole();
    const state = next + Math.floor(coded / 2);
    clocks.push(state, coded % 2 === 0 ? 1 : reader.whole());
    next = state + 1;
  }
  return clocks;
}

function readPatch(reader: ByteReader, paths: string[]): Operation[] {
  const count = reader.whole();
  const patch: Operation[] = [];
  for (let i = 0; i < count; i++) {
    const coded = reader.whole();
    const op = OPS[coded % OPS.length]!;
    const known = Math.floor(coded / OPS.length);
    if (known === 0) paths.push(reader.text());
    const path = known === 0 ? paths.at(-1) : paths[known - 1];
    if (path === undefined) throw reader.malformed(`a path of this message, found number ${known} of ${paths.length}`);
    patch.push(op === 'remove' ? { op, path } : { op, path, value: reader.value() as Json });
  }
  return patch;
}
