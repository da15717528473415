// The one table of error codes. Codes are for ever; texts may improve. docs/PROTOCOL.md prints this table, what each code means included, and a
// test compares them. The meanings are comments: a page that loads the client has no use for them.

interface Code {
  /** The JSON-RPC error number that carries it. */
  readonly rpc: number;
  /** Whether the same request can succeed later without being changed. */
  readonly retryable: boolean;
}

const code = (rpc: number, retryable: boolean): Code => ({ rpc, retryable });

export const CODES = {
  // The request itself
  /** The frame is not JSON, or not the shape its method asks for. */
  MALFORMED: code(-32700, false),
  /** A JSON-RPC message without a method or with a wrong envelope. */
  BAD_REQUEST: code(-32600, false),
  /** No such method. */
  UNKNOWN_METHOD: code(-32601, false),
  /** The parameters do not have the shape that the method asks for. */
  BAD_PARAMS: code(-32602, false),
  /** A fault of ours; the server log has it. */
  INTERNAL: code(-32603, true),
  /** The peer speaks no protocol version that this one does. */
  BAD_VERSION: code(-32010, false),
  /** A frame or an event is over its size limit. */
  TOO_LARGE: code(-32011, false),
  /** A limit on how many (watches, unacknowledged events, instances) is reached. */
  TOO_MANY: code(-32012, true),
  /** This peer may not do that. */
  FORBIDDEN: code(-32013, false),
  /** The peer that would answer is not connected. */
  UNREACHABLE: code(-32014, true),
  /** The connection or the instance was closed before the answer. */
  CLOSED: code(-32015, true),
  /** No answer in time; whether it took effect is unknown, and resending the same event id is safe. */
  TIMEOUT: code(-32016, true),
  // Names
  /** No machine of that name is defined here. */
  UNKNOWN_MACHINE: code(-32020, false),
  /** No instance of that name exists here. */
  UNKNOWN_INSTANCE: code(-32021, false),
  /** Nothing in the machine names this event type. */
  UNKNOWN_EVENT: code(-32022, false),
  /** No image with that hash is published here. */
  UNKNOWN_IMAGE: code(-32023, false),
  /** No peer of that name is here. */
  UNKNOWN_PEER: code(-32024, true),
  /** An instance of that name exists already. */
  EXISTS: code(-32025, false),
  // Machines and their functions
  /** The definition is malformed; the message has the path and the reason. */
  BAD_DEFINITION: code(-32030, false),
  /** The definition says something that this version cannot run; the message has the path and the reason. */
  UNSUPPORTED: code(-32031, false),
  /** The image does not pass the validator, or its hash is not the one it was asked for by. */
  BAD_IMAGE: code(-32032, false),
  /** A context, event or parameter holds something that is not plain JSON; the message has the path. */
  NOT_JSON: code(-32033, false),
  /** The image names a host function that the definition at hand does not have. */
  MISSING_FUNCTION: code(-32034, false),
  /** A guard, assign, delay or output of the author threw; nothing changed. */
  HOST_THREW: code(-32035, false),
  /** A guard, assign, delay or output that is an expression met a value for which it has no rule; nothing changed. */
  EXPRESSION: code(-32036, false),
  // Steps
  /** The instance is done, failed or stopped and takes no more events. */
  NOT_RUNNING: code(-32040, false),
  /** The step did not come to rest within the microsteps that the image allows; nothing changed. */
  FUEL: code(-32041, false),
  /** The step raised more events or effects than there is room for; nothing changed. */
  OVERFLOW: code(-32042, false),
  /** The instance is not at the seq or in the state that the sender expected. */
  EXPECTATION: code(-32043, false),
  /** This event id is older than what is remembered; it is not applied. */
  STALE: code(-32044, false),
  /** A step is missing before this one; the mirror is unchanged and resumes. */
  STALE_SEQ: code(-32045, true),
  /** A replica does not have the digest of its authority; it asks for a snapshot and carries on. */
  DIVERGED: code(-32046, true),
  /** A newer epoch has another authority, or a newer link has the name of this peer. */
  FENCED: code(-32047, false),
  /** A final handler of the relational machine did not end in time; it takes no mutations for a moment. */
  BACKING_OFF: code(-32048, true),
  // The world
  /** The journal could not be written or read; what was not durable is undone. */
  STORAGE: code(-32050, true),
  /** A journal record does not have its checksum. */
  CORRUPT: code(-32051, false),
  /** The core is unusable: memory is exhausted or it trapped. */
  CORE: code(-32052, false),
} as const;

export type ErrorCode = keyof typeof CODES;

/** Every error that a user can meet. `message` names the thing, what was found and what was expected. */
export class LockstepError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'LockstepError';
    this.code = code;
  }

  get retryable(): boolean {
    return CODES[this.code].retryable;
  }
}

/** An operator of an expression met a value for which it has no rule; faultError makes it an EXPRESSION, with the place. */
export class ExpressionFault extends Error {}

/** Our own bug: throws, and is never recovered from. */
export function assert(condition: unknown, why: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${why}`);
}

/** The end of a switch over a union whose members are all handled. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
