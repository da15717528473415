// A chart run by corrected XState, with its clock, children, parent and listeners in the hands of the test.

import type { EventObject } from '../../core/json.ts';
import { countAction, countMicrostep, countView, type Performed } from './features.ts';
import { poked, told } from './kids.ts';
import { escapesConflict, isLegal, nodesOf, type HistoryValue, type Microstep, type Node } from './legal.ts';
import type { Kid, Log } from './log.ts';
import type { XState } from './oracle.ts';
import { errorWords, MAIL_MAX, sorted, timerKey, type Fault, type View } from './view.ts';

type Actor = ReturnType<XState['createActor']>;

/** What XState keeps to itself of an actor. */
interface Inside {
  readonly id: string;
  readonly src: unknown;
  readonly _parent: unknown;
  /** 0 not started, 1 running, 2 stopped. */
  readonly _processingStatus: number;
  _stop: () => void;
  send(event: EventObject): void;
}
interface System {
  readonly scheduler: Scheduler;
  _relay(source: Inside | undefined, target: Inside, event: EventObject): void;
}
interface Scheduler {
  schedule(source: unknown, target: Inside, event: EventObject, delay: number, id: string): void;
  cancel(source: unknown, id: string): void;
}
interface Armed {
  readonly key: string;
  readonly id: string;
  readonly fire: () => void;
}
interface Snapshot {
  readonly value: unknown;
  readonly context: unknown;
  readonly status: string;
  readonly output: unknown;
  readonly error: unknown;
  readonly tags: Set<string>;
  readonly children: Readonly<Record<string, Inside>>;
  getMeta(): unknown;
  can(event: EventObject): boolean;
}
type Inspected = { readonly actorRef: Inside } & (
  | { readonly type: '@xstate.actor' | '@xstate.snapshot' }
  | { readonly type: '@xstate.enabled' | '@xstate.microstep' }
  | { readonly type: '@xstate.action'; readonly action: Performed }
  | { readonly type: '@xstate.event'; readonly event: EventObject; readonly sourceRef: Inside | undefined }
);

const RUNNING = 1;
const STOPPED = 2;

export class Theirs {
  readonly #actor: Actor;
  readonly #parent: Inside;
  readonly #log: Log;
  /** The chart's children, in the order in which they were made. */
  readonly #made: Inside[] = [];
  /** Those that it has stopped. */
  readonly #stopped = new Set<Inside>();
  /** Those that the step at hand stopped before they started: nothing reaches them. */
  readonly #unborn = new Set<Inside>();
  readonly #kids = new Map<string, Kid>();
  /** What its scheduler has armed, in order, by handle. */
  readonly #armed = new Map<number, Armed>();
  #isIllegal = false;
  /** What history remembered before the microstep at hand. */
  #memory: HistoryValue = {};
  /** The logic of the child whose event is at hand, by name. */
  #sender: string | undefined;
  #event: EventObject | undefined;
  #scheduling: { key: string; id: string } = { key: '', id: '' };
  #handles = 0;
  /** Events of its own making in the move at hand. */
  #mail = 0;

  constructor({ xstate, log }: { readonly xstate: XState; readonly log: Log }, machine: unknown, input: unknown) {
    this.#log = log;
    log.kids = this.#kids;
    const root = xstate.createActor(
      xstate.fromTransition(() => undefined, undefined) as never,
      {
        clock: {
          setTimeout: (fire: () => void) => {
            this.#armed.set((this.#handles += 1), { ...this.#scheduling, fire });
            return this.#handles as never;
          },
          clearTimeout: (handle: unknown) => void this.#armed.delete(handle as number),
        },
        logger: (...args: unknown[]) => {
          log.entries.push(`log ${JSON.stringify(args.length > 1 ? { label: args[0], value: args[1] } : { value: args[0] })}`);
        },
        inspect: (inspected: Inspected) => this.#inspect(inspected),
      } as never,
    );
    root.start();
    // The parent records what it is sent; what children say of their state is told by the chart's own status.
    const hear = (event: EventObject): void => void (event.type.startsWith('xstate.') || log.outside.push(told.parent(event)));
    this.#parent = Object.create(root, { _send: { value: hear } }) as Inside;
    const options = { id: 'chart', parent: this.#parent, ...(input === undefined ? {} : { input }) };
    const actor = xstate.createActor(machine as never, options as never) as Actor;
    this.#holdSystem(actor.system as unknown as System, actor as unknown as Inside);
    actor.subscribe({ error: () => this.#stopChildren() });
    actor.on('*', (event: unknown) => log.outside.push(told.emit(event)));
    this.#actor = actor;
  }

  #inspect(inspected: Inspected): void {
    const { actorRef } = inspected;
    if (inspected.type === '@xstate.actor' && (actorRef._parent as Inside | undefined)?._parent === this.#parent)
      return this.#watchStop(actorRef);
    if (actorRef._parent !== this.#parent) return;
    const { features } = this.#log;
    switch (inspected.type) {
      case '@xstate.action':
        return countAction(features, inspected.action, { self: actorRef, parent: this.#parent, event: this.#event });
      case '@xstate.event': {
        const src = inspected.sourceRef?.src;
        this.#sender = typeof src === 'string' ? src : undefined;
        this.#event = inspected.event;
        return;
      }
      case '@xstate.microstep': {
        const step = inspected as unknown as Microstep;
        countMicrostep(features, step, this.#memory, this.#sender);
        this.#isIllegal ||= !isLegal(nodesOf(step.snapshot));
        this.#memory = step.snapshot.historyValue;
        return;
      }
      case '@xstate.enabled': {
        const step = inspected as unknown as Microstep;
        this.#isIllegal ||= escapesConflict(step, step.snapshot.historyValue);
        return;
      }
      case '@xstate.snapshot':
        this.#unborn.clear();
        return;
      default:
    }
  }

  #watchStop(child: Inside): void {
    this.#made.push(child);
    const stop = child._stop.bind(child);
    child._stop = () => {
      if (child._processingStatus !== RUNNING) this.#unborn.add(child);
      this.#stopped.add(child);
      stop();
    };
  }

  #holdSystem(system: System, self: Inside): void {
    const { scheduler } = system;
    const [schedule, cancel, relay] = [scheduler.schedule.bind(scheduler), scheduler.cancel.bind(scheduler), system._relay.bind(system)];
    // Delayed events with one id: XState forgets all but the last, which then alone can be cancelled; we cancel them all.
    scheduler.schedule = (source, target, event, delay, id) => {
      // A state that is entered without having been left starts its timers again (CHART-7): one clock each is enough.
      if (event.type.startsWith('xstate.after.')) scheduler.cancel(source, id);
      const to = target === self ? '#_internal' : target === this.#parent ? '#_parent' : target.id;
      this.#scheduling = { key: timerKey(event, to, delay), id };
      schedule(source, target, event, delay, id);
    };
    scheduler.cancel = (source, id) => {
      cancel(source, id);
      for (const [handle, armed] of this.#armed) {
        if (armed.id !== id) continue;
        this.#log.features.sawWhen(!id.startsWith('xstate.after.'), 'cancel of something that waits');
        this.#armed.delete(handle);
      }
    };
    system._relay = (source, target, event) => {
      // No word from a child that was stopped (INST-13): XState hears what it says while it stops.
      if (target === self && source !== undefined && this.#stopped.has(source)) return;
      if (target === self && source !== undefined && (this.#mail += 1) > MAIL_MAX) return;
      relay(source, source === self ? this.#bearer(target) : target, event);
    };
  }

  /** A reference is an id (docs/definitions.md): what is sent to an actor that was stopped goes to the one that has its id now. */
  #bearer(target: Inside): Inside {
    if (target._processingStatus !== STOPPED || this.#unborn.has(target)) return target;
    return this.#made.findLast(({ id, _processingStatus }) => id === target.id && _processingStatus === RUNNING) ?? target;
  }

  get #snapshot(): Snapshot {
    return this.#actor.getSnapshot() as unknown as Snapshot;
  }

  /** Those of a machine that failed: XState leaves them to themselves. */
  #stopChildren(): void {
    for (const child of Object.values(this.#snapshot.children ?? {})) child._stop();
  }

  start(): View | Fault | 'illegal' {
    return this.#run(() => this.#actor.start());
  }

  send(event: EventObject): View | Fault | 'illegal' {
    return this.#run(() => {
      this.#actor.send(event as never);
    });
  }

  /** Lets the time come of what has waited longest under that key. */
  fire(key: string): View | Fault | 'illegal' {
    const [handle, armed] = [...this.#armed].find(([, { key: its }]) => its === key) ?? [0, undefined];
    this.#armed.delete(handle);
    return this.#run(() => armed?.fire());
  }

  /** Lets a child do something. */
  poke(index: number, what: number, k: number): View | Fault | 'illegal' {
    return this.#run(() => {
      const id = this.children()[index] ?? '';
      const kid = this.#kids.get(id);
      if (kid === undefined) this.#snapshot.children[id]?.send(poked(k));
      else kid.poke(what, k);
    });
  }

  /** Keys of what waits. */
  armed(): string[] {
    return [...this.#armed.values()].map(({ key }) => key).sort();
  }

  /** In the order in which they came. */
  children(): string[] {
    return Object.keys(this.#snapshot.children);
  }

  /** Undefined when a guard throws. */
  can(event: EventObject): boolean | undefined {
    try {
      return this.#snapshot.can(event);
    } catch {
      return undefined;
    }
  }

  #run(run: () => void): View | Fault | 'illegal' {
    const log = this.#log;
    log.take();
    log.takeOutside();
    log.kids = this.#kids;
    this.#mail = 0;
    run();
    const snapshot = this.#snapshot;
    const isActive = snapshot.status === 'active';
    if (snapshot.status === 'error' && String(snapshot.error).includes('Infinite loop')) return 'loop';
    if (this.#mail > MAIL_MAX) return 'storm';
    if (this.#isIllegal || (isActive && !isLegal(nodesOf(snapshot)))) return 'illegal';
    // What failed at its start has none.
    const nodes = nodesOf(snapshot) ?? [];
    const view = this.#view(snapshot, nodes);
    countView(log.features, view);
    return view;
  }

  #view(snapshot: Snapshot, nodes: readonly Node[]): View {
    const isActive = snapshot.status === 'active';
    return {
      effects: this.#log.take(),
      outside: this.#log.takeOutside(),
      states: [...nodes].sort((a, b) => a.order - b.order).map(({ id }) => id),
      value: sorted(snapshot.value),
      context: snapshot.context,
      status: snapshot.status,
      output: snapshot.output,
      timers: isActive ? this.armed() : [],
      children: isActive ? this.children() : [],
      tags: [...(snapshot.tags ?? [])].sort(),
      meta: nodes.length === 0 ? {} : sorted(snapshot.getMeta()),
      error: snapshot.status === 'error' ? errorWords(snapshot.error) : undefined,
    };
  }
}
