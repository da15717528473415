// Events of SCXML as event objects: `type` is the name, the other fields of `_event` stand beside it. What is `type` in SCXML (platform,
// internal, external) is `kind` here. Also the addresses that events are sent to.

import { PARENT, SELF } from '../../core/request.ts';
import type { EventObject, Json } from '../../core/json.ts';
import type { EventFields } from './evaluator.ts';

export const SCXML_PROCESSOR = 'http://www.w3.org/TR/scxml/#SCXMLEventProcessor';

const PROCESSOR_NAMES: ReadonlySet<string> = new Set([SCXML_PROCESSOR, 'scxml']);

export const isScxmlProcessor = (type: string | undefined): boolean => type === undefined || PROCESSOR_NAMES.has(type);

const INVOKABLE: ReadonlySet<string> = new Set(['http://www.w3.org/TR/scxml/', 'http://www.w3.org/TR/scxml', 'scxml', '']);

/** Whether an invocation of this type is one of another SCXML document. */
export const isScxmlDocumentType = (type: string | undefined): boolean => type === undefined || INVOKABLE.has(type);

/** An event of SCXML on its way or in a queue; all of it plain JSON. */
export interface ScxmlEvent extends EventObject {
  readonly kind?: 'platform' | 'internal' | 'external';
  readonly data?: Json;
  readonly sendid?: string;
  readonly origin?: string;
  readonly origintype?: string;
  readonly invokeid?: string;
}

/** What `_event` is while this event is looked at; undefined before the first one. */
export function eventFields(event: EventObject): EventFields | undefined {
  if (event.type === 'xstate.init') return undefined;
  const { kind, data, output, sendid, origin, origintype, invokeid } = event as ScxmlEvent & { readonly output?: Json };
  // The core's own: events of states that are done carry their data as `output`, null for none.
  const carried = data ?? output;
  return {
    name: event.type,
    type: kind ?? 'platform',
    ...(sendid === undefined ? {} : { sendid }),
    ...(origin === undefined ? {} : { origin }),
    ...(origintype === undefined ? {} : { origintype }),
    ...(invokeid === undefined ? {} : { invokeid }),
    ...(carried === undefined || (data === undefined && carried === null) ? {} : { data: carried }),
  };
}

// ── Addresses ────────────────────────────────────────────────────────────────────────────────────────────────────

const SESSION = '#_scxml_';

export const sessionAddress = (sessionId: string): string => SESSION + sessionId;

export type Target =
  /** The internal queue. */
  { readonly kind: 'internal' } | { readonly kind: 'self' | 'parent' } | { readonly kind: 'session' | 'child'; readonly id: string };

/** What a `target` of the SCXML processor means; undefined when it means nothing (appendix C.1). */
export function targetOf(target: string | undefined, sessionId: string): Target | undefined {
  if (target === undefined || target === '' || target === sessionAddress(sessionId)) return { kind: 'self' };
  if (target === '#_internal') return { kind: 'internal' };
  if (target === '#_parent') return { kind: 'parent' };
  if (target.startsWith(SESSION)) return { kind: 'session', id: target.slice(SESSION.length) };
  if (target.startsWith('#_')) return { kind: 'child', id: target.slice('#_'.length) };
  return undefined;
}

/** How a request names a receiver; `readReceiver` is the way back. */
export type Receiver =
  | { readonly kind: 'self' | 'parent' }
  | { readonly kind: 'session' | 'child'; readonly id: string }
  | { readonly kind: 'processor'; readonly type: string; readonly target: string };

const OTHER = '#_processor ';

export function receiverName(receiver: Receiver): string {
  switch (receiver.kind) {
    case 'self':
      return SELF;
    case 'parent':
      return PARENT;
    case 'session':
      return sessionAddress(receiver.id);
    case 'child':
      return receiver.id;
    case 'processor':
      return `${OTHER}${JSON.stringify([receiver.type, receiver.target])}`;
  }
}

export function readReceiver(name: string): Receiver {
  if (name === SELF) return { kind: 'self' };
  if (name === PARENT) return { kind: 'parent' };
  if (name.startsWith(SESSION)) return { kind: 'session', id: name.slice(SESSION.length) };
  if (!name.startsWith(OTHER)) return { kind: 'child', id: name };
  const [type = '', target = ''] = JSON.parse(name.slice(OTHER.length)) as readonly string[];
  return { kind: 'processor', type, target };
}

// ── Delays ───────────────────────────────────────────────────────────────────────────────────────────────────────

const DELAY = /^\+?(\d*\.?\d+)(ms|s)?$/;

/** Milliseconds of a delay like `1.5s` or `100ms`; undefined when it is none. */
export function delayMs(text: string): number | undefined {
  const [, digits, unit] = DELAY.exec(text.trim()) ?? [];
  if (digits === undefined) return undefined;
  const number = Number(digits);
  if (unit === undefined && number !== 0) return undefined;
  return Math.round(unit === 's' ? number * 1_000 : number);
}
