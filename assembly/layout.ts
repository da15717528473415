// Every offset, opcode, limit and fault that the core, the compiler and the loader agree on. No logic. Over 400 lines because it is one agreement.
// A change here is a change of format: raise FORMAT and rewrite docs/IMAGE.md with it.
// All numbers are little-endian; every section starts on an 8-byte boundary; offsets count from the start of the image.

// ── Image header ─────────────────────────────────────────────────────────────────────────────────────────────────
//  0       4        8      12          16       24         28    32 ...................... 128 ........ 160 .......... 192
//  | MAGIC | FORMAT | size | hashedSize| hash64 | semantics | fuel | counts, section offsets | 128: relations | 160: expressions |
export const MAGIC: i32 = 0x54534b4c; // the bytes "LKST"
export const FORMAT: i32 = 3;
export const HEADER_SIZE: i32 = 192;

export const IMAGE_MAGIC: i32 = 0;
export const IMAGE_FORMAT: i32 = 4;
/** Total bytes, debug section included. A multiple of 8. */
export const IMAGE_SIZE: i32 = 8;
/** The hash covers the bytes [IMAGE_SEMANTICS, hashedSize); debug names lie behind them. A multiple of 8. */
export const IMAGE_HASHED_SIZE: i32 = 12;
/** xxh64 with seed 0, low word first. */
export const IMAGE_HASH: i32 = 16;
export const IMAGE_SEMANTICS: i32 = 24;
/** Microsteps that one macrostep may take; part of the image so that all replicas run out together. */
export const IMAGE_FUEL: i32 = 28;
export const IMAGE_STATE_COUNT: i32 = 32;
/** Named events; one more pseudo-event, at index eventCount, holds the eventless (`always`) candidates. */
export const IMAGE_EVENT_COUNT: i32 = 36;
export const IMAGE_TRANSITION_COUNT: i32 = 40;
export const IMAGE_HISTORY_COUNT: i32 = 44;
export const IMAGE_TIMER_COUNT: i32 = 48;
export const IMAGE_RAISE_COUNT: i32 = 52;
/** Host functions that the image names; every function number in it is below this. */
export const IMAGE_FUNCTION_COUNT: i32 = 56;
export const IMAGE_STATES: i32 = 60;
export const IMAGE_EVENTS: i32 = 64;
export const IMAGE_TRANSITIONS: i32 = 68;
export const IMAGE_HISTORIES: i32 = 72;
export const IMAGE_TIMERS: i32 = 76;
export const IMAGE_RAISES: i32 = 80;
/** u32 words: action lists, entry lists, target lists. Word 0 is a zero: the empty list. */
export const IMAGE_LISTS: i32 = 84;
export const IMAGE_LISTS_COUNT: i32 = 88;
/** u32 words: masks, ranks and candidate starts of the events. */
export const IMAGE_SELECT: i32 = 92;
export const IMAGE_SELECT_COUNT: i32 = 96;
/** u32 words: transition numbers in priority order. */
export const IMAGE_CANDIDATES: i32 = 100;
export const IMAGE_CANDIDATE_COUNT: i32 = 104;
/** UTF-8 JSON, see core/symbols.ts; inside the hash, never read by the core. */
export const IMAGE_SYMBOLS: i32 = 108;
export const IMAGE_SYMBOLS_SIZE: i32 = 112;
/** UTF-8 JSON outside the hash: source positions, descriptions, meta. Always hashedSize: all that lies behind the hashed bytes, padded with spaces. */
export const IMAGE_DEBUG: i32 = 116;
/** Zero: the size is size - hashedSize; written here it would enter the hash. */
export const IMAGE_DEBUG_SIZE: i32 = 120;
/** Zero in a file. In its own copy the core keeps here where its table of single candidates is, if it made one (assembly/plan.ts). */
export const IMAGE_DIRECT: i32 = 124;
/** Relation records, one per state; 0 unless SEMANTICS_RELATIONAL. */
export const IMAGE_RELATIONS: i32 = 128;
/** u32 word index into LISTS: [count, state…] of all states but the root, in the order in which their handlers run. */
export const IMAGE_RELATION_ORDER: i32 = 132;
/** The state that stands for errors of handlers. */
export const IMAGE_RELATION_EXCEPTION: i32 = 136;
// 140 to 159 are zero.
/** Program records: one for each function, then those of callbacks. None in an image whose functions are all the host's. */
export const IMAGE_PROGRAMS: i32 = 160;
export const IMAGE_PROGRAM_COUNT: i32 = 164;
/** u32 words: instructions. */
export const IMAGE_CODE: i32 = 168;
export const IMAGE_CODE_COUNT: i32 = 172;
/** Cells: numbers; strings and trees without their handles, which the host writes into the core's own copy. */
export const IMAGE_CONSTANTS: i32 = 176;
export const IMAGE_CONSTANT_COUNT: i32 = 180;
/** Cells of an instance: the top-level keys of its context, named in the symbols. */
export const IMAGE_CELL_COUNT: i32 = 184;
/** Zero, or one more than the number of the function whose program makes the first context. */
export const IMAGE_CONTEXT_FUNCTION: i32 = 188;

// ── Semantics flags ──────────────────────────────────────────────────────────────────────────────────────────────
/** A throwing host function: 0 = the event is refused, 1 = the instance goes to status ERROR (XState's rule). */
export const SEMANTICS_THROW_IS_STATUS: i32 = 1;
/**
 * SCXML's rules (W3C SCXML 1.0, appendix D) where they differ from XState's: every active leaf looks for a transition of its own, upwards to
 * the root; only a compound can be its own domain; initial transitions go deep and to several states; `always` is asked again after every
 * microstep; content of history defaults runs; STATE_INVOKE and STATE_FINALIZE are run.
 */
export const SEMANTICS_SCXML: i32 = 2;
/** With SEMANTICS_SCXML: the domain of a transition is a compound or the root (the LCCA), never a parallel. */
export const SEMANTICS_COMPOUND_DOMAIN: i32 = 4;
/** A relational machine: any of the root's children may be active; events are mutations, and relations decide what they reach. */
export const SEMANTICS_RELATIONAL: i32 = 8;
/** Every flag this core knows; an image with another one is refused. */
export const SEMANTICS_KNOWN: i32 = 15;

// ── State, 32 bytes; numbered in document pre-order, history nodes left out; state 0 is the root ─────────────────
//  0        2     4      5       6         8       12     16          18       20            24       28
//  | parent | end | kind | flags | initial | entry | exit | doneEvent | output | historyList | invoke | finalize |
export const STATE_SIZE: i32 = 32;
/** u16; the root has NONE16. */
export const STATE_PARENT: i32 = 0;
/** u16: the last descendant, the state itself when it has none. Descendants of s are (s, end]. */
export const STATE_END: i32 = 2;
export const STATE_KIND: i32 = 4;
export const STATE_FLAGS: i32 = 5;
/** u16: number of the initial transition of a compound; NONE16 otherwise. */
export const STATE_INITIAL: i32 = 6;
/** u32 word index into LISTS: action list. */
export const STATE_ENTRY: i32 = 8;
export const STATE_EXIT: i32 = 12;
/** u16: event raised when this compound or parallel completes; NONE16 when it cannot. */
export const STATE_DONE_EVENT: i32 = 16;
/** u16: function that computes the output of a final state, or of the root; NONE16 when there is none. */
export const STATE_OUTPUT: i32 = 18;
/** u32 word index into LISTS: [count, history number…] of the history nodes directly inside this state. */
export const STATE_HISTORIES: i32 = 20;
/** u32 word index into LISTS: actions when a macrostep ends in which the state was entered and not left. SEMANTICS_SCXML only. */
export const STATE_INVOKE: i32 = 24;
/** u32 word index into LISTS: actions for an external event that finds the state active, before it selects. SEMANTICS_SCXML only. */
export const STATE_FINALIZE: i32 = 28;

export const KIND_ATOMIC: i32 = 0;
export const KIND_COMPOUND: i32 = 1;
export const KIND_PARALLEL: i32 = 2;
export const KIND_FINAL: i32 = 3;

export const NONE16: i32 = 0xffff;

// ── Relation, 48 bytes, one per state of a relational machine ────────────────────────────────────────────────────
//  0       4     8        12        16     20      24     28    32      36      40
//  | flags | add | remove | require | exit | enter | self | end | state | pairs | reserved |
// All but the flags are u32 word indexes into LISTS: [count, state…] of relations, [count, function…] of handlers. The root's record holds
// the handlers that any transition runs: its enter list is AnyEnter, its state list AnyState.
export const RELATION_SIZE: i32 = 48;
export const RELATION_FLAGS: i32 = 0;
export const RELATION_ADD: i32 = 4;
export const RELATION_REMOVE: i32 = 8;
export const RELATION_REQUIRE: i32 = 12;
/** Negotiation: functions that are asked, and may say no. */
export const RELATION_EXIT: i32 = 16;
export const RELATION_ENTER: i32 = 20;
export const RELATION_SELF: i32 = 24;
/** Final: functions that run when the transition is made. */
export const RELATION_END: i32 = 28;
export const RELATION_STATE: i32 = 32;
/** Negotiation: [2 · count, other state, function, …], by the other state's place in the order. */
export const RELATION_PAIRS: i32 = 36;

/** Added by itself after a mutation that changed something. */
export const RELATION_AUTO: i32 = 1;
/** Called again while it is active, it begins anew: its clock moves by two. */
export const RELATION_MULTI: i32 = 2;
/** A mutation of such states alone brings no automatic one. */
export const RELATION_SILENT: i32 = 4;

/** Event numbers of a relational machine. The host writes the states called, [count, state…], where called() says. */
export const MUTATION_ADD: i32 = 1;
export const MUTATION_REMOVE: i32 = 2;
export const MUTATION_SET: i32 = 3;
/** Removes what it calls when all of it is active, else adds it. */
export const MUTATION_TOGGLE: i32 = 4;
/** A final handler threw: the states called are taken back to where they were, and the state that stands for errors is added. Not negotiated. */
export const MUTATION_EXCEPTION: i32 = 5;
/** Never sent: raise 0 names it, and handlers see it in the automatic mutation that follows another one. */
export const MUTATION_AUTO: i32 = 6;
/** List words that one mutation may look at. */
export const MUTATION_WORK_MAX: i32 = 50000000;

// ── Event, 16 bytes, eventCount + 1 of them ──────────────────────────────────────────────────────────────────────
// Event 0 is "a type that nothing in the machine names and no wildcard matches": it has no candidates.
// A wildcard descriptor is an event of its own: the class of unnamed types whose longest matching descriptor it is.
//  0      4      8        12
//  | mask | rank | starts | entryCount |      all word indexes into SELECT
// mask:   W words, bit s set when state s has candidates.
// rank:   W words, rank[w] = number of set mask bits in words before w.
// starts: entryCount + 1 words; candidates of the i-th set bit are CANDIDATES[starts[i] .. starts[i+1]).
export const EVENT_SIZE: i32 = 16;
export const EVENT_MASK: i32 = 0;
export const EVENT_RANK: i32 = 4;
export const EVENT_STARTS: i32 = 8;
export const EVENT_ENTRY_COUNT: i32 = 12;

// ── Transition, 32 bytes ─────────────────────────────────────────────────────────────────────────────────────────
//  0        2        4       6           8          12        16      20        24      26
//  | source | domain | flags | guardKind | guardArg | actions | entry | targets | event | plan |
export const TRANSITION_SIZE: i32 = 32;
export const TRANSITION_SOURCE: i32 = 0;
/** u16; NONE16 = nothing encloses it: the root itself is left and entered again. Meaningless when DYNAMIC or targetless. */
export const TRANSITION_DOMAIN: i32 = 2;
export const TRANSITION_FLAGS: i32 = 4;
export const TRANSITION_GUARD_KIND: i32 = 6;
export const TRANSITION_GUARD_ARG: i32 = 8;
/** u32 word index into LISTS: action list. */
export const TRANSITION_ACTIONS: i32 = 12;
/** u32 word index into LISTS: [count, state | ENTRY_DEFAULT…] ascending; precomputed unless DYNAMIC. */
export const TRANSITION_ENTRY: i32 = 16;
/** u32 word index into LISTS: [count, state or TARGET_HISTORY | history…]. */
export const TRANSITION_TARGETS: i32 = 20;
/** u16: the event it is listed under, eventCount for `always`, NONE16 for an initial transition. For traces only. */
export const TRANSITION_EVENT: i32 = 24;
/** u16: written by the core into its own copy when it takes the image in, whatever a file says there. */
export const TRANSITION_PLAN: i32 = 26;
/**
 * What it leaves is known before: all that is active below its source, the source, and the ancestors up to its domain. Nothing that it leaves
 * or enters, nor itself, has actions, remembers history, or is final: nothing can fail on the way.
 */
export const PLAN_PLAIN: i32 = 1;
/** The same, but it has actions itself; or it has no target, and its actions are all there is to it. */
export const PLAN_ACTING: i32 = 2;
/** Its actions are programs that write cells, and no program of the image asks what is active: they may as well run before the move. */
export const PLAN_WRITING: i32 = 3;

export const TRANSITION_TARGETLESS: i32 = 1;
export const TRANSITION_REENTER: i32 = 2;
/** Its targets or their default descent meet a history node: domain and entry set are computed at run time. */
export const TRANSITION_DYNAMIC: i32 = 4;

export const GUARD_NONE: i32 = 0;
/** arg: function number. */
export const GUARD_HOST: i32 = 1;
/** arg: state number that must be active. */
export const GUARD_IN: i32 = 2;

/** On an entry-list word: the state is entered by default, so the actions of its initial transition run. */
export const ENTRY_DEFAULT: i32 = 0x80000000 | 0;
/** On a target word: the rest is a history number. */
export const TARGET_HISTORY: i32 = 0x80000000 | 0;

// ── History node, 16 bytes ───────────────────────────────────────────────────────────────────────────────────────
//  0        2      4                   8
//  | parent | deep | defaultTransition | reserved |
export const HISTORY_SIZE: i32 = 16;
export const HISTORY_PARENT: i32 = 0;
/** u8: 1 = deep. */
export const HISTORY_DEEP: i32 = 2;
/** u16: transition whose targets are the default; NONE16 = what the parent enters by default. */
export const HISTORY_DEFAULT: i32 = 4;

// ── Timer, 16 bytes: one per `after` of a state ──────────────────────────────────────────────────────────────────
//  0       2       4           8
//  | event | state | delayKind | delay |
export const TIMER_SIZE: i32 = 16;
export const TIMER_EVENT: i32 = 0;
export const TIMER_STATE: i32 = 2;
export const TIMER_DELAY_KIND: i32 = 4;
/** Milliseconds, or a function number. */
export const TIMER_DELAY: i32 = 8;

export const DELAY_CONST: i32 = 0;
export const DELAY_HOST: i32 = 1;

// ── Raise, 4 bytes: u32 event number of a raise whose event is a constant of the definition ──────────────────────
export const RAISE_SIZE: i32 = 4;

// ── Action word: kind in the high byte, argument in the low 24 bits. A list is [count, word…] ────────────────────
export const ACTION_ARG_MASK: i32 = 0x00ffffff;
/** An effect; arg: function number. Appended to the output, run by the authority when the step is durable. */
export const ACTION_EFFECT: i32 = 1;
/** A host assign; arg: function number. Calls env.action(function, handle). */
export const ACTION_ASSIGN: i32 = 2;
/** A raise of a constant event; arg: raise number. */
export const ACTION_RAISE: i32 = 3;
/** A raise whose event the host computes; arg: function number. env.action returns the event number. */
export const ACTION_RAISE_HOST: i32 = 4;
/** Starts a timer; arg: timer number. */
export const ACTION_SCHEDULE: i32 = 5;
/** Stops a timer; arg: timer number. */
export const ACTION_CANCEL: i32 = 6;
/**
 * An action that the host resolves in its place: it may change what lies outside the core (context, children) and raise events. Calls
 * env.action(function, handle), whose answer has HOST_CHANGED set when the instance changed in XState's sense.
 */
export const ACTION_HOST: i32 = 7;
export const ACTION_KIND_MAX: i32 = 7;

/** In the answer to a host action. */
export const HOST_CHANGED: i32 = 1;

// ── Event handles: how the core tells the host which event object a guard, action or effect sees ─────────────────
/**
 * The external event that the step was called with (or xstate.init). Values 1, 2, … are events that env.action made, in call order: raised
 * ones, and done events that carry the output of a final state.
 */
export const HANDLE_EXTERNAL: i32 = 0;
/** HANDLE_RAISE | raise number: a constant event of the definition. */
export const HANDLE_RAISE: i32 = 0x20000000;
/** HANDLE_DONE | state number: the done event of that state, without an output. */
export const HANDLE_DONE: i32 = 0x40000000;
export const HANDLE_ARG_MASK: i32 = 0x1fffffff;

// ── Output of a step: records of two u32, {kind << 24 | arg, handle or aux} ──────────────────────────────────────
export const RECORD_SIZE: i32 = 8;
/** arg: state; the state's clock rose by one. Emitted in the order in which states are left. */
export const RECORD_EXIT: i32 = 1;
/** arg: state; the state's clock rose by one. Emitted in the order in which states are entered. */
export const RECORD_ENTER: i32 = 2;
/** arg: function number; aux: event handle. */
export const RECORD_EFFECT: i32 = 3;
/** arg: timer; aux: event handle. A host delay has just been computed by env.action. */
export const RECORD_SCHEDULE: i32 = 4;
/** arg: timer. */
export const RECORD_CANCEL: i32 = 5;
/** arg: transition taken; aux: event handle. Written before its microstep's exits. */
export const RECORD_TRANSITION: i32 = 6;
/** arg: history node whose memory changed. */
export const RECORD_HISTORY: i32 = 7;
/** arg: transition; aux: 0 or 1, what its guard answered. Only when the step was called with TRACE. */
export const RECORD_GUARD: i32 = 8;
/** arg: event number of the internal event taken from the queue; aux: its handle. */
export const RECORD_INTERNAL: i32 = 9;
/** arg: function number; aux: event handle. A host assign has just run: later effects see the context it left. */
export const RECORD_ASSIGN: i32 = 10;
/** arg: function number; aux: event handle. A host action has just run: later effects see the context it left. */
export const RECORD_HOST: i32 = 11;
/** arg: cell of the instance that was written. What was written is in the log, at the number of this record. */
export const RECORD_WRITE: i32 = 12;

/** Flags of step(): also record guards. */
export const TRACE: i32 = 1;
/**
 * Every action is handed to the host as it comes up, as env.live(action word, handle), instead of being recorded; after each microstep, the
 * initial one included, env.live(0, handle) follows, and then the output begins anew. Transitions of an event are recorded before conflicts
 * are resolved. For a host that runs actions at once, in the middle of the step.
 */
export const LIVE: i32 = 2;
/** An external event that selects nothing is FAULT_UNHANDLED: for the errors of child actors, which end who does not handle them. */
export const MUST_HANDLE: i32 = 4;
/** Nobody will read the records: there are none. */
export const QUIET: i32 = 8;
/** The core raises the instance's seq itself when the result is not a fault. */
export const COUNT: i32 = 16;
/**
 * States that are entered and transitions that are taken are marked in the sets of cover(). Who asks for that goes everywhere a machine can go
 * and puts instances back itself: nothing is kept for a fault, after which the instance is not to be used as it is.
 */
export const COVER: i32 = 32;

// ── Instance; stride = 24 + 4·(W₂ + N₂ + (H·W)₂) + 16·C where W = ceil(states / 32), N = states, C = cells, x₂ = x rounded up to even
//  0       4      8     12     16       20         24
//  | image | live | seq | home | status | reserved | configuration: W₂ u32 | clocks: N₂ u32 | history: (H·W)₂ u32 | cells: C·16 |
//                              └──────────────────────── covered by the digest ────────────────────────────────┘
export const INSTANCE_IMAGE: i32 = 0;
/** INSTANCE_LIVE ^ its own address while it is in use; the next free block otherwise. */
export const INSTANCE_MARK: i32 = 4;
/** u32: steps applied; kept by whoever owns the instance, or by steps with COUNT; neither digested nor rolled back by the core. */
export const INSTANCE_SEQ: i32 = 8;
/** Of a machine with cells: HOME_READ while the host knows what is in them, HOME_WRITTEN since the core wrote; else the host's. */
export const INSTANCE_HOME: i32 = 12;
export const INSTANCE_STATUS: i32 = 16;
export const INSTANCE_CONFIGURATION: i32 = 24;
export const INSTANCE_LIVE: i32 = 0x4b434f4c;

export const STATUS_NEW: i32 = 0;
export const STATUS_ACTIVE: i32 = 1;
export const STATUS_DONE: i32 = 2;
export const STATUS_ERROR: i32 = 3;
export const STATUS_STOPPED: i32 = 4;

// ── Results and faults of the exports. Every negative one means that nothing changed. ────────────────────────────
/** The event enabled nothing, and no `always` fired. */
export const STEP_IGNORED: i32 = 0;
/** Something was selected. */
export const STEP_TAKEN: i32 = 1;
/**
 * How far above STEP_TAKEN a step with QUIET and COUNT says that all it wrote was a number in the place of another: 1 + the cell, which is then
 * not among the writes; 0 there means nothing.
 */
export const STEP_CELL_SHIFT: i32 = 8;
/** Something was selected and the machine is done. */
export const STEP_DONE: i32 = 2;

export const FAULT_FUEL: i32 = -1;
export const FAULT_QUEUE_FULL: i32 = -2;
/** The output buffer is full; double it with reserve() and call again. */
export const FAULT_OUTPUT_FULL: i32 = -3;
export const FAULT_IMAGE: i32 = -4;
export const FAULT_EVENT: i32 = -5;
export const FAULT_INSTANCE: i32 = -6;
/** A host function threw; the loader kept what it threw. */
export const FAULT_HOST: i32 = -9;
/** A host function called back into the core. */
export const FAULT_BUSY: i32 = -10;
export const FAULT_MEMORY: i32 = -11;
/** The instance is not running: not started yet, done, failed or stopped. */
export const FAULT_STATUS: i32 = -12;
/** The event selected nothing, in a step with MUST_HANDLE. */
export const FAULT_UNHANDLED: i32 = -13;
/** The context of the instance is HOME_OUTSIDE, where no program can see it. */
export const FAULT_HOME: i32 = -14;

// ── Limits ───────────────────────────────────────────────────────────────────────────────────────────────────────
export const STATE_MAX: i32 = 65000;
export const EVENT_MAX: i32 = 65000;
export const TRANSITION_MAX: i32 = 65000;
/** States inside one another, root included. */
export const DEPTH_MAX: i32 = 250;
/** Targets of one transition. */
export const TARGET_MAX: i32 = 1024;
/** History nodes of one parent that stand for one another in a row. */
export const HISTORY_HOPS_MAX: i32 = 4;
/** Bytes of one instance. */
export const INSTANCE_SIZE_MAX: i32 = 16777216;
/** List words that the validator looks at in one image. */
export const VALIDATION_WORK_MAX: i32 = 50000000;
export const FUEL_DEFAULT: i32 = 1000;
export const FUEL_MAX: i32 = 100000;
/** Internal events waiting within one macrostep. */
export const QUEUE_MAX: i32 = 4096;
/** Records of one step: 64 KiB of output at first, doubled on FAULT_OUTPUT_FULL up to this many bytes. */
export const OUTPUT_SIZE: i32 = 65536;
export const OUTPUT_SIZE_MAX: i32 = 16777216;
/** 64 KiB pages: 1 GiB. */
export const MEMORY_PAGES_MAX: i32 = 16384;
