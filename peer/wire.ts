// The wire: every message, its parameters and results, versions and limits. No logic. docs/PROTOCOL.md describes the same thing for people.
// Over 400 lines because it is the one place for all of them.
//
// A frame is   <address> "\n" <body>   where the body is one JSON-RPC 2.0 message or an array of them.
//   to a relay    address = a peer, "#room" (its own rooms only), "peer#room" (that peer, about its room), or "" for the relay itself
//   from a relay  address = the sender as the relay stamped it (with "#room": about a room of ours), "#authority/room", or "" for the relay
//   on a shared socket "=line" in front of each frame of that line, "=" for what is about the socket itself (trunk.ts)
// A text frame that begins with "{" or "[" has no header: plain JSON-RPC to the socket's own server, answered without headers too.

import type { EventObject, Json, JsonObject } from '../core/json.ts';
import type { Operation } from '../core/patch.ts';
import { DEPTH_MAX } from '../core/plain.ts';
import type { InstanceState } from '../core/state.ts';
import type { Step } from '../core/step.ts';
import type { Impurity } from '../core/watch.ts';
import type { InspectRecord } from './inspect/protocol.ts';
import type { Lineage } from './lineage.ts';
import type { Sight } from './sight.ts';

export const SUBPROTOCOL = 'lockstep.1';
export const PROTOCOL_VERSION = 1;

export type PeerId = string;
/** `name` at the server, `peer/name` at any other peer. */
export type InstanceId = string;

/** Limits, with their units and reasons; the ones in force are in the answer to `hello`. */
export const LIMITS = {
  /** Characters of a frame; a larger one closes the link with TOO_LARGE. A snapshot of a 200 kB context still fits. */
  frameSize: 1_048_576,
  /** Characters of one event as JSON. */
  eventSize: 65_536,
  /** Watches per session: each costs the authority a room membership. */
  watchMax: 1_000,
  /** Events of one mirror that wait for their answer; well below `seenWindow`, so that a resend is always recognised. */
  unconfirmedMax: 256,
  /** Events of one mirror, sent or still waiting to be (offline, or behind `unconfirmedMax`); one more is refused with TOO_MANY. */
  queueMax: 4_096,
  /** Frames that one connection may say in a second, two seconds' worth at once; more closes it. A peer has one frame per turn for each that it talks to. */
  frameRate: 50_000,
  /** Characters, or bytes, of these. Frames of the largest size, sixty-four in a second. */
  byteRate: 67_108_864,
  /** Events of one connection that wait for their answer at one authority: sixteen mirrors at `unconfirmedMax`. */
  sendMax: 4_096,
  /** Other requests of one connection that wait for their answer at one peer: each holds what it asks about. */
  requestMax: 1_024,
  /** Places in rooms that one peer, unless it is the server, may give at a relay. */
  memberMax: 65_536,
  /** Arrays and objects inside each other in an event, an input or a context; bounds every recursion over them. */
  depthMax: DEPTH_MAX,
  /** Event numbers of one peer that an instance remembers with their outcome; older resends are STALE. */
  seenWindow: 512,
  /** Peers whose event numbers an instance remembers; the one longest silent is forgotten first. */
  seenPeerMax: 1_024,
  /** Characters of what a peer says of its user as JSON: it goes to everyone there, many times a second. */
  presenceSize: 1_024,
  /** Milliseconds until a request without an answer fails with TIMEOUT. */
  requestTimeoutMs: 10_000,
  /** Milliseconds between the relay's pings; two unanswered ones close the socket. */
  pingMs: 20_000,
} as const;
export type Limits = { readonly [K in keyof typeof LIMITS]: number };

/** Of the messages in a room; those beside it are JSON in either. */
export const ENCODINGS = ['packed', 'json'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/**
 * How a room tells what happens: each step as it was made; or briefly, which is its event where that is shorter and readers can run it
 * themselves, and in the json encoding without JSON-RPC's envelope.
 */
export const MODES = ['steps', 'brief'] as const;
export type Mode = (typeof MODES)[number];

/**
 * What of all that its view shows a reader wants to be told, and how often. Left out: everything, each step by itself.    (docs/filters.md)
 */
export interface Filter {
  /** Key paths (`a.b`; of a relational machine its names): these states and all in them, and no others. */
  readonly states?: readonly string[];
  /** But not these, nor what is in them. */
  readonly except?: readonly string[];
  /** Of each state no more than whether it is active. */
  readonly clocks?: 'shallow';
  /** Without the context. */
  readonly context?: false;
  /** Milliseconds from one difference to the next: what happens between them is told as one; 0: what happens in one turn is. */
  readonly every?: number;
}

export type PeerKind = 'server' | 'browser' | 'node' | 'tool';
export interface PeerInfo {
  readonly peer: PeerId;
  /** For people; need not be unique. */
  readonly name: string;
  readonly kind: PeerKind;
  /** Whether it may be the authority of instances. */
  readonly hosts: boolean;
  /** Whether it opted in to `eval`. */
  readonly eval: boolean;
  /** Its link, as the relay counts them: tells it from the next one of its name. */
  readonly session?: number;
  /** Who it is, as the relay's `authenticate` says: told to the server alone. */
  readonly auth?: Json;
}

// ── To the relay ─────────────────────────────────────────────────────────────────────────────────────────────────
export interface HelloParams {
  readonly versions: readonly number[];
  readonly encodings: readonly string[];
  /** What the peer id derives from; the same secret is the same peer again. */
  readonly secret: string;
  readonly name: string;
  readonly kind: PeerKind;
  readonly hosts: boolean;
  readonly eval: boolean;
  /** Whether to be told who comes and goes. */
  readonly presence: boolean;
  /** Needed to be a `server`: the relay's own key. */
  readonly key?: string;
  /** What the relay's `authenticate` judges; at most 8,192 characters. */
  readonly token?: string;
  /** Take the name only while nobody has it: said by a peer whose name somebody with the same secret took. */
  readonly yields?: boolean;
  /** Requests follow at once, from a peer that the relay knew before: this may be answered together with them. */
  readonly resumes?: boolean;
}
export interface HelloResult {
  readonly version: number;
  readonly encoding: Encoding;
  readonly peer: PeerId;
  /** Where unqualified instance names live; null while no server is here. */
  readonly server: PeerId | null;
  readonly session: number;
  /** The relay's clock, ms since the epoch. */
  readonly now: number;
  readonly limits: Limits;
  /** Everyone here, for a peer that asked for presence; else only the server. */
  readonly peers: readonly PeerInfo[];
}

// ── To an authority ──────────────────────────────────────────────────────────────────────────────────────────────
export interface Methods {
  hello: { params: HelloParams; result: HelloResult };
  define: {
    /** `definition`: plain JSON in any dialect, compiled by the authority if it has a compiler. `image`: base64, without host functions. */
    params: { readonly machine: string; readonly definition?: Json; readonly image?: string };
    result: { readonly machine: string; readonly image: string };
  };
  create: {
    /** Without `instance` the authority names it. */
    params: { readonly machine: string; readonly instance?: string; readonly input?: Json };
    result: { readonly instance: InstanceId; readonly epoch: number; readonly seq: number };
  };
  get: {
    params: { readonly instance: InstanceId; readonly view?: string } | { readonly image: string };
    result: InstanceDescription | SightDescription | ImageDescription;
  };
  /** A relational instance goes on with the schema that the name of its machine means now, which has grown. Answered when that is durable. */
  grow: { params: { readonly instance: InstanceId }; result: Methods['create']['result'] };
  /** Whether the event would do something now: guards and negotiation handlers are asked, nothing changes. */
  can: { params: { readonly instance: InstanceId; readonly event: EventObject }; result: boolean };
  list: {
    params: { readonly after?: string; readonly limit?: number; readonly machine?: string };
    result: { readonly machines: readonly MachineDescription[]; readonly instances: readonly InstanceSummary[]; readonly more: boolean };
  };
  delete: { params: { readonly instance: InstanceId }; result: { readonly instance: InstanceId } };
  watch: {
    params: {
      readonly instance: InstanceId;
      /** What the mirror holds already; the digest proves that it is the same history. */
      readonly from?: {
        readonly epoch: number;
        readonly seq: number;
        readonly digest: string;
        /** It has no need of the single steps since: one difference in their place will do. */
        readonly merged?: true;
      };
      /** In which the room is to speak; json unless given, and when the authority has no other. */
      readonly encoding?: Encoding;
      /** How it is looked at: see docs/views.md. */
      readonly view?: string;
      /** How the room is to tell it; `steps` unless given, and when the authority knows no other. */
      readonly mode?: Mode;
      /** What of it the reader wants to be told. */
      readonly filter?: Filter;
      /** The link of the authority as the asker knows it: a peer that has come after it has given its rooms other numbers. */
      readonly session?: number;
    };
    result: WatchResult;
  };
  /** Of that instance only: the process before may have given the number to another. */
  unwatch: { params: { readonly room: number; readonly instance?: InstanceId }; result: { readonly room: number } };
  /** Positional: the hot path. Answered when the step is durable. As a notice, from a member of the room, it is answered by its step there, or by `settled`. */
  send: { params: readonly [instance: InstanceId, n: number, event: EventObject, expect?: Expectation]; result: SendResult };
  /** A source speaks for a reader behind it: the reader's number as a cause in the room, and its newest event number among the steps up to `seq`. */
  vouch: {
    params: { readonly instance: InstanceId; readonly peer: PeerId };
    result: { readonly who: number; readonly last: number; readonly seq: number };
  };
  /** `send` for a reader that this source has vouched for. */
  forward: {
    params: readonly [instance: InstanceId, peer: PeerId, n: number, event: EventObject, expect?: Expectation];
    result: SendResult;
  };
  /** From a member of the room: who sent what until `seq`, and the numbers under which steps name senders from then on; new ones come as `sender`. */
  standby: {
    params: { readonly instance: InstanceId };
    result: { readonly seq: number; readonly seen: Seen; readonly senders: readonly SenderNumber[]; readonly lineage: Lineage };
  };
  /** From the authority to the peer that is to be the next one: everything, under a higher epoch. Answered when it is durable there; ordered there when `ordered` or `where` says so. */
  take: { params: Taken; result: { readonly instance: InstanceId } };
  /** From a reader: who is at the instance, from now on by `present`. */
  attend: { params: { readonly instance: InstanceId }; result: { readonly present: Present } };
  /** What the others there are to see of this peer, or of one behind it that it has vouched for; null when nothing. */
  here: { params: { readonly instance: InstanceId; readonly data: Json; readonly of?: PeerId }; result: boolean };
  /** Who orders an instance that is or was ordered here; not answered while that is being decided. */
  where: { params: { readonly instance: InstanceId }; result: { readonly peer: PeerId; readonly epoch: number } };
  trace: {
    params: { readonly on: boolean; readonly backlog?: number };
    /** `steps`: what is kept, the messages of foreign programs first. */
    result: { readonly room: number | null; readonly steps: readonly (TraceRecord | InspectRecord)[] };
  };
  eval: { params: { readonly source: string }; result: { readonly text: string } };
}

/** [n, seq, stepped] of the newest events of a peer, ascending by n: what a resend is recognised by. */
export type Seen = readonly (readonly [peer: PeerId, events: readonly (readonly [n: number, seq: number, stepped: boolean])[]])[];
export type SenderNumber = readonly [who: number, peer: PeerId];

/** What peers say of themselves; null when they are gone. */
export type Present = readonly (readonly [peer: PeerId, data: Json])[];

/** What an authority hands over. */
export interface Taken {
  readonly instance: InstanceId;
  readonly machine: string;
  readonly image: string;
  readonly epoch: number;
  readonly seq: number;
  readonly state: InstanceState;
  readonly seen: Seen;
  readonly lineage: Lineage;
  /** What effects of its steps have sent it, and it has not taken yet. */
  readonly untold?: readonly EventObject[];
  /** It is not for everyone: whoever takes it has authorizers for its machine. */
  readonly isGuarded?: true;
}

export interface Expectation {
  readonly seq?: number;
  /** A state value that must match, as XState's `matches` takes it. */
  readonly state?: Json;
}

/** An event that was refused: nothing changed. */
export interface Refused {
  readonly code: string;
  readonly message: string;
}

/** [outcome, seq]: where in the order the event stands. */
export type SendResult = readonly [outcome: 'stepped' | 'ignored', seq: number];

export interface InstanceSummary {
  readonly instance: InstanceId;
  readonly machine: string;
  /** Empty for readers with a partial view. */
  readonly image: string;
  readonly epoch: number;
  readonly seq: number;
  readonly status: string;
  /** XState's state value. */
  readonly value: Json;
}
export interface InstanceDescription extends InstanceSummary {
  readonly state: InstanceState;
  readonly digest: string;
}
/** An instance as a partial view shows it. */
export interface SightDescription extends InstanceSummary {
  readonly view: string;
  readonly sight: Sight;
  /** Of `sight`. */
  readonly digest: string;
}
export interface ImageDescription {
  readonly image: string;
  readonly bytes: string; // base64
}
export interface MachineDescription {
  readonly machine: string;
  /** The image that `create` uses now. */
  readonly image: string;
}

export interface WatchResult {
  /** The authority's number for the room of this instance; steps follow under it. */
  readonly room: number;
  /** In which the room speaks, when that is not json. */
  readonly encoding?: Encoding;
  /** How the room tells what happens, when that is not step by step. */
  readonly mode?: Mode;
  /** The reader's own number as a cause in this room's steps; 0 is the authority, or somebody outside the room. */
  readonly who: number;
  readonly machine: string;
  readonly image: string;
  readonly epoch: number;
  /** Either the steps after `from`, or one difference in their place, or everything. */
  readonly steps?: readonly ToldStep[];
  readonly merged?: StepDifference;
  readonly snapshot?: { readonly seq: number; readonly state: InstanceState };
  /** Instead of both, and without an image: what a partial view, or a filter, shows. */
  readonly seen?: Seeing;
  /** Whether there are readers who may not see all that this one is sent: it is not to be passed on. */
  readonly isGuarded?: true;
  /** After the last of `steps`, or of `snapshot` or `seen`. */
  readonly digest: string;
  /** The reader's newest event number that is in these steps or in this snapshot; 0 when none is remembered. */
  readonly last: number;
}

/** What a reader sees who does not see everything: the whole sight, or what has changed since `from`; its own is still right without either. */
export interface Seeing {
  readonly seq: number;
  readonly sight?: Sight;
  readonly patch?: readonly Operation[];
  /** As in `seen`. */
  readonly clocks?: readonly number[];
  /** With a sight that has clocks: whose they are. */
  readonly states?: readonly string[];
  /** Whether these are states of a relational machine. */
  readonly isRelational?: true;
}

/** What a mirror needs of a Step, positional. `more` is left out when empty. */
export type StepDifference = readonly [
  seq: number,
  who: number,
  n: number,
  /** state, ticks, state, ticks, … */
  clocks: readonly number[],
  patch: readonly Operation[],
  /** `ignored` only where it answers a reader's event. */
  more?: Partial<Pick<Step, 'history' | 'status' | 'output' | 'error' | 'timers' | 'children' | 'ids' | 'ignored'>> & {
    /** Of the mutation, when it was made and brought any. */
    readonly args?: Json;
  },
];

/**
 * A step of which whoever has the image can make the difference, positional. What is not needed is left out from the end.
 * `event`: its number in the image; 0 or below, a timer's, negated; a text where no number means just this one.
 */
export type StepEvent = readonly [
  seq: number,
  who: number,
  n: number,
  event: number | string,
  /** Its fields but `type`. */
  fields?: JsonObject | null,
  /** `now` of the step, when it depends on that. */
  at?: number,
  /** What `random` and `uuid` of the step derive from, when it depends on them. */
  seed?: number,
];

/** Only in rooms that are told briefly is a step an event. */
export type ToldStep = StepDifference | StepEvent;

/** One step as tools see it, wherever it happened. */
export interface TraceRecord {
  readonly kind: 'step';
  readonly peer: PeerId;
  readonly machine: string;
  readonly image: string;
  readonly step: Step;
}
/** A mirror found that its digest is not the authority's. */
export interface DivergenceRecord {
  readonly kind: 'divergence';
  readonly peer: PeerId;
  readonly instance: InstanceId;
  readonly image: string;
  readonly seq: number;
  readonly ours: string;
  readonly theirs: string;
  /** The last state whose digest agreed, and the steps since, as they were told. */
  readonly good: { readonly seq: number; readonly state: InstanceState };
  readonly steps: readonly ToldStep[];
}

/** In development: a function of an author's that answers by more than its arguments, told once. */
export interface ImpurityRecord {
  readonly kind: 'impurity';
  readonly peer: PeerId;
  readonly impurity: Impurity;
}

/** What a trace consists of; `InspectRecord` is what a foreign program told through Stately's protocol. */
export type Traced = TraceRecord | DivergenceRecord | ImpurityRecord | InspectRecord;

/**
 * Why a room is no more what it was: the instance is gone; it has a new epoch, watch again; the source has lost its own source; the reader
 * may not see it any more; somebody else may not, and the room goes on under another number; another peer orders it now.
 */
export type MoveReason = 'deleted' | 'epoch' | 'offline' | 'revoked' | 'room' | 'owner';

// ── Notifications ────────────────────────────────────────────────────────────────────────────────────────────────
export interface Notifications {
  /** authority → room. `digest` is that after the last step, 16 hex digits; `seq` names that step when `steps` is empty (the room fell quiet). */
  step: readonly [room: number, steps: readonly ToldStep[], digest?: string, seq?: number];
  /** authority → a member that sent event `n` as a notice: its answer, when no step of the room is. */
  settled: readonly [room: number, n: number, answer: SendResult | Refused];
  /**
   * authority → a room of a partial view or a filter: what changed between two steps in what it sees. `digest` is that of the sight, 16 hex
   * digits; `clocks`: place, ticks to add, place, ticks to add, …
   */
  seen: readonly [room: number, base: number, seq: number, patch: readonly Operation[], digest?: string | null, clocks?: readonly number[]];
  /** authority → room, or a member: see MoveReason. `to` is where the room goes on, for `room`; `peer` orders it now, for `owner`. */
  moved: { readonly room: number; readonly reason: MoveReason; readonly to?: number; readonly peer?: PeerId };
  /** authority → those who attend, over a room that may lose frames. */
  present: readonly [instance: InstanceId, present: Present];
  /** authority → a standby: steps name this sender under this number from now on. */
  sender: readonly [instance: InstanceId, who: number, peer: PeerId];
  /** whoever orders an instance → its home: in which epoch, after which histories. With `peer` that one does: says a home that knows better, or who handed it over. */
  ordered: readonly [instance: InstanceId, epoch: number, lineage: Lineage, peer?: PeerId];
  /** peer → those who trace it. */
  trace: readonly Traced[];
  /** relay → those who asked. */
  presence: { readonly joined: readonly PeerInfo[]; readonly left: readonly PeerId[] };
  /** authority → relay: who may hear a room of its own; one that may lose frames loses them before any other does. */
  admit: readonly [room: number, peer: PeerId, mayLose?: true];
  expel: readonly [room: number, peer: PeerId];
  /** relay → a reader that was too slow, when it has drained: frames of these rooms ("#authority/room") were dropped; resume each. */
  lagging: readonly string[];
  /** relay → sender: nobody of that name is here. */
  undeliverable: readonly [address: string];
  /** to a relay, first on a socket that several peers share: of which group, and in which term. A socket of a lower term is closed. */
  share: { readonly group: string; readonly term: number };
  /** both ways on a shared socket: one line has ended, with a close code. */
  hangup: readonly [line: number, code: number, reason: string];
}

/** Said to a relay, or between the ends of a shared socket; never to a peer. */
export type Order = 'admit' | 'expel' | 'share' | 'hangup';
