// One running SCXML document: an instance in the core, its data, its external queue. It is an actor like any other; what it sends, delays and
// invokes goes to the system that started it. Events from outside run at once and in order, what it sends itself waits for the next turn.

import { KIND_COMPOUND, KIND_PARALLEL } from '../../assembly/layout.ts';
import { Actor } from '../../core/actor.ts';
import { assert } from '../../core/errors.ts';
import type { FunctionArguments } from '../../core/functions.ts';
import { Instance } from '../../core/instance.ts';
import type { EventObject, Json, JsonObject } from '../../core/json.ts';
import type { Machine } from '../../core/machine.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { Acts, ChildStart, Request } from '../../core/request.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import type { DelayedEvent } from '../../core/step.ts';
import type { ScxmlDocument, ScxmlState } from './document.ts';
import type { Evaluator } from './evaluator.ts';
import { readReceiver, type Receiver, type ScxmlEvent } from './events.ts';
import { stateFunctions } from './functions.ts';
import type { Interpreter } from './interpreter.ts';
import type { SessionView } from './session-view.ts';

/** A document that is ready to run; shared by its sessions. */
export interface Program {
  readonly chart: ScxmlDocument;
  readonly machine: Machine;
  readonly evaluator: Evaluator;
  /** The interpreter whose session is in a step. */
  current: Interpreter | undefined;
}

/** What a session asks of the system around it. */
export interface SessionOwner {
  now(): number;
  timer(delayMs: number, callback: () => void): () => void;
  deliver(from: ScxmlSession, receiver: Receiver, event: ScxmlEvent): void;
  invoke(from: ScxmlSession, child: ChildStart): void;
  cancel(from: ScxmlSession, invokeId: string): void;
  log(from: ScxmlSession, label: string, value: Json | undefined): void;
  /** An event that came in a turn of its own was refused: nothing changed, it is lost. */
  refused(session: ScxmlSession, error: unknown): void;
  /** It takes no more events: it ended by itself with that output, or was cancelled. */
  ended(session: ScxmlSession, output: { readonly data: Json | undefined } | undefined): void;
}

export interface SessionOptions {
  readonly id: string;
  readonly program: Program;
  readonly interpreter: (view: Pick<SessionView, 'tick' | 'children'>) => Interpreter;
}

interface Queued {
  readonly event: ScxmlEvent;
  readonly timer?: number;
}

export class ScxmlSession extends Actor {
  readonly id: string;
  readonly standing = 'confirmed';
  readonly #owner: SessionOwner;
  readonly #program: Program;
  readonly #interpreter: Interpreter;
  readonly #instance: Instance;
  #queue: Queued[] = [];
  #state: 'idle' | 'running' | 'ended' = 'idle';
  #isTurnDue = false;
  readonly #armed = new Map<number, { readonly due: number; readonly cancel: () => void }>();
  #snapshot: Snapshot | undefined;

  /** Use ScxmlSystem.start: it calls `begin` once the session can be found. */
  constructor(owner: SessionOwner, { id, program, interpreter }: SessionOptions) {
    super();
    this.id = id;
    this.#owner = owner;
    this.#program = program;
    this.#instance = Instance.create(program.machine);
    this.#interpreter = interpreter({
      tick: (state) => this.#instance.tick(state),
      children: () => this.#instance.children,
    });
  }

  get seq(): number {
    return this.#instance.seq;
  }

  /** Runs the initial macrostep. @throws LockstepError FUEL, OVERFLOW. */
  begin(): void {
    this.#step(() => this.#instance.start(undefined, this.#stamp()));
  }

  /**
   * Takes an event from outside: everything that waits runs, then this event. From within a step it only waits.
   * @param event `type` is its name, `data` what it carries.
   * @throws LockstepError FUEL, OVERFLOW, NOT_JSON: the event is lost and nothing else changed.
   */
  send(event: EventObject): void {
    if (this.#state === 'ended') return;
    this.#queue.push({ event: { kind: 'external', ...event } });
    if (this.#state === 'running') return this.#askForTurn();
    for (let left = this.#queue.length; left > 0; left -= 1) this.#runNext();
  }

  /** Puts an event into the external queue; it runs in a turn of its own. */
  enqueue(event: ScxmlEvent, timer?: number): void {
    if (this.#state === 'ended') return;
    this.#queue.push(timer === undefined ? { event } : { event, timer });
    this.#askForTurn();
  }

  /** An event of the platform comes before all that waits. */
  enqueueFirst(event: ScxmlEvent): void {
    if (this.#state === 'ended') return;
    this.#queue.unshift({ event });
    this.#askForTurn();
  }

  getSnapshot(): Snapshot {
    return (this.#snapshot ??= this.#instance.snapshot());
  }

  tick(state: string): number {
    return this.#instance.tick(state);
  }

  /** The ids of the active atomic and final states, in document order. */
  configuration(): readonly string[] {
    const { machine } = this.#program;
    const active = new Set(this.getSnapshot().active);
    const isLeaf = (state: number): boolean => machine.kind(state) !== KIND_COMPOUND && machine.kind(state) !== KIND_PARALLEL;
    return machine.symbols.states.filter(({ id }, state) => isLeaf(state) && active.has(id)).map(({ id }) => id);
  }

  /** Cancels it: what is active is left, exit content included; nobody is told (section 6.4.3). */
  stop(): void {
    if (this.#state === 'ended') return;
    this.getSnapshot();
    this.#leaveAll();
    this.#instance.stop();
    this.#end(undefined);
  }

  // ── Turns ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #askForTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.#owner.timer(0, () => {
      this.#isTurnDue = false;
      for (let left = this.#queue.length; left > 0; left -= 1) this.#runOrReport();
    });
  }

  /** Nobody waits for what comes of an event in a turn, so the owner hears of a refusal. */
  #runOrReport(): void {
    try {
      this.#runNext();
    } catch (error) {
      this.#owner.refused(this, error);
    }
  }

  #runNext(): void {
    const next = this.#queue.shift();
    if (next === undefined || this.#state === 'ended') return;
    const { event, timer } = next;
    this.#step(() => this.#instance.step(event, this.#stamp(), timer === undefined ? {} : { timer }));
  }

  #stamp(): { readonly now: number; readonly seed: number; readonly salt: string } {
    return { now: this.#owner.now(), seed: 0, salt: this.id };
  }

  /** Runs a step with this session's interpreter, then what it asked for. */
  #step(run: () => Outcome): void {
    assert(this.#state === 'idle', 'a session runs one step at a time');
    this.#state = 'running';
    let outcome: Outcome;
    try {
      outcome = this.#within(run);
    } finally {
      this.#state = 'idle';
    }
    this.#snapshot = undefined;
    const isDone = outcome.status === 'done';
    this.#arm();
    for (const { request } of outcome.effects) if (request !== undefined) this.#carryOut(request);
    this.notify();
    if (isDone) this.#end({ data: outcome.output ?? undefined });
  }

  #within<T>(run: () => T): T {
    const before = this.#program.current;
    this.#program.current = this.#interpreter;
    try {
      return run();
    } finally {
      this.#program.current = before;
    }
  }

  #carryOut(request: Request): void {
    switch (request.kind) {
      case 'send':
        return this.#owner.deliver(this, readReceiver(request.to), request.event as ScxmlEvent);
      case 'spawn':
        return this.#owner.invoke(this, request.child);
      case 'stop':
        return this.#owner.cancel(this, request.id);
      case 'log':
        return this.#owner.log(this, request.label ?? '', request.value as Json | undefined);
      case 'delay':
      case 'cancel':
        // Timers of the instance: armed already.
        return;
      case 'call':
      case 'emit':
        assert(false, 'SCXML makes no such request');
    }
  }

  // ── Timers ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes the armed timers those that the instance has. */
  #arm(): void {
    const { timers } = this.#instance;
    for (const [timer, { due, cancel }] of this.#armed) {
      if (timers.get(timer) === due) continue;
      cancel();
      this.#armed.delete(timer);
    }
    for (const [timer, due] of timers) {
      const delayed = this.#instance.delayed(timer);
      if (this.#armed.has(timer) || delayed === undefined) continue;
      const cancel = this.#owner.timer(Math.max(0, due - this.#owner.now()), () => this.#fire(timer, delayed));
      this.#armed.set(timer, { due, cancel });
    }
  }

  #fire(timer: number, { to, event }: DelayedEvent): void {
    this.#armed.delete(timer);
    const receiver = readReceiver(to);
    if (receiver.kind === 'self') return this.enqueue(event as ScxmlEvent, timer);
    // It leaves the instance without an event of its own: a step that is nothing but a difference.
    this.#instance.apply({ seq: this.#instance.seq + 1, clocks: [], patch: [], timers: [{ timer, due: null }] });
    this.#owner.deliver(this, receiver, event as ScxmlEvent);
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────────────────

  #end(output: { readonly data: Json | undefined } | undefined): void {
    this.getSnapshot();
    this.#state = 'ended';
    this.#queue = [];
    for (const { cancel } of this.#armed.values()) cancel();
    this.#armed.clear();
    this.#owner.ended(this, output);
    this.#interpreter.dispose();
    this.#instance.dispose();
    this.finish();
  }

  /** The exit content of all that is active, innermost first; the core has no part in it, because the session is gone afterwards. */
  #leaveAll(): void {
    const { active, context } = this.getSnapshot();
    const acts = new LeavingActs(context as JsonObject, active, this.#instance.children, (request) => this.#carryOut(request));
    const leave = (state: ScxmlState, parent: ScxmlState | undefined): void => {
      if (parent !== undefined && !acts.active.has(state.id)) return;
      for (const child of [...state.children].reverse()) if (child.kind !== 'history') leave(child, state);
      for (const exit of stateFunctions(this.#program.chart, state, parent).exit)
        this.#within(() => this.#interpreter.perform(exit.function, acts, acts));
      acts.active.delete(state.id);
    };
    leave(this.#program.chart.root, undefined);
  }
}

/** What exit content may do when the session is cancelled: change the data, send, log; raised events find nobody. */
class LeavingActs implements Acts, FunctionArguments {
  readonly event = { type: 'xstate.init' };
  readonly active: Set<string>;
  context: JsonObject;
  readonly #children: ReadonlyMap<string, unknown>;
  readonly #carryOut: (request: Request) => void;
  #ids = 0;

  constructor(
    context: JsonObject,
    active: readonly string[],
    children: ReadonlyMap<string, unknown>,
    carryOut: (request: Request) => void,
  ) {
    this.context = context;
    this.active = new Set(active);
    this.#children = children;
    this.#carryOut = carryOut;
  }

  isIn(state: Json): boolean {
    return typeof state === 'string' && this.active.has(state.slice(1));
  }

  raise(): void {
    // There is no macrostep any more that would take it.
  }

  assign(partial: unknown): void {
    this.context = { ...this.context, ...(partial as JsonObject) };
  }

  request(request: Request): void {
    this.#carryOut(request);
  }

  change(): void {
    // There is no microstep that it could count for.
  }

  hasChild(id: string): boolean {
    return this.#children.has(id);
  }

  nextId(prefix: string): string {
    this.#ids += 1;
    return `${prefix}leaving.${this.#ids}`;
  }
}
