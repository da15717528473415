// The SCXML sessions that run beside one another: compiles documents, starts sessions, carries events between them, invokes and cancels.
// Clock, timers, resources, evaluator and other event processors are arguments, so that tests and simulations run on a clock of their own.

import { LockstepError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { Machine } from '../../core/machine.ts';
import type { ChildStart } from '../../core/request.ts';
import type { Core } from '../../core/wasm.ts';
import { compile, type CompileOptions } from '../compile.ts';
import { fromScxml, type ScxmlOptions } from '../dialects/scxml.ts';
import { bindScxml } from './bind.ts';
import type { ScxmlDocument } from './document.ts';
import type { Evaluator } from './evaluator.ts';
import { SCXML_PROCESSOR, sessionAddress, type Receiver, type ScxmlEvent } from './events.ts';
import { allStates, functionsByPath } from './functions.ts';
import { Interpreter } from './interpreter.ts';
import type { InvokeInput, SessionView } from './session-view.ts';
import { readScxml } from './read.ts';
import { ScxmlSession, type Program, type SessionOwner } from './session.ts';
import type { XmlElement } from './xml.ts';

/** An event processor besides SCXML's own (W3C SCXML appendix C). */
export interface EventProcessor {
  /** The values of a send's `type` that it takes. */
  readonly types: readonly string[];
  /** Its key in `_ioprocessors`. */
  readonly name: string;
  /** Where it takes events for a session. */
  location(sessionId: string): string;
  /** @throws anything: the sender gets error.communication. */
  send(message: { readonly target: string; readonly event: ScxmlEvent; readonly from: ScxmlSession }): void;
}

export interface ScxmlEnvironment {
  readonly core: Core;
  /** One, or several: a document gets the first that takes it. */
  readonly evaluator: Evaluator | readonly Evaluator[];
  /** Milliseconds since the epoch. */
  now(): number;
  /** @returns a function that cancels it. */
  timer(delayMs: number, callback: () => void): () => void;
  /** The text behind an address of a script, datum or document. Throws when there is none. */
  resource?(uri: string): string;
  log?(session: ScxmlSession, label: string, value: Json | undefined): void;
  /** An event was refused in a turn of its own: FUEL or OVERFLOW. Nothing changed, the event is lost. */
  refused?(session: ScxmlSession, error: unknown): void;
  readonly processors?: readonly EventProcessor[];
  /** For all documents. */
  readonly options?: ScxmlOptions & Pick<CompileOptions, 'fuel'>;
}

interface Invocation {
  readonly parent: ScxmlSession;
  readonly id: string;
}

interface StartOptions {
  readonly id?: string;
  /** Values for top-level data of the document. */
  readonly data?: JsonObject;
}

export class ScxmlSystem {
  readonly #environment: ScxmlEnvironment;
  readonly #sessions = new Map<string, ScxmlSession>();
  readonly #programs = new Map<string | XmlElement, Program>();
  readonly #invocations = new Map<ScxmlSession, Invocation>();
  readonly #children = new Map<ScxmlSession, Map<string, ScxmlSession>>();
  readonly #programOf = new Map<ScxmlSession, Program>();
  readonly #owner: SessionOwner;
  #next = 1;

  constructor(environment: ScxmlEnvironment) {
    this.#environment = environment;
    this.#owner = {
      now: () => environment.now(),
      timer: (delayMs, callback) => environment.timer(delayMs, callback),
      deliver: (from, receiver, event) => this.#deliver(from, receiver, event),
      invoke: (from, child) => this.#invoke(from, child),
      cancel: (from, id) => this.#cancel(from, id),
      log: (from, label, value) => environment.log?.(from, label, value),
      refused: (session, error) => environment.refused?.(session, error),
      ended: (session, output) => this.#ended(session, output),
    };
  }

  /**
   * Starts a session of a document; its initial macrostep has run when it is returned.                  (SCXML-1)
   * @param source the text of the document, or an `<scxml>` element of another one.
   * @throws LockstepError BAD_DEFINITION, UNSUPPORTED, EXISTS, FUEL, OVERFLOW; no session is left behind then.
   */
  start(source: string | XmlElement, options: StartOptions = {}): ScxmlSession {
    return this.#start(source, options, undefined);
  }

  session(id: string): ScxmlSession | undefined {
    return this.#sessions.get(id);
  }

  #start(source: string | XmlElement, options: StartOptions, invocation: Invocation | undefined): ScxmlSession {
    const program = this.#program(source);
    const id = options.id ?? `${program.machine.symbols.id}.${this.#next++}`;
    if (this.#sessions.has(id)) throw new LockstepError('EXISTS', `a session named '${id}' is running`);
    const session = new ScxmlSession(this.#owner, {
      id,
      program,
      interpreter: (instance) => this.#interpreter(program, { ...this.#view(id, program, options, invocation), ...instance }),
    });
    this.#sessions.set(id, session);
    this.#programOf.set(session, program);
    if (invocation !== undefined) {
      this.#invocations.set(session, invocation);
      childrenOf(this.#children, invocation.parent).set(invocation.id, session);
    }
    try {
      session.begin();
    } catch (error) {
      session.stop();
      throw error;
    }
    return session;
  }

  // ── Programs ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Compiled once for each text, so that all its sessions share an image. */
  #program(source: string | XmlElement): Program {
    const known = this.#programs.get(source);
    if (known !== undefined) return known;
    const { core, resource, options } = this.#environment;
    const chart = readScxml(source, resource);
    const evaluator = evaluatorFor(chart, this.#environment.evaluator);
    const { bytes, symbols } = compile(fromScxml(chart, options), options);
    const current = (): Interpreter => {
      if (program.current === undefined) throw new LockstepError('MISSING_FUNCTION', 'no session of the document is running a step');
      return program.current;
    };
    const program: Program = {
      chart,
      evaluator,
      machine: Machine.load(core, bytes, bindScxml(symbols, chart, current)),
      current: undefined,
    };
    this.#programs.set(source, program);
    return program;
  }

  #interpreter({ chart, evaluator }: Program, view: SessionView): Interpreter {
    const start = functionsByPath(chart).get('/start');
    if (start?.kind !== 'start') throw new Error('assertion failed: a document starts');
    return new Interpreter(view, evaluator, start);
  }

  #view(
    id: string,
    { chart }: Program,
    { data }: StartOptions,
    invocation: Invocation | undefined,
  ): Omit<SessionView, 'tick' | 'children'> {
    const { processors = [], resource } = this.#environment;
    const own = { location: sessionAddress(id) };
    const others = processors.flatMap(({ name, types, location }) => {
      const entry = { location: location(id) };
      return [name, ...types].map((key) => [key, entry] as const);
    });
    return {
      id,
      name: chart.name ?? id,
      processors: { scxml: own, [SCXML_PROCESSOR]: own, ...Object.fromEntries(others) },
      hasParent: invocation !== undefined,
      given: data ?? {},
      hasSession: (other) => this.#sessions.has(other),
      hasProcessor: (type) => processors.some(({ types }) => types.includes(type)),
      resource: (uri) => {
        if (resource === undefined) throw new LockstepError('UNREACHABLE', `no resources were given to fetch ${uri} from`);
        return resource(uri);
      },
    };
  }

  // ── Events between sessions ────────────────────────────────────────────────────────────────────────────────────

  #deliver(from: ScxmlSession, receiver: Receiver, event: ScxmlEvent): void {
    switch (receiver.kind) {
      case 'self':
        return from.enqueue(event);
      case 'parent': {
        const invocation = this.#invocations.get(from);
        return invocation?.parent.enqueue({ ...event, invokeid: invocation.id });
      }
      case 'session':
        return this.#deliverOrFail(from, this.#sessions.get(receiver.id), event);
      case 'child':
        return this.#deliverOrFail(from, this.#children.get(from)?.get(receiver.id), event);
      case 'processor':
        return this.#hand(from, receiver, event);
    }
  }

  /** The receiver was there when the event was sent; a delayed one may find it gone. */
  #deliverOrFail(from: ScxmlSession, to: ScxmlSession | undefined, event: ScxmlEvent): void {
    if (to === undefined) from.enqueueFirst(communicationError(`nobody takes the event '${event.type}'`, event.sendid));
    else to.enqueue(event);
  }

  #hand(from: ScxmlSession, receiver: Receiver & { readonly kind: 'processor' }, event: ScxmlEvent): void {
    const processor = this.#environment.processors?.find(({ types }) => types.includes(receiver.type));
    try {
      processor?.send({ target: receiver.target, event, from });
    } catch (error) {
      from.enqueueFirst(communicationError(error instanceof Error ? error.message : String(error), event.sendid));
    }
  }

  // ── Invocations ────────────────────────────────────────────────────────────────────────────────────────────────

  /** What cannot be started is told to the session that invoked it. */
  #invoke(parent: ScxmlSession, { id, src, input }: ChildStart): void {
    const { uri, content, data } = (input ?? {}) as InvokeInput;
    try {
      const source = uri === undefined ? (content ?? this.#inlineDocument(parent, src)) : this.#fetch(uri);
      this.#start(source, data === undefined ? {} : { data }, { parent, id });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#children.get(parent)?.delete(id);
      parent.enqueueFirst({ ...communicationError(error.message, undefined), invokeid: id });
    }
  }

  #fetch(uri: string): string {
    const { resource } = this.#environment;
    if (resource === undefined) throw new LockstepError('UNREACHABLE', `no resources were given to fetch ${uri} from`);
    return resource(uri);
  }

  /** The document inside the `<invoke>` at that path. */
  #inlineDocument(parent: ScxmlSession, path: string): XmlElement {
    const chart = this.#programOf.get(parent)?.chart;
    const invokes = chart === undefined ? [] : allStates(chart.root).flatMap((state) => state.invokes);
    const content = invokes.find((invoke) => invoke.path === path)?.content;
    if (content?.kind === 'element') return content.element;
    throw new LockstepError('BAD_DEFINITION', `the <invoke> at ${path} says neither src nor content`);
  }

  /** First it loses its parent, so that nothing its exit content sends comes back. */
  #cancel(parent: ScxmlSession, id: string): void {
    const child = this.#children.get(parent)?.get(id);
    if (child === undefined) return;
    this.#children.get(parent)?.delete(id);
    this.#invocations.delete(child);
    child.stop();
  }

  #ended(session: ScxmlSession, output: { readonly data: Json | undefined } | undefined): void {
    this.#sessions.delete(session.id);
    this.#programOf.delete(session);
    for (const id of [...(this.#children.get(session)?.keys() ?? [])]) this.#cancel(session, id);
    this.#children.delete(session);
    const invocation = this.#invocations.get(session);
    this.#invocations.delete(session);
    if (invocation === undefined) return;
    const { parent, id } = invocation;
    this.#children.get(parent)?.delete(id);
    if (output === undefined) return;
    const carried = output.data === undefined ? {} : { data: output.data };
    parent.enqueue({ type: `done.invoke.${id}`, kind: 'external', invokeid: id, ...carried });
  }
}

function childrenOf(children: Map<ScxmlSession, Map<string, ScxmlSession>>, parent: ScxmlSession): Map<string, ScxmlSession> {
  const own = children.get(parent) ?? new Map<string, ScxmlSession>();
  children.set(parent, own);
  return own;
}

function communicationError(reason: string, sendid: string | undefined): ScxmlEvent {
  return { type: 'error.communication', kind: 'platform', data: { reason }, ...(sendid === undefined ? {} : { sendid }) };
}

function evaluatorFor(chart: ScxmlDocument, given: Evaluator | readonly Evaluator[]): Evaluator {
  const evaluators = 'open' in given ? [given] : given;
  const { datamodel } = chart;
  const fitting = evaluators.filter(({ datamodels }) => datamodel === undefined || datamodels.includes(datamodel));
  const found = fitting.find(({ takes }) => takes?.(chart) ?? true);
  if (found !== undefined) return found;
  const names = evaluators.flatMap(({ datamodels }) => datamodels);
  if (fitting.length === 0)
    throw new LockstepError('UNSUPPORTED', `no evaluator has the data model '${datamodel}', only ${[...new Set(names)].join(' and ')}`);
  throw new LockstepError('UNSUPPORTED', 'the document asks for more than the evaluators at hand can run');
}
