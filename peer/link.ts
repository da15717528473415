// A link carries whole frames, in order, both ways, to one neighbour (a relay, or a peer in the same process). Sockets, in-memory pairs
// and the simulator's lossy pairs all have this shape; test/contracts/link.ts is the suite that each of them passes.

export type Frame = string | Uint8Array;

export interface LinkEvents {
  /** Frames arrive in the order they were sent; never after `closed`. */
  frame(frame: Frame): void;
  /** Exactly once, whoever closed it and for whatever reason. `code` is a WebSocket close code. */
  closed(code: number, reason: string): void;
}

export interface Link {
  /** Hands the events over; frames that arrived before are delivered first. Call it once. */
  open(events: LinkEvents): void;
  /** Queues a frame. Never throws: on a closed link it does nothing. */
  send(frame: Frame): void;
  /** Bytes accepted by send and not yet handed to the network. */
  readonly bufferedBytes: number;
  close(code: number, reason: string): void;
}

/** Opens a new link to the same neighbour. @throws LockstepError UNREACHABLE */
export type Dial = () => Promise<Link>;

/** WebSocket close codes of our own. */
export const CLOSE_NORMAL = 1000;
export const CLOSE_GOING_AWAY = 1001;
/** The neighbour broke the protocol: the reason has the error code and the sentence. */
export const CLOSE_PROTOCOL = 4000;
/** A newer link of the same peer replaced this one. */
export const CLOSE_REPLACED = 4001;
/** The reader is too slow. */
export const CLOSE_SLOW = 4008;
/** The neighbour said more than a connection may: the reason has the error code and the sentence. */
export const CLOSE_FLOOD = 4009;
