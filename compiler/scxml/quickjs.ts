// The ECMAScript data model: an evaluator over QuickJS, the door of quickjs-emscripten. Every session has a runtime of its own, with its own
// limits on memory, stack and work; nothing of the host is reachable but In() and the system variables. For authorities only.

import variant from '@jitl/quickjs-singlefile-mjs-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import { LockstepError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { EvaluationError, type DataEnvironment, type DataSession, type EventFields, type Evaluator } from './evaluator.ts';
import { PRELUDE } from './prelude.ts';
import { parseXml, writeXml, type XmlElement } from './xml.ts';

export interface QuickJsLimits {
  /** Of one session, in bytes. Default 16 MiB. */
  readonly memoryBytes: number;
  /**
   * Of one session, in bytes. Default 32 KiB, some 160 calls deep. The engine's stack lies on the host's too: from 64 KiB on a deeply nested
   * text can exhaust that one first, which spoils the engine for all its sessions.
   */
  readonly stackBytes: number;
  /** Work that one expression or script may take, in units of some 10,000 loop turns or calls. Default 1,000. */
  readonly workUnits: number;
}

export const QUICKJS_LIMITS: QuickJsLimits = { memoryBytes: 16 * 1024 * 1024, stackBytes: 32 * 1024, workUnits: 1_000 };

/** Compiled expressions that one session keeps. */
const COMPILED_MAX = 4_096;

let loading: Promise<QuickJSWASMModule> | undefined;
/** Engines that an exception of the host has left in the middle of something. */
const spoiled = new WeakSet<QuickJSWASMModule>();

/**
 * Loads the engine (once for all evaluators; from the installed package, nothing is downloaded) and makes an evaluator.       (SCXML-12)
 * @param limits left out: QUICKJS_LIMITS.
 */
export async function quickJsEvaluator(limits: Partial<QuickJsLimits> = {}): Promise<Evaluator> {
  loading ??= newQuickJSWASMModuleFromVariant(variant);
  let module = await loading;
  if (spoiled.has(module)) module = await (loading = newQuickJSWASMModuleFromVariant(variant));
  const all = { ...QUICKJS_LIMITS, ...limits };
  return {
    datamodels: ['ecmascript', 'null'],
    open: (environment) => new QuickJsSession(module, all, environment),
  };
}

const HELPERS = [
  'declare',
  'set',
  'setEvent',
  'condition',
  'evaluate',
  'call',
  'pass',
  'list',
  'length',
  'setItem',
  'read',
  'write',
] as const;
type Helper = (typeof HELPERS)[number];

class QuickJsSession implements DataSession {
  readonly #module: QuickJSWASMModule;
  readonly #limits: QuickJsLimits;
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;
  readonly #helpers = new Map<Helper, QuickJSHandle>();
  readonly #compiled = new Map<string, QuickJSHandle>();
  #workLeft = 0;
  /** What `_event` was last made from: the same event keeps its identity. */
  #event: string | undefined;

  constructor(module: QuickJSWASMModule, limits: QuickJsLimits, environment: DataEnvironment) {
    this.#module = module;
    this.#limits = limits;
    this.#runtime = module.newRuntime();
    this.#runtime.setMemoryLimit(limits.memoryBytes);
    this.#runtime.setMaxStackSize(limits.stackBytes);
    this.#runtime.setInterruptHandler(() => (this.#workLeft -= 1) < 0);
    this.#context = this.#runtime.newContext();
    const prelude = this.#evaluate(PRELUDE, 'prelude');
    const host = this.#host(environment);
    const helpers = this.#call(prelude, host);
    for (const name of HELPERS) this.#helpers.set(name, this.#context.getProp(helpers, name));
    for (const handle of [prelude, host, helpers]) handle.dispose();
  }

  #host(environment: DataEnvironment): QuickJSHandle {
    const context = this.#context;
    const host = context.newObject();
    const { sessionId, name, processors } = environment;
    const offer = (key: string, answer: (argument: string) => QuickJSHandle): void => {
      context
        .newFunction(key, (argument) => answer(argument === undefined ? '' : context.getString(argument)))
        .consume((handle) => context.setProp(host, key, handle));
    };
    offer('environment', () => context.newString(JSON.stringify({ sessionId, name, processors })));
    offer('isIn', (state) => (environment.isIn(state) ? context.true : context.false));
    offer('parseXml', (text) => context.newString(JSON.stringify(treeOf(parseXml(text)))));
    return host;
  }

  declare(id: string): void {
    this.#help('declare', this.#context.newString(id)).dispose();
  }

  setEvent(event: EventFields | undefined): void {
    const json = event === undefined ? undefined : JSON.stringify(event);
    if (json === this.#event) return;
    this.#help('setEvent', this.#json(json)).dispose();
    this.#event = json;
  }

  condition(expression: string): boolean {
    return this.#help('condition', this.#function(expression)).consume((answer) => this.#context.dump(answer) === true);
  }

  evaluate(expression: string): Json | undefined {
    const json: unknown = this.#help('evaluate', this.#function(expression)).consume((answer) => this.#context.dump(answer));
    return typeof json === 'string' ? (JSON.parse(json) as Json) : undefined;
  }

  assign(location: string, expression: string): void {
    this.#help('call', this.#compile(`(function () { 'use strict'; ${location} = (${trimmed(expression)}\n); })`)).dispose();
  }

  assignJson(location: string, value: Json | undefined): void {
    const setter = this.#compile(`(function (value) { 'use strict'; ${location} = value; })`);
    this.#help('pass', setter, this.#json(value === undefined ? undefined : JSON.stringify(value))).dispose();
  }

  run(script: string): void {
    this.#evaluate(script, 'script').dispose();
  }

  forEach(loop: { readonly array: string; readonly item: string; readonly index: string | undefined }, body: () => void): void {
    for (const name of [loop.item, loop.index]) if (name !== undefined) this.#checkName(name);
    const list = this.#help('list', this.#function(loop.array));
    try {
      const length = this.#help('length', list.dup()).consume((handle) => this.#context.getNumber(handle));
      for (let index = 0; index < length; index += 1) {
        const names = [loop.item, loop.index].map((name) => (name === undefined ? this.#context.undefined : this.#context.newString(name)));
        this.#help('setItem', list.dup(), this.#context.newNumber(index), ...names).dispose();
        body();
      }
    } finally {
      if (!spoiled.has(this.#module)) list.dispose();
    }
  }

  read(): JsonObject {
    return JSON.parse(this.#help('read').consume((json) => this.#context.getString(json))) as JsonObject;
  }

  write(data: JsonObject): void {
    this.#help('write', this.#json(JSON.stringify(data))).dispose();
  }

  dispose(): void {
    if (spoiled.has(this.#module)) return;
    for (const handle of [...this.#helpers.values(), ...this.#compiled.values()]) handle.dispose();
    this.#context.dispose();
    this.#runtime.dispose();
  }

  // ── Calls ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #json(json: string | undefined): QuickJSHandle {
    return json === undefined ? this.#context.undefined : this.#context.newString(json);
  }

  /** An item name must be one that a variable may have. */
  #checkName(name: string): void {
    const isName = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name);
    // Reserved words are names that do not compile.
    if (isName) this.#compile(`(function () { var ${name}; })`).dispose();
    else throw new EvaluationError(`'${name}' is no name of a variable`);
  }

  #function(expression: string): QuickJSHandle {
    return this.#compile(`(function () { return (${trimmed(expression)}\n); })`);
  }

  /** Compiled once; the caller gets a handle of its own. */
  #compile(source: string): QuickJSHandle {
    const known = this.#compiled.get(source);
    if (known !== undefined) return known.dup();
    const made = this.#evaluate(source, 'expression');
    if (this.#compiled.size >= COMPILED_MAX) return made;
    this.#compiled.set(source, made);
    return made.dup();
  }

  #evaluate(source: string, file: string): QuickJSHandle {
    return this.#enter(() => this.#context.evalCode(source, file, { type: 'global' }));
  }

  /** Calls a helper and disposes of the arguments. */
  #help(name: Helper, ...args: readonly QuickJSHandle[]): QuickJSHandle {
    const helper = this.#helpers.get(name);
    if (helper === undefined) throw new Error(`assertion failed: the prelude has ${name}`);
    try {
      return this.#call(helper, ...args);
    } finally {
      if (!spoiled.has(this.#module)) for (const handle of args) handle.dispose();
    }
  }

  #call(callee: QuickJSHandle, ...args: readonly QuickJSHandle[]): QuickJSHandle {
    return this.#enter(() => this.#context.callFunction(callee, this.#context.undefined, ...args));
  }

  /** What an author's text throws is a result; what comes as an exception is the host's own, out of stack for one. */
  #enter(run: () => ReturnType<QuickJSContext['callFunction']>): QuickJSHandle {
    if (spoiled.has(this.#module)) throw new LockstepError('CORE', 'the ECMAScript engine is spoiled; make a new evaluator');
    this.#workLeft = this.#limits.workUnits;
    let result: ReturnType<QuickJSContext['callFunction']>;
    try {
      result = run();
    } catch (error) {
      spoiled.add(this.#module);
      throw new LockstepError('CORE', `the ECMAScript engine broke off: ${String(error)}`, { cause: error });
    }
    return this.#unwrap(result);
  }

  #unwrap(result: ReturnType<QuickJSContext['callFunction']>): QuickJSHandle {
    if (result.error === undefined) return result.value;
    const thrown: unknown = result.error.consume((error) => this.#context.dump(error));
    throw new EvaluationError(describeThrown(thrown));
  }
}

/** Authors end expressions with semicolons. */
const trimmed = (expression: string): string => expression.replace(/[\s;]+$/, '');

function describeThrown(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  const { name, message } = thrown as { readonly name?: unknown; readonly message?: unknown };
  return `${typeof name === 'string' ? name : 'Error'}: ${typeof message === 'string' ? message : JSON.stringify(thrown)}`;
}

/** The shape that the prelude makes its elements of. */
function treeOf(element: XmlElement): unknown {
  return {
    kind: 'element',
    name: element.name,
    qualifiedName: element.qualifiedName,
    namespace: element.namespace,
    text: writeXml(element),
    attributes: [...element.attributes],
    children: element.children.map((child) => (child.kind === 'text' ? child : treeOf(child))),
  };
}
