// Small texts that several parts of the page show alike. Pure.

import { type Entry, isCreation, type ToldActor } from '../entry.ts';
import type { TraceModel, View } from '../model.ts';
import type { Origin } from '../origin.ts';

/** `03:04:05.006`, in the reader's own time zone. */
export function clockTime(at: number): string {
  const time = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

/** Letters of a peer's id that tell it from the others, where it left no name. */
const ID_MAX = 6;

/** A peer by its name, or the first letters of its id. */
function peerText(model: TraceModel, peer: string): string {
  const name = model.peerName(peer);
  return name === peer && peer.length > ID_MAX ? peer.slice(0, ID_MAX) : name;
}

/** An instance by its owner's name: `Ann/bar` for `JX49p_EwI6E5ntUF/bar`. */
export function instanceText(model: TraceModel, instance: string): string {
  const actor = model.actor(instance);
  if (actor !== undefined) return actorText(actor);
  const slash = instance.indexOf('/');
  return slash < 0 ? instance : `${model.peerName(instance.slice(0, slash))}${instance.slice(slash)}`;
}

/** An actor of a plain XState program: its name, and its session id where that is another. */
export function actorText({ name, sessionId }: ToldActor): string {
  return name === sessionId ? name : `${name} ${sessionId}`;
}

/** What a step moved, for one line: leaf states left and entered, or the parts of the context that it changed. */
export interface Movement {
  readonly left: string;
  readonly entered: string;
  readonly context: string;
}

/** By record: that of a program's entry becomes another when its snapshot comes. */
const movements = new WeakMap<Entry['record'], Movement>();

/** Undefined while the image or a step on the way is missing. */
export function movementOf(model: TraceModel, entry: Entry): Movement | undefined {
  const known = movements.get(entry.record);
  if (known !== undefined || !model.isDrawable(entry)) return known;
  try {
    const movement = measure(model.view(entry));
    movements.set(entry.record, movement);
    return movement;
  } catch {
    return undefined; // Steps before it are missing and may still come.
  }
}

function measure({ chart, clocks, patch, entry }: View): Movement {
  const moved = (was: number, is: number): string =>
    clocks
      .filter(([state, before, after]) => before % 2 === was && after % 2 === is && chart.states[state]!.end === state)
      .map(([state]) => chart.path(state))
      .join(', ');
  const keys = new Set(patch.map(({ path }) => path.split('/')[1] ?? ''));
  const context = isCreation(entry) || keys.size === 0 ? '' : keys.has('') ? 'context' : [...keys].join(', ');
  return { left: moved(1, 0), entered: moved(0, 1), context };
}

/** Who or what the event came from, in a few words. */
export function originText(model: TraceModel, origin: Origin): string {
  switch (origin.kind) {
    case 'start':
      return 'creation';
    case 'timer':
      return 'timer';
    case 'inside':
      return 'inside';
    case 'peer':
      return `${peerText(model, origin.peer)}.${origin.n}`;
    case 'actor':
      return instanceText(model, origin.instance);
    case 'program':
      return 'program';
  }
}
