// The relations of one hosted instance: the actors that it started, and the instance that started it.

import { Children } from '../core/children.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import type { ChildStart } from '../core/request.ts';
import type { Step } from '../core/step.ts';
import type { ChildTold } from './hosted-actors.ts';
import type { Hosting } from './hosting.ts';
import type { InstanceRecord } from './journal.ts';

export class Family {
  readonly children: Children;
  readonly #machine: Machine;
  #parent: ChildTold | undefined;

  constructor(options: {
    readonly hosting: Hosting;
    readonly record: InstanceRecord;
    readonly machine: Machine;
    readonly tell: (event: EventObject) => void;
  }) {
    const { hosting, record, machine, tell } = options;
    this.#machine = machine;
    const said = (event: EventObject): void => {
      if (this.#parent === undefined) hosting.report('warn', `${record.instance} sent "${event.type}" to its parent and has none`);
      this.#parent?.said(event);
    };
    this.children = new Children(
      {
        tell,
        tellParent: said,
        emit: (event) => hosting.emitted(record.instance, event),
        log: (label, value) => hosting.report('info', [record.instance, label, show(value)].filter(Boolean).join(': ')),
      },
      hosting.actorsOf(record),
    );
  }

  adopt(parent: ChildTold): void {
    this.#parent = parent;
  }

  restart(child: ChildStart): void {
    this.children.start(child, this.#machine.logicOf(child.src), true);
  }

  /** A durable step of this instance, for who started it. @param snapshot asked only when there is somebody. */
  tellParent(step: Step, snapshot: () => Json): void {
    if (this.#parent === undefined || step.ignored === true) return;
    if (step.status === 'done') this.#parent.done(step.output);
    else if (step.status === 'error') this.#parent.failed({ name: 'Error', message: step.error ?? 'failed' });
    else this.#parent.changed(snapshot());
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
