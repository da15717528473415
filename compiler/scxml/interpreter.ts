// The side of one SCXML session that runs author's text: its evaluator's data, kept equal to the instance's context. After each block the data
// are mirrored into the context, which is the truth: when a step was undone, or the session restored, the evaluator is set back to it.

import { LockstepError, unreachable } from '../../core/errors.ts';
import type { FunctionArguments } from '../../core/functions.ts';
import type { EventObject, Json, JsonObject } from '../../core/json.ts';
import type { Acts } from '../../core/request.ts';
import { ContentRun } from './content.ts';
import { EvaluationError, type DataSession, type Evaluator } from './evaluator.ts';
import { eventFields } from './events.ts';
import type { ScxmlFunction } from './functions.ts';
import type { SessionView } from './session-view.ts';

type Start = ScxmlFunction & { readonly kind: 'start' };

export class Interpreter {
  readonly #view: SessionView;
  readonly #evaluator: Evaluator;
  readonly #start: Start;
  #data: DataSession | undefined;
  /** The context that the data are the same as. */
  #mirrored: Json | undefined;
  #args: FunctionArguments | undefined;
  #result: Json | undefined;
  /** By path of an `<invoke>`, the id of what it invoked last. */
  readonly #invoked = new Map<string, string>();

  constructor(view: SessionView, evaluator: Evaluator, start: Start) {
    this.#view = view;
    this.#evaluator = evaluator;
    this.#start = start;
  }

  dispose(): void {
    this.#data?.dispose();
    this.#data = undefined;
  }

  /** A builtin of the step at hand. */
  perform(what: ScxmlFunction, args: FunctionArguments, acts: Acts): void {
    if (what.kind === 'start') this.#reset(args);
    const data = this.#enter(args);
    const run = new ContentRun(this.#view, data, acts, this.#invoked);
    run.guarded(() => this.#run(what, args.event, run));
    this.#mirror(data, args, acts);
  }

  /** An error counts as false (section 3.12.1). */
  condition(what: ScxmlFunction & { readonly kind: 'condition' }, args: FunctionArguments, acts: Acts): boolean {
    const run = new ContentRun(this.#view, this.#enter(args), acts, this.#invoked);
    let answer = false;
    run.guarded(() => {
      answer = run.condition(what.expression, what.transition.place);
    });
    return answer;
  }

  /** What the last `donedata` computed. */
  takeResult(): Json | undefined {
    const result = this.#result;
    this.#result = undefined;
    return result;
  }

  #run(what: ScxmlFunction, event: EventObject, run: ContentRun): void {
    switch (what.kind) {
      case 'start':
        run.initialise(what.values, this.#view.given);
        for (const script of what.scripts) run.guarded(() => run.block([script]));
        return;
      case 'data':
        // Its clock was 0 before this entry.
        if (this.#view.tick(what.state) === 1) run.initialise(what.values, {});
        return;
      case 'block':
        return run.block(what.content);
      case 'donedata':
        this.#result = undefined;
        this.#result = run.payload(what.doneData.payload, what.doneData.place);
        return;
      case 'invoke':
        for (const invoke of what.invokes) run.guarded(() => run.invoke(invoke, what.state));
        return;
      case 'finalize':
        for (const invoke of what.invokes) run.guarded(() => run.finalize(invoke, event));
        return;
      case 'cancel':
        for (const invoke of what.invokes) run.cancel(invoke);
        return;
      case 'condition':
      case 'result':
        return;
      default:
        unreachable(what);
    }
  }

  // ── The session's data ─────────────────────────────────────────────────────────────────────────────────────────

  #reset(args: FunctionArguments): void {
    this.dispose();
    this.#result = undefined;
    this.#data = this.#open();
    this.#mirrored = args.context;
  }

  #enter(args: FunctionArguments): DataSession {
    this.#args = args;
    const data = (this.#data ??= this.#revive());
    if (this.#mirrored !== args.context) data.write(args.context as JsonObject);
    this.#mirrored = args.context;
    data.setEvent(eventFields(args.event));
    return data;
  }

  #open(): DataSession {
    const { id: sessionId, name, processors } = this.#view;
    const data = this.#evaluator.open({ sessionId, name, processors, isIn: (state) => this.#isIn(state) });
    for (const { id } of this.#start.declared) data.declare(id);
    return data;
  }

  /** Of a session that was restored: its scripts run again for the functions that they define; the values come from the context. */
  #revive(): DataSession {
    const data = this.#open();
    for (const script of this.#start.scripts) {
      try {
        if (script.kind === 'script') data.run(script.source);
      } catch (error) {
        if (!(error instanceof EvaluationError)) throw error;
        // It failed when the session began too, and was reported then.
      }
    }
    return data;
  }

  #isIn(state: string): boolean {
    try {
      return this.#args?.isIn(`#${state}`) ?? false;
    } catch (error) {
      if (error instanceof LockstepError && error.code === 'BAD_PARAMS') return false;
      throw error;
    }
  }

  /** What changed of the data goes into the context. */
  #mirror(data: DataSession, args: FunctionArguments, acts: Acts): void {
    const before = args.context as JsonObject;
    const after = data.read();
    const changes: Record<string, Json | undefined> = {};
    for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) changes[key] = undefined;
    for (const [key, value] of Object.entries(after))
      if (!Object.hasOwn(before, key) || JSON.stringify(before[key]) !== JSON.stringify(value)) changes[key] = value;
    if (Object.keys(changes).length > 0) acts.assign(changes);
    this.#mirrored = args.context;
  }
}
