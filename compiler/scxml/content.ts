// Runs executable content in the middle of a step: the evaluator has the data, `Acts` takes what the content does. An error ends its block
// and becomes an event (W3C SCXML 3.12.2). One object per call of a host function.

import { unreachable } from '../../core/errors.ts';
import type { EventObject, Json, JsonObject } from '../../core/json.ts';
import type { Acts } from '../../core/request.ts';
import type { Branch, Content, Data, Invoke, Payload, Place, Send, Value, Word } from './document.ts';
import { EvaluationError, xmlValue, type DataSession } from './evaluator.ts';
import { delayMs, isScxmlDocumentType, isScxmlProcessor, receiverName, SCXML_PROCESSOR, sessionAddress, targetOf } from './events.ts';
import type { Receiver, ScxmlEvent } from './events.ts';
import { documentText, literalOf } from './literal.ts';
import type { InvokeInput, SessionView } from './session-view.ts';
import { writeXml } from './xml.ts';

/** What ends a block, as the event that it becomes. */
class ContentError extends Error {
  readonly event: ScxmlEvent;

  constructor(name: 'error.execution' | 'error.communication', place: Place, reason: string, sendid?: string) {
    super(reason);
    const { tag: tagname, line, column } = place;
    const data = { tagname, line, column, reason };
    this.event = { type: name, kind: 'platform', data, ...(sendid === undefined ? {} : { sendid }) };
  }
}

export class ContentRun {
  readonly #view: SessionView;
  readonly #data: DataSession;
  readonly #acts: Acts;
  /** By path of its `<invoke>`, the id of what was invoked last. */
  readonly #invoked: Map<string, string>;

  constructor(view: SessionView, data: DataSession, acts: Acts, invoked: Map<string, string>) {
    this.#view = view;
    this.#data = data;
    this.#acts = acts;
    this.#invoked = invoked;
  }

  /** Runs a block; the error that ends it becomes an event. */
  guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof ContentError)) throw error;
      this.#acts.raise(error.event);
    }
  }

  condition(expression: string, place: Place): boolean {
    return this.#at(place, () => this.#data.condition(expression));
  }

  /** A datum whose value fails stays undefined (section 5.3). */
  initialise(values: readonly Data[], given: JsonObject): void {
    for (const { id, place, value } of values) {
      this.guarded(() => {
        const handed = given[id];
        if (handed !== undefined) this.#at(place, () => this.#data.assignJson(id, handed));
        else if (value !== undefined) this.#assign(id, value, place);
      });
    }
  }

  block(content: readonly Content[]): void {
    for (const one of content) this.#content(one);
  }

  /** Undefined when there is nothing to carry. */
  payload(payload: Payload, place: Place, sendid?: string): Json | undefined {
    const { namelist, parameters, content } = payload;
    if (content !== undefined) return content.kind === 'text' ? literalOf(content.text) : this.#literal(content, place);
    if (namelist.length === 0 && parameters.length === 0) return undefined;
    const fields: Record<string, Json> = {};
    const put = (name: string, value: Json | undefined): void => {
      if (value !== undefined && name !== '__proto__') fields[name] = value;
    };
    for (const name of namelist)
      put(
        name,
        this.#at(place, () => this.#data.evaluate(name), sendid),
      );
    for (const { name, expression, place: at } of parameters)
      put(
        name,
        this.#at(at, () => this.#data.evaluate(expression), sendid),
      );
    return fields;
  }

  #content(content: Content): void {
    const { place } = content;
    switch (content.kind) {
      case 'raise':
        return this.#acts.raise({ type: content.event, kind: 'internal' });
      case 'if':
        return this.block(this.#branch(content.branches, place)?.content ?? []);
      case 'foreach':
        return this.#at(place, () => this.#data.forEach(content, () => this.block(content.content)));
      case 'log': {
        const { label, expression } = content;
        const value = expression === undefined || expression === '' ? undefined : this.#at(place, () => this.#data.evaluate(expression));
        return this.#acts.request({ kind: 'log', label, value });
      }
      case 'assign':
        return this.#assign(content.location, content.value, place);
      case 'script':
        return this.#at(place, () => this.#data.run(content.source));
      case 'cancel':
        return this.#acts.request({ kind: 'cancel', id: this.#word(content.id, place) });
      case 'send':
        return this.#send(content);
      default:
        return unreachable(content);
    }
  }

  #branch(branches: readonly Branch[], place: Place): Branch | undefined {
    return branches.find(({ condition }) => condition === undefined || this.condition(condition, place));
  }

  // ── Values ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Evaluates something that stands at a place of the document. */
  #at<T>(place: Place, evaluate: () => T, sendid?: string): T {
    try {
      return evaluate();
    } catch (error) {
      if (error instanceof EvaluationError) throw new ContentError('error.execution', place, error.message, sendid);
      throw error;
    }
  }

  #word(word: Word, place: Place, sendid?: string): string {
    if ('text' in word) return word.text;
    const value = this.#at(place, () => this.#data.evaluate(word.expression), sendid);
    if (typeof value === 'string') return value;
    throw new ContentError('error.execution', place, `${word.expression} is ${JSON.stringify(value)}, expected a string`, sendid);
  }

  #assign(location: string, value: Value, place: Place): void {
    if (value.kind === 'expression') this.#at(place, () => this.#data.assign(location, value.text));
    else this.#at(place, () => this.#data.assignJson(location, this.#literal(value, place)));
  }

  /** What stands in the document, or behind an address. */
  #literal(value: Value, place: Place): Json | undefined {
    switch (value.kind) {
      case 'expression':
        return this.#at(place, () => this.#data.evaluate(value.text));
      case 'element':
        return xmlValue(writeXml(value.element));
      case 'text':
        return literalOf(value.text, (expression) => this.#data.evaluate(expression));
      case 'resource':
        return literalOf(this.#fetch(value.uri, place), (expression) => this.#data.evaluate(expression));
    }
  }

  #fetch(uri: string, place: Place): string {
    try {
      return this.#view.resource(uri);
    } catch (error) {
      throw new ContentError('error.execution', place, error instanceof Error ? error.message : String(error));
    }
  }

  // ── Events ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #send(send: Send): void {
    const { place, idLocation } = send;
    const made = idLocation === undefined ? undefined : this.#acts.nextId(`${this.#view.id}.send.`);
    if (idLocation !== undefined) this.#at(place, () => this.#data.assignJson(idLocation, made), made);
    const sendid = send.id ?? made;
    const given = (word: Word | undefined): string | undefined => (word === undefined ? undefined : this.#word(word, place, sendid));
    const name = given(send.event) ?? '';
    const type = given(send.type);
    const target = given(send.target);
    const delayText = given(send.delay);
    const payload = this.payload(send, place, sendid);
    const carried = { ...(payload === undefined ? {} : { data: payload }), ...(sendid === undefined ? {} : { sendid }) };
    const delay = delayText === undefined ? 0 : delayMs(delayText);
    if (delay === undefined) throw new ContentError('error.execution', place, `'${delayText}' is no delay`, sendid);

    const receiver = this.#receiver(type, target, (event, reason) => new ContentError(event, place, reason, sendid));
    if (receiver.kind === 'internal') {
      if (delay > 0) throw new ContentError('error.execution', place, 'an internal event cannot be delayed', sendid);
      return this.#acts.raise({ type: name, kind: 'internal', ...carried });
    }
    const origin = sessionAddress(this.#view.id);
    const event: ScxmlEvent = { type: name, kind: 'external', origin, origintype: SCXML_PROCESSOR, ...carried };
    const to = receiverName(receiver);
    if (delay === 0) this.#acts.request({ kind: 'send', to, event });
    else this.#acts.request({ kind: 'delay', id: sendid ?? this.#acts.nextId(`${this.#view.id}.send.`), delayMs: delay, to, event });
  }

  /** Who is to get an event; whether somebody is there is known at once (sections 6.2.4 and C.1). */
  #receiver(
    type: string | undefined,
    target: string | undefined,
    fail: (name: 'error.execution' | 'error.communication', reason: string) => ContentError,
  ): Receiver | { readonly kind: 'internal' } {
    if (type !== undefined && !isScxmlProcessor(type)) {
      if (!this.#view.hasProcessor(type)) throw fail('error.execution', `no event processor of type '${type}'`);
      if (target === undefined) throw fail('error.communication', `events of type '${type}' need a target`);
      return { kind: 'processor', type, target };
    }
    const found = targetOf(target, this.#view.id);
    if (found === undefined) throw fail('error.execution', `'${target}' is no target of the SCXML event processor`);
    const isThere =
      (found.kind !== 'parent' || this.#view.hasParent) &&
      (found.kind !== 'session' || this.#view.hasSession(found.id)) &&
      (found.kind !== 'child' || this.#acts.hasChild(found.id));
    if (!isThere) throw fail('error.communication', `nobody is at '${target}'`);
    return found;
  }

  // ── Invocations ────────────────────────────────────────────────────────────────────────────────────────────────

  invoke(invoke: Invoke, state: string): void {
    const { place, path, idLocation, content } = invoke;
    const id = invoke.id ?? `${state}.${this.#acts.nextId('')}`;
    if (idLocation !== undefined) this.#at(place, () => this.#data.assignJson(idLocation, id));
    const type = invoke.type === undefined ? undefined : this.#word(invoke.type, place);
    if (!isScxmlDocumentType(type)) throw new ContentError('error.execution', place, `nothing of type '${type}' can be invoked`);
    const uri = invoke.source === undefined ? undefined : this.#word(invoke.source, place);
    // An element inside is found again by its path.
    const text = content === undefined || content.kind === 'element' ? undefined : documentText(this.#literal(content, place));
    const handed = this.payload({ ...invoke, content: undefined }, place);
    const input: InvokeInput = {
      ...(uri === undefined ? {} : { uri }),
      ...(text === undefined ? {} : { content: text }),
      ...(handed === undefined ? {} : { data: handed as JsonObject }),
    };
    this.#invoked.set(path, id);
    this.#acts.request({ kind: 'spawn', child: { id, src: path, input: input as Json }, logic: undefined });
  }

  /** For an external event, before it selects: what was invoked takes it over or gets a copy. */
  finalize(invoke: Invoke, event: EventObject): void {
    for (const id of this.#invocations(invoke.path)) {
      if ((event as ScxmlEvent).invokeid === id && invoke.finalize !== undefined) this.#takeOver(invoke, invoke.finalize, event);
      if (invoke.autoforward && this.#acts.hasChild(id)) this.#acts.request({ kind: 'send', to: id, event });
    }
  }

  cancel(invoke: Invoke): void {
    for (const id of this.#invocations(invoke.path)) if (this.#acts.hasChild(id)) this.#acts.request({ kind: 'stop', id });
  }

  /** The ids that an `<invoke>` has had running, those of this step included. */
  #invocations(path: string): readonly string[] {
    const before = [...this.#view.children()].filter(([, { src }]) => src === path).map(([id]) => id);
    const last = this.#invoked.get(path);
    return last === undefined || before.includes(last) ? before : [...before, last];
  }

  /** An empty `<finalize>` takes what came back into the places that were handed out (section 6.5.2). */
  #takeOver(invoke: Invoke, content: readonly Content[], event: EventObject): void {
    if (content.length > 0) return this.guarded(() => this.block(content));
    const carried = (event as ScxmlEvent).data;
    if (typeof carried !== 'object' || carried === null || Array.isArray(carried)) return;
    const locations = [
      ...invoke.namelist.map((name) => [name, name] as const),
      ...invoke.parameters.filter(({ isLocation }) => isLocation).map(({ name, expression }) => [name, expression] as const),
    ];
    for (const [name, location] of locations) {
      const value = (carried as JsonObject)[name];
      if (value !== undefined) this.#at(invoke.place, () => this.#data.assignJson(location, value));
    }
  }
}
