// Shows a peer's machines, a mirror or a local machine to any inspector that speaks Stately's protocol, over whatever takes messages.

import type { Actor, Subscription } from '../../core/actor.ts';
import type { EventObject } from '../../core/json.ts';
import type { Machine } from '../../core/machine.ts';
import { definitionOf } from '../../core/outline.ts';
import { Peer } from '../peer.ts';
import { InspectEmitter, inspectBase, inspectSnapshot, type InspectSink, SYNC_EVENT } from './emitter.ts';

export type { InspectSink } from './emitter.ts';
export type * from './protocol.ts';

/** Instances per page of a list. */
const PAGE = 100;

/** What `LocalActor` and `Mirror` are: a machine that runs here, alone or as a copy. */
export interface Inspectable extends Actor<unknown, { readonly type: string }, never> {
  readonly machine: Machine;
}

export interface InspectOptions {
  /** ms since the epoch. */
  readonly now: () => number;
  /** Hears what went wrong after the call: an instance that could not be asked for. */
  readonly failed?: (error: unknown) => void;
}

/**
 * Tells a sink what happens from now on, as messages of Stately's inspect protocol.                   (INSPECT-1)
 * @param source a peer: every instance that it is the authority of, by its durable steps; or one mirror or local machine: what it shows.
 * @param send called once per message; what it throws reaches whoever made the step, so it should not.
 * @returns what ends it.
 */
export function inspectTo(send: InspectSink, source: Peer | Inspectable, options: InspectOptions): Subscription {
  return source instanceof Peer ? inspectPeer(send, source, options) : inspectActor(send, source, options);
}

function inspectPeer(send: InspectSink, peer: Peer, { now, failed = () => undefined }: InspectOptions): Subscription {
  const emitter = new InspectEmitter({ send, now, load: (bytes) => peer.machines.load(bytes, undefined) });
  const asked = new Set<string>();
  let isOver = false;
  const describe = async (instance: string): Promise<void> => {
    if (asked.has(instance)) return;
    asked.add(instance);
    try {
      const described = await peer.get(instance);
      if (!isOver && 'state' in described) {
        needImage(described.image);
        emitter.addState(described);
      }
    } finally {
      asked.delete(instance);
    }
  };
  const needImage = (image: string): void => {
    const bytes = emitter.hasImage(image) ? undefined : peer.machines.image(image);
    if (bytes !== undefined) emitter.addMachine(peer.machines.load(bytes, undefined));
  };
  const begin = async (): Promise<void> => {
    const self = await peer.ready;
    for (const info of peer.peers()) emitter.addPeer(info);
    for (let after: string | undefined; ;) {
      const page = await peer.list({ limit: PAGE, ...(after === undefined ? {} : { after }) }, self);
      for (const { instance } of page.instances) await describe(instance);
      after = page.instances.at(-1)?.instance;
      if (!page.more || after === undefined) break;
    }
  };
  const presence = peer.onPresence(({ joined }) => joined.forEach((info) => emitter.addPeer(info)));
  const steps = peer.tracer.listen((record) => {
    if (record.kind !== 'step') return;
    needImage(record.image);
    emitter.add(record);
    if (!emitter.isRooted(record.step)) describe(record.step.instance).catch(failed);
  });
  begin().catch(failed);
  const unsubscribe = (): void => {
    isOver = true;
    presence.unsubscribe();
    steps.unsubscribe();
    emitter.close();
  };
  return { unsubscribe };
}

function inspectActor(send: InspectSink, actor: Inspectable, { now }: InspectOptions): Subscription {
  const sessionId = actor.id;
  const base = () => inspectBase({ sessionId, rootId: sessionId, now: now(), own: { instance: actor.id, seq: actor.seq, at: now() } });
  /** The event that the next snapshot comes of; a mirror is not told those of others. */
  let event: EventObject = SYNC_EVENT;
  send({
    type: '@xstate.actor',
    ...base(),
    name: actor.machine.symbols.id,
    definition: JSON.stringify(definitionOf(actor.machine)),
    snapshot: inspectSnapshot(actor.getSnapshot()),
  });
  const tell = (): void => {
    send({ type: '@xstate.snapshot', ...base(), event, snapshot: inspectSnapshot(actor.getSnapshot()) });
    event = SYNC_EVENT;
  };
  tell();
  const events = actor.onEvent((heard) => {
    event = heard;
    send({ type: '@xstate.event', ...base(), event });
  });
  const snapshots = actor.subscribe(tell);
  return {
    unsubscribe: () => {
      events.unsubscribe();
      snapshots.unsubscribe();
    },
  };
}
