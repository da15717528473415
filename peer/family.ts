// The relations of one hosted instance: the actors that it started, and the instance that started it. A relational machine is done, for who
// started it, in the state that its definition names, and has failed in Exception; it is an instance like before, until its parent ends it.

import { Children, namedActors } from '../core/children.ts';
import type { EffectOwner } from '../core/functions.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { Instance } from '../core/instance.ts';
import { beginning, ending, StateActors, toldMutation } from '../core/relational/actors.ts';
import { relationalSelf } from '../core/relational/owner.ts';
import type { ChildStart } from '../core/request.ts';
import { isMachine } from '../core/source.ts';
import type { Step } from '../core/step.ts';
import { type Activity, activityOf } from './effects.ts';
import type { ChildTold } from './hosted-actors.ts';
import type { Hosting } from './hosting.ts';
import type { Ordered } from './ordered.ts';
import type { Tenure } from './tenure.ts';

const EXCEPTION = 'Exception';
const NO_CHILDREN: ReadonlyMap<string, ChildStart> = new Map();

export class Family {
  readonly children: Children;
  readonly #ordered: Ordered;
  readonly #tenure: Tenure;
  readonly #tell: (event: EventObject) => void;
  readonly #said: (event: EventObject) => void;
  /** Of a relational machine. */
  #actors: StateActors | undefined;
  #parent: ChildTold | undefined;
  /** Durable steps whose actors are to start and stop when everyone has been told. */
  #waiting: (() => void)[] = [];

  constructor(options: {
    readonly hosting: Hosting;
    readonly ordered: Ordered;
    readonly tenure: Tenure;
    /** Makes an event of the instance. */
    readonly tell: (event: EventObject) => void;
  }) {
    const { hosting, ordered, tenure, tell } = options;
    const { record, machine } = ordered;
    this.#ordered = ordered;
    this.#tenure = tenure;
    this.#tell = tell;
    this.#said = (event) => {
      if (this.#parent === undefined) hosting.report('warn', `${record.instance} sent "${event.type}" to its parent and has none`);
      this.#parent?.said(event);
    };
    const told = (event: EventObject): void => {
      const made = toldMutation(ordered.machine, event);
      if (made === undefined) hosting.report('info', `${record.instance} has no state for "${event.type}" of its actor`);
      else tell(made);
    };
    this.children = new Children(
      {
        tell: machine.isRelational ? told : tell,
        tellParent: this.#said,
        emit: (event) => hosting.emitted(record.instance, event),
        log: (label, value) => hosting.report('info', [record.instance, label, show(value)].filter(Boolean).join(': ')),
      },
      hosting.actorsOf(record),
    );
    this.#actors = machine.isRelational ? new StateActors(machine, this.children) : undefined;
  }

  /** For whom effects act: final handlers may tell more. @param send tells the instance what an effect sends it. */
  effectOwner(send: (event: EventObject) => void): EffectOwner {
    const { record, machine } = this.#ordered;
    const { instance: id } = record;
    const sendTo = (child: string, event: EventObject): void => this.children.send(child, event);
    return {
      self: machine.isRelational ? relationalSelf({ id, send, sendParent: this.#said, sendTo }) : { id, send },
      system: namedActors(() => this.#tenure.instance?.children ?? NO_CHILDREN, sendTo),
    };
  }

  get isChild(): boolean {
    return this.#parent !== undefined;
  }

  /** Whether one of those that the instance has is an instance of its own. */
  hasHosted(instance: Instance): boolean {
    const isIn = activityOf(instance);
    const started = [...instance.children.values()]
      .filter(({ ended }) => ended !== true)
      .map(({ src }) => this.#ordered.machine.logicOf(src));
    return [...started, ...(this.#actors?.logics((state) => isIn(this.#name(state))) ?? [])].some(isMachine);
  }

  /** It is the child of another instance here. What it has come to already is told at once. */
  adopt(parent: ChildTold): void {
    this.#parent = parent;
    const { present } = this.#tenure;
    if (present?.status === 'done') parent.done(present.output);
    else if (present?.status === 'error') parent.failed({ name: 'Error', message: present.error ?? 'failed' });
    else if (present !== undefined) this.#tellState(activityOf(present));
  }

  /** A parent that came back hears what a relational machine is by now; the args of that mutation are known no more. */
  #tellState(isIn: Activity): void {
    if (!this.#ordered.machine.isRelational) return;
    const { doneState } = this.#ordered.machine.symbols;
    if (isIn(EXCEPTION)) this.#parent?.failed({ name: 'Error', message: `${this.#ordered.record.instance} is in ${EXCEPTION}` });
    else if (doneState !== undefined && isIn(doneState)) this.#parent?.done(undefined);
  }

  /** It was invoked, and nothing has happened since: a relational machine is told to start. */
  begin(input: Json | undefined): void {
    const { machine } = this.#ordered;
    const event = machine.isRelational ? beginning(machine, input) : undefined;
    if (event !== undefined && this.#tenure.instance?.seq === 1) this.#tell(event);
  }

  /** It came back from its journal: so do its actors, machines from their own journal, others from their input. */
  restart(): void {
    const { instance } = this.#tenure;
    if (instance?.status !== 'active') return;
    const { machine } = this.#ordered;
    for (const child of instance.children.values()) if (child.ended !== true) this.children.start(child, machine.logicOf(child.src), true);
    const isIn = activityOf(instance);
    this.#actors?.resume((state) => isIn(this.#name(state)));
  }

  /** Its schema has grown: actors go on, but for those that it names no more, and those begin that it names now for active states. */
  grown(isIn: Activity): void {
    const before = this.#actors;
    if (before === undefined) return;
    this.#actors = new StateActors(this.#ordered.machine, this.children);
    this.#actors.follow(before, (state) => isIn(this.#name(state)));
  }

  /** A durable step of this instance. @param isIn after it. */
  stepped(step: Step, isIn: Activity): void {
    const { present } = this.#tenure;
    // A child that was stopped while its step was being written has nothing more to say.
    if (present === undefined || step.ignored === true) return;
    if (this.#actors === undefined) return this.#tellParent(step, present);
    const moved = new Set(step.clocks.filter((_, index) => index % 2 === 0));
    const { args } = step.cause.event as { readonly args?: Json };
    const isActive = (state: number): boolean => isIn(this.#name(state));
    if (!this.#actors.isEmpty) this.#waiting.push(() => this.#actors!.stepped((state) => moved.has(state), isActive, args));
    if (this.#parent === undefined) return;
    const { machine } = this.#ordered;
    const isBegun = (name: string): boolean => moved.has(machine.stateNumber(name)) && isIn(name);
    const end = ending(machine, isBegun, args);
    if (end === undefined) this.#parent.changed(dataOf(present));
    else if (end.kind === 'done') this.#parent.done(end.output);
    else this.#parent.failed(end.error);
  }

  #tellParent(step: Step, present: Instance): void {
    if (this.#parent === undefined) return;
    if (step.status === 'done') this.#parent.done(step.output);
    else if (step.status === 'error') this.#parent.failed({ name: 'Error', message: step.error ?? 'failed' });
    else this.#parent.changed(dataOf(present));
  }

  /** Starts and stops the actors of relational steps. */
  run(): void {
    for (const act of this.#waiting.splice(0)) act();
  }

  #name(state: number): string {
    return this.#ordered.machine.symbols.states[state]!.key;
  }
}

/** What a parent that asked for snapshots hears. */
function dataOf(instance: Instance): Json {
  const { status, value, context, output } = instance.snapshot();
  return { status, value, context, ...(output === undefined ? {} : { output }) };
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
