// The relations of one hosted instance: the actors that it started, and the instance that started it. A relational machine is done, for who
// started it, in the state that its definition names, and has failed in Exception; it is an instance like before, until its parent ends it.

import { Children } from '../core/children.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { Instance } from '../core/instance.ts';
import type { Machine } from '../core/machine.ts';
import { beginning, ending, StateActors, toldMutation } from '../core/relational/actors.ts';
import { relationalSelf, type RelationalSelf } from '../core/relational/owner.ts';
import type { ChildStart } from '../core/request.ts';
import { isMachine } from '../core/source.ts';
import type { Step } from '../core/step.ts';
import { type Activity, activityOf } from './effects.ts';
import type { ChildTold } from './hosted-actors.ts';
import type { Hosting } from './hosting.ts';
import type { InstanceRecord } from './journal.ts';

const EXCEPTION = 'Exception';

export class Family {
  readonly children: Children;
  readonly #machine: () => Machine;
  readonly #record: InstanceRecord;
  readonly #said: (event: EventObject) => void;
  /** Of a relational machine. */
  #actors: StateActors | undefined;
  #parent: ChildTold | undefined;
  /** Durable steps whose actors are to start and stop when everyone has been told. */
  #waiting: (() => void)[] = [];

  constructor(options: {
    readonly hosting: Hosting;
    readonly record: InstanceRecord;
    readonly machine: () => Machine;
    readonly tell: (event: EventObject) => void;
  }) {
    const { hosting, record, machine, tell } = options;
    this.#machine = machine;
    this.#record = record;
    this.#said = (event) => {
      if (this.#parent === undefined) hosting.report('warn', `${record.instance} sent "${event.type}" to its parent and has none`);
      this.#parent?.said(event);
    };
    const told = (event: EventObject): void => {
      const made = toldMutation(machine(), event);
      if (made === undefined) hosting.report('info', `${record.instance} has no state for "${event.type}" of its actor`);
      else tell(made);
    };
    this.children = new Children(
      {
        tell: machine().isRelational ? told : tell,
        tellParent: this.#said,
        emit: (event) => hosting.emitted(record.instance, event),
        log: (label, value) => hosting.report('info', [record.instance, label, show(value)].filter(Boolean).join(': ')),
      },
      hosting.actorsOf(record),
    );
    this.#actors = machine().isRelational ? new StateActors(machine(), this.children) : undefined;
  }

  /** Who final handlers may tell more. */
  relationalSelf(send: (event: EventObject) => void): RelationalSelf {
    const sendTo = (state: string, event: EventObject): void => this.children.send(state, event);
    return relationalSelf({ id: this.#record.instance, send, sendParent: this.#said, sendTo });
  }

  get isChild(): boolean {
    return this.#parent !== undefined;
  }

  /** Whether one of those that the instance has is an instance of its own. */
  hasHosted(instance: Instance): boolean {
    const isIn = activityOf(instance);
    const started = [...instance.children.values()].filter(({ ended }) => ended !== true).map(({ src }) => this.#machine().logicOf(src));
    return [...started, ...(this.#actors?.logics((state) => isIn(this.#name(state))) ?? [])].some(isMachine);
  }

  adopt(parent: ChildTold): void {
    this.#parent = parent;
  }

  restart(child: ChildStart): void {
    this.children.start(child, this.#machine().logicOf(child.src), true);
  }

  /** It came back from its journal, with the states that invoke actors. */
  resume(isIn: Activity): void {
    this.#actors?.resume((state) => isIn(this.#name(state)));
  }

  /** Its schema has grown: actors go on, but for those that it names no more, and those begin that it names now for active states. */
  grown(isIn: Activity): void {
    const before = this.#actors;
    if (before === undefined) return;
    this.#actors = new StateActors(this.#machine(), this.children);
    this.#actors.follow(before, (state) => isIn(this.#name(state)));
  }

  /** What begins a relational machine that was invoked. */
  begins(input: Json | undefined): EventObject | undefined {
    return this.#machine().isRelational ? beginning(this.#machine(), input) : undefined;
  }

  /** Whether anybody is told of its steps. */
  get hears(): boolean {
    return this.#actors !== undefined || this.#parent !== undefined;
  }

  /** A durable step of this instance. @param after asked only when there is somebody to tell. */
  stepped(step: Step, after: { readonly snapshot: () => Json; readonly isIn: Activity }): void {
    if (step.ignored === true) return;
    if (this.#actors === undefined) return this.#tellParent(step, after.snapshot);
    const moved = new Set(step.clocks.filter((_, index) => index % 2 === 0));
    const { args } = step.cause.event as { readonly args?: Json };
    const isActive = (state: number): boolean => after.isIn(this.#name(state));
    if (!this.#actors.isEmpty) this.#waiting.push(() => this.#actors!.stepped((state) => moved.has(state), isActive, args));
    if (this.#parent === undefined) return;
    const machine = this.#machine();
    const isBegun = (name: string): boolean => moved.has(machine.stateNumber(name)) && after.isIn(name);
    const end = ending(machine, isBegun, args);
    if (end === undefined) this.#parent.changed(after.snapshot());
    else if (end.kind === 'done') this.#parent.done(end.output);
    else this.#parent.failed(end.error);
  }

  #tellParent(step: Step, snapshot: () => Json): void {
    if (this.#parent === undefined) return;
    if (step.status === 'done') this.#parent.done(step.output);
    else if (step.status === 'error') this.#parent.failed({ name: 'Error', message: step.error ?? 'failed' });
    else this.#parent.changed(snapshot());
  }

  /** A parent that came back hears what a relational machine is by now; the args of that mutation are known no more. */
  tellState(isIn: Activity): void {
    if (!this.#machine().isRelational) return;
    const { doneState } = this.#machine().symbols;
    if (isIn(EXCEPTION)) this.#parent?.failed({ name: 'Error', message: `${this.#record.instance} is in ${EXCEPTION}` });
    else if (doneState !== undefined && isIn(doneState)) this.#parent?.done(undefined);
  }

  /** Starts and stops the actors of relational steps. */
  run(): void {
    for (const act of this.#waiting.splice(0)) act();
  }

  #name(state: number): string {
    return this.#machine().symbols.states[state]!.key;
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
