// A chart run by XState corrected to document order, with its clock, children and listeners in the hands of the test.

import type { EventObject } from '../../core/json.ts';
import { escapesConflict, isLegal, nodesOf, type HistoryValue, type Microstep } from './legal.ts';
import type { Log } from './log.ts';
import type { XState } from './oracle.ts';
import { told } from './outward.ts';
import { sorted, timerKey, type Fault, type View } from './view.ts';

type Actor = ReturnType<XState['createActor']>;
interface Scheduler {
  schedule(source: unknown, target: unknown, event: EventObject, delay: number, id: string): void;
  cancel(source: unknown, id: string): void;
}
interface Armed {
  readonly key: string;
  readonly id: string;
  readonly fire: () => void;
}

export class Theirs {
  readonly #actor: Actor;
  readonly #log: Log;
  /** What its scheduler has armed, in order, by handle. */
  readonly #armed = new Map<number, Armed>();
  #isIllegal = false;
  /** What history remembered before the microstep at hand. */
  #memory: HistoryValue = {};
  #scheduling: { event: EventObject; id: string } = { event: { type: '' }, id: '' };
  #handles = 0;

  constructor({ xstate, log }: { readonly xstate: XState; readonly log: Log }, machine: unknown, input: unknown) {
    this.#log = log;
    const actor = xstate.createActor(
      machine as never,
      {
        ...(input === undefined ? {} : { input }),
        clock: {
          setTimeout: (fire: () => void, delay: number) => {
            const { event, id } = this.#scheduling;
            this.#armed.set((this.#handles += 1), { key: timerKey(event, delay), id, fire });
            return this.#handles as never;
          },
          clearTimeout: (handle: unknown) => void this.#armed.delete(handle as number),
        },
        logger: (...args: unknown[]) => {
          log.entries.push(`log ${JSON.stringify(args.length > 1 ? { label: args[0], value: args[1] } : { value: args[0] })}`);
        },
        inspect: (inspected: Microstep) => {
          if (inspected.type !== '@xstate.microstep') return;
          this.#isIllegal ||= !isLegal(nodesOf(inspected.snapshot)) || escapesConflict(inspected, this.#memory);
          this.#memory = inspected.snapshot.historyValue;
        },
      } as never,
    ) as Actor;
    this.#holdClock((actor.system as unknown as { scheduler: Scheduler }).scheduler);
    actor.subscribe({ error: () => undefined });
    actor.on('*', (event: unknown) => log.outside.push(told.emit(event)));
    this.#actor = actor;
  }

  /** Delayed events with one id: XState forgets all but the last, which then alone can be cancelled; we cancel them all. */
  #holdClock(scheduler: Scheduler): void {
    const [schedule, cancel] = [scheduler.schedule.bind(scheduler), scheduler.cancel.bind(scheduler)];
    scheduler.schedule = (source, target, event, delay, id) => {
      // A state that is entered without having been left starts its timers again (CHART-7): one clock each is enough.
      if (event.type.startsWith('xstate.after.')) scheduler.cancel(source, id);
      this.#scheduling = { event, id };
      schedule(source, target, event, delay, id);
    };
    scheduler.cancel = (source, id) => {
      cancel(source, id);
      for (const [handle, armed] of this.#armed) if (armed.id === id) this.#armed.delete(handle);
    };
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

  /** Keys of what waits. */
  armed(): string[] {
    return [...this.#armed.values()].map(({ key }) => key).sort();
  }

  children(): string[] {
    return Object.keys((this.#actor.getSnapshot() as { children: object }).children).sort();
  }

  can(event: EventObject): boolean {
    return (this.#actor.getSnapshot() as unknown as { can(event: EventObject): boolean }).can(event);
  }

  #run(run: () => void): View | Fault | 'illegal' {
    this.#log.take();
    this.#log.takeOutside();
    run();
    const snapshot = this.#actor.getSnapshot() as unknown as {
      value: unknown;
      context: unknown;
      status: string;
      output: unknown;
      error: unknown;
      tags: Set<string>;
    };
    const nodes = nodesOf(snapshot);
    if (snapshot.status === 'error') return String(snapshot.error).includes('Infinite loop') ? 'loop' : 'threw';
    if (this.#isIllegal || !isLegal(nodes)) return 'illegal';
    return {
      effects: this.#log.take(),
      outside: this.#log.takeOutside(),
      states: [...nodes].sort((a, b) => a.order - b.order).map(({ id }) => id),
      value: sorted(snapshot.value),
      context: snapshot.context,
      status: snapshot.status,
      output: snapshot.output,
      timers: snapshot.status === 'active' ? this.armed() : [],
      children: snapshot.status === 'active' ? this.children() : [],
      tags: [...snapshot.tags].sort(),
    };
  }
}
