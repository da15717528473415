// What a peer does for others: the instances that it orders, its trace, and its evaluator. Nothing of it is needed to watch.

import { LockstepError } from '../core/errors.ts';
import { Instance } from '../core/instance.ts';
import { Answers } from './answers.ts';
import type { RequestId } from './codec-json.ts';
import { Host, type HostOptions } from './host.ts';
import { HostMethods } from './host-methods.ts';
import { type AuthContext, anonymous } from './policy.ts';
import { MemoryJournal } from './memory.ts';
import { readParams } from './params.ts';
import { roomPort } from './room-port.ts';
import { Service } from './service.ts';
import { TraceRoom } from './trace-room.ts';
import type { Session } from './session.ts';

export interface ServingOptions extends Omit<HostOptions, 'journal' | 'rooms' | 'answers'> {
  readonly connection: Parameters<typeof roomPort>[0];
  /** In memory unless given. */
  readonly journal: HostOptions['journal'] | undefined;
  readonly evaluate: ((source: string) => string | Promise<string>) | undefined;
  readonly allowEval: ((authContext: AuthContext) => boolean) | undefined;
}

export class Serving {
  readonly host: Host;
  readonly #service: Service<Session>;

  constructor(options: ServingOptions) {
    const { tracer, connection, evaluate, report, machines, allowEval, authOf } = options;
    // What orders instances is here with it.
    machines.instances = Instance;
    const rooms = roomPort(connection);
    const trace = new TraceRoom(tracer, rooms);
    const answers = new Answers(options.environment, () => connection.self);
    const hosting = { ...options, rooms, answers, journal: options.journal ?? new MemoryJournal() };
    this.host = new Host(hosting);
    this.#service = new Service<Session>((error) => report('error', 'a method failed', error), answers);
    new HostMethods(this.host, hosting).serve(this.#service);
    this.#service.serve('trace', (params, session) => trace.serve(session, readParams('trace', params)));
    this.#service.serve('eval', async (params, { remote }) => {
      const { source } = readParams('eval', params);
      if (evaluate === undefined) throw new LockstepError('FORBIDDEN', 'this peer did not opt in to eval');
      // A line can read everything.
      const mayEvaluate = allowEval === undefined ? !machines.hasPolicies : allowEval(authOf(remote) ?? anonymous(remote)) === true;
      if (!mayEvaluate) throw new LockstepError('FORBIDDEN', 'eval is not for this peer');
      return { text: await evaluate(source) };
    });
  }

  notice(method: string, params: unknown, session: Session): void {
    this.#service.notice(method, params, session);
  }

  handle(id: RequestId, method: string, params: unknown, session: Session): void {
    this.#service.handle(id, method, params, session);
  }
}

/** For peers that have it at hand from the beginning. */
export function serving(options: ServingOptions): Serving {
  return new Serving(options);
}
