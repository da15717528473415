// Asks the authors' authorizers and views, for all instances of one peer: who may look at what, who may write. The peer's own program may do
// everything. Whatever an authorizer throws, or answers beside `true`, is a no.

import { LockstepError } from '../core/errors.ts';
import type { Instance } from '../core/instance.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { ALL } from './channel.ts';
import type { InstanceRecord } from './journal.ts';
import type { Report } from './log.ts';
import type { Machines } from './machines.ts';
import {
  anonymous,
  type AuthContext,
  type DeleteQuestion,
  type Policy,
  type ReadQuestion,
  SEALED,
  type View,
  type WriteQuestion,
} from './policy.ts';
import type { Sight } from './sight.ts';
import { publicView, sightOf, type Whole, wholeOf } from './sighting.ts';
import type { InstanceId, MachineDescription, PeerId } from './wire.ts';

/** What readers of a machine with authorizers get who ask for nothing else. */
export const PUBLIC = 'public';

export interface WardenOptions {
  readonly self: PeerId;
  readonly machines: Machines;
  /** Who the relay says that a peer is. */
  readonly authOf: (peer: PeerId) => AuthContext | undefined;
  readonly report: Report;
}

/** An instance as of one step. */
export interface Moment {
  readonly snapshot: Snapshot;
  /** Ticks by state number. */
  readonly clocks: readonly number[];
}

export function momentOf(instance: Instance): Moment {
  return { snapshot: instance.snapshot(), clocks: instance.clocks() };
}

/** How those are told who have a filter. */
export interface Narrow {
  /** As in Filter. */
  readonly every: number | undefined;
  readonly isShallow: boolean;
  /** Whose clocks they are told; undefined when their view shows none. */
  readonly states: readonly string[] | undefined;
}

/** One way in which one reader, or several who are the same to the authorizers, look at an instance. */
export interface Look {
  /** Equal for equal ways of looking. */
  readonly key: string;
  /** The view of the room to be in: every member of it sees the same. */
  readonly view: string;
  readonly isWhole: boolean;
  /** Whether it is to be asked again after each step. */
  readonly isGuarded: boolean;
  /** It is the program of this peer. */
  readonly isOwn: boolean;
  mayRead(snapshot: Snapshot): boolean;
  /** @throws LockstepError FORBIDDEN when the author's view fails. */
  sight(moment: Moment): Sight;
  /** The state value that a reader may have expectations of. @throws as `sight` */
  value(moment: Moment): Json;
  /** How it is told, where it has a filter. */
  readonly narrow?: Narrow;
}

interface Looking {
  readonly instance: InstanceId;
  /** Of the view. */
  readonly name: string;
  readonly shown: View;
  /** To be asked; undefined when nobody is. */
  readonly policy: Policy | undefined;
  readonly isOwn: boolean;
  readonly authContext: AuthContext;
}

interface Questions {
  readonly allowRead: ReadQuestion;
  readonly allowWrite: WriteQuestion;
  readonly allowDelete: DeleteQuestion;
}

/** A policy, as what is asked of it. */
type Asked = { readonly [What in keyof Questions]?: (question: Questions[What]) => unknown };

/** Of a machine without authorizers. */
export const OPEN: Look = {
  key: ALL,
  isOwn: false,
  view: ALL,
  isWhole: true,
  isGuarded: false,
  mayRead: () => true,
  sight: ({ snapshot }) => {
    const { status, ...shown } = wholeOf(snapshot);
    return sightOf(status, shown);
  },
  value: ({ snapshot }) => snapshot.value,
};

const OWN: Look = { ...OPEN, isOwn: true };

export class Warden {
  readonly #options: WardenOptions;
  /** What was asked about last: the same snapshot is shown to many. */
  #asked: Snapshot | undefined;
  #whole: Whole | undefined;

  constructor(options: WardenOptions) {
    this.#options = options;
  }

  /**
   * Who may see and do what with instances of a machine; undefined when anyone may do anything. The actors of a guarded machine are sealed,
   * unless they have a policy of their own; so is, beside guarded machines, what only the journal knows.                    (VIEW-1)
   */
  policy(machine: string): Policy | undefined {
    const { machines } = this.#options;
    if (!machines.hasPolicies) return undefined;
    const known = machines.known(machine);
    if (known?.policy !== undefined) return known.policy;
    // The program that had authorizers for it may be an earlier one.
    if (known?.isRestored === true) return SEALED;
    for (let end = machine.lastIndexOf(':'); end > 0; end = machine.lastIndexOf(':', end - 1))
      if (machines.known(machine.slice(0, end))?.policy !== undefined) return SEALED;
    return undefined;
  }

  /** Whether its instances are not for everyone. */
  guards(machine: string): boolean {
    return this.policy(machine) !== undefined;
  }

  /** The machines as a peer may know of them: of guarded ones that they are there, without their actors and images.        (VIEW-9) */
  list(peer: PeerId): readonly MachineDescription[] {
    const all = this.#options.machines.list();
    if (this.isOwn(peer) || !this.#options.machines.hasPolicies) return all;
    return all
      .filter(({ machine }) => this.policy(machine) !== SEALED)
      .map(({ machine, image }) => ({ machine, image: this.guards(machine) ? '' : image }));
  }

  /** Whether an image is for everyone: of a machine that is not guarded, or nothing here is. */
  isOpen(image: string): boolean {
    const { machines } = this.#options;
    return !machines.hasPolicies || machines.list().some((each) => each.image === image && !this.guards(each.machine));
  }

  /** @throws LockstepError FORBIDDEN for a name that a guarded machine's would be. */
  mayDefine(machine: string): void {
    if (this.guards(machine)) throw new LockstepError('FORBIDDEN', `machine "${machine}" is guarded here and is not replaced from outside`);
  }

  /** Whether a peer is the program that runs here. */
  isOwn(peer: PeerId): boolean {
    return peer === this.#options.self;
  }

  /**
   * How a peer looks at an instance.
   * @param view by name; `public` where there are authorizers, else everything, unless given.
   * @throws LockstepError FORBIDDEN when there is no such view for it.
   */
  look({ instance, machine }: InstanceRecord, peer: PeerId, view: string | undefined): Look {
    const policy = this.policy(machine);
    const isOwn = this.isOwn(peer);
    if (isOwn && (view === undefined || view === ALL)) return OWN;
    if (policy === undefined) {
      if (view === undefined || view === ALL) return OPEN;
      if (view === PUBLIC) return this.#looking({ instance, name: PUBLIC, shown: publicView, policy, isOwn, authContext: null });
      throw unseen(instance, view);
    }
    const name = view ?? PUBLIC;
    const shown = Object.hasOwn(policy.views ?? {}, name) ? policy.views?.[name] : name === PUBLIC ? publicView : undefined;
    if (shown === undefined) throw unseen(instance, name);
    return this.#looking({ instance, name, shown, policy: isOwn ? undefined : policy, isOwn, authContext: this.#auth(peer) });
  }

  #looking({ instance, name, shown, policy, isOwn, authContext }: Looking): Look {
    const auth = JSON.stringify(authContext);
    // A view that takes no reader is given none, so that what it shows can be shared.
    const isShared = shown === 'all' || shown.length < 2;
    const room = shown === 'all' ? ALL : `${name} ${isShared ? '*' : auth}`;
    const fail = (error: unknown): LockstepError => {
      this.#options.report('error', `view "${name}" of ${instance} fails`, error);
      return unseen(instance, name);
    };
    const sight = (moment: Moment): Sight => {
      if (shown === 'all') return OPEN.sight(moment);
      const whole = wholeOf(moment.snapshot);
      try {
        return sightOf(whole.status, isShared ? (shown as (instance: Whole) => unknown)(whole) : shown(whole, authContext));
      } catch (error) {
        throw fail(error);
      }
    };
    return {
      key: `${policy === undefined ? 'own' : auth} ${name}`,
      view: room,
      isWhole: shown === 'all',
      isGuarded: policy !== undefined,
      isOwn,
      mayRead: (snapshot) => {
        if (policy === undefined) return true;
        const whole = this.#wholeOf(snapshot);
        const { value, context, tags, status } = whole;
        const asked = { machineInstanceName: instance, view: name, state: value, context, tags, status, authContext };
        return this.#asks('allowRead', policy, status === 'active' ? asked : ended(asked, whole));
      },
      sight,
      value: (moment) => sight(moment).value,
    };
  }

  /** Whether a peer may see everything of an instance, under whatever name. */
  seesAll(record: InstanceRecord, peer: PeerId, snapshot: Snapshot): boolean {
    const policy = this.policy(record.machine);
    if (policy === undefined || this.isOwn(peer)) return true;
    return Object.entries(policy.views ?? {}).some(([name, view]) => view === 'all' && this.look(record, peer, name).mayRead(snapshot));
  }

  mayCreate(machine: string, instance: InstanceId, peer: PeerId, input: Json | undefined): boolean {
    const policy = this.policy(machine);
    if (policy === undefined || this.isOwn(peer)) return true;
    const question = {
      type: 'initialization',
      machineInstanceName: instance,
      context: input ?? {},
      authContext: this.#auth(peer),
    } as const;
    return this.#asks('allowWrite', policy, question);
  }

  /** @param event plain and frozen. */
  maySend({ instance, machine }: InstanceRecord, peer: PeerId, event: EventObject, of: Instance): boolean {
    const policy = this.policy(machine);
    if (policy === undefined || this.isOwn(peer)) return true;
    const { context } = of;
    const state = of.machine.value(of.configurationKey);
    const authContext = this.#auth(peer);
    return this.#asks('allowWrite', policy, { type: 'event', machineInstanceName: instance, event, state, context, authContext });
  }

  mayGrow({ instance, machine }: InstanceRecord, peer: PeerId, of: Pick<Instance, 'snapshot'>): boolean {
    const policy = this.policy(machine);
    if (policy === undefined || this.isOwn(peer)) return true;
    const { value, context } = of.snapshot();
    const authContext = this.#auth(peer);
    return this.#asks('allowWrite', policy, { type: 'schema', machineInstanceName: instance, state: value, context, authContext });
  }

  mayDelete({ instance, machine }: InstanceRecord, peer: PeerId, of: Pick<Instance, 'snapshot'>): boolean {
    const policy = this.policy(machine);
    if (policy === undefined || this.isOwn(peer)) return true;
    const { value: state, ...rest } = this.#wholeOf(of.snapshot());
    const question = { ...rest, state, machineInstanceName: instance, authContext: this.#auth(peer) };
    return this.#asks('allowDelete', policy, question);
  }

  #auth(peer: PeerId): AuthContext {
    return this.#options.authOf(peer) ?? anonymous(peer);
  }

  #wholeOf(snapshot: Snapshot): Whole {
    if (this.#asked !== snapshot) this.#whole = undefined;
    this.#asked = snapshot;
    return (this.#whole ??= wholeOf(snapshot));
  }

  #asks<What extends keyof Questions>(what: What, policy: Asked, question: Questions[What]): boolean {
    try {
      return policy[what]?.(question) === true;
    } catch (error) {
      this.#options.report('error', `${what} of ${question.machineInstanceName} threw, which denies`, error);
      return false;
    }
  }
}

/** With what a machine that has ended leaves. */
function ended<T extends object>(asked: T, { output, error }: Whole): T & Pick<Whole, 'output' | 'error'> {
  return { ...asked, ...(output === undefined ? {} : { output }), ...(error === undefined ? {} : { error }) };
}

function unseen(instance: InstanceId, view: string): LockstepError {
  return new LockstepError('FORBIDDEN', `the view "${view}" of ${instance} is not for this reader`);
}

/** As little as can be said to somebody who may not know more: the code says what happened, not to what. */
export function bland({ code }: LockstepError): LockstepError {
  return new LockstepError(code, `refused with ${code}; this reader may not know more`);
}
