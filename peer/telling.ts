// How an authority tells a step: by its difference, or by its event where every replica of the image can run that itself, with as much of its
// stamp as the step depends on. told.ts is who hears it. (docs/PROTOCOL.md, "Brief rooms")

import type { EventObject, Json, JsonObject } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import { ASKED_CHANCE, ASKED_TIME } from '../core/stamp.ts';
import { DELAYED_FIRST, type Step, type TimerChange } from '../core/step.ts';
import { sizeOf } from './shape.ts';
import { runsAnywhere, type Told } from './told.ts';
import type { Mode, StepEvent, ToldStep } from './wire.ts';

/** Characters up to which two forms are compared. */
const COMPARED_MAX = 0x100000;

/**
 * The event of a step, as it is told.
 * @param who the sender's number in the room.
 * @param asked which parts of the stamp its functions looked at; undefined when that is not known.
 */
export function eventOf(step: Step, who: number, machine: Machine, asked: number | undefined): StepEvent | undefined {
  if (asked === undefined || step.seq === 1 || !runsAnywhere(machine)) return undefined;
  const { n, event, seed } = step.cause;
  // Which of the delayed events it was is not told.
  if (step.timers.some(isDelayedOver)) return undefined;
  const timer = n === 0 ? machine.timerNumber(event.type) : undefined;
  const named = timer === undefined ? nameOf(machine, event.type) : 0 - timer;
  const fields = timer === undefined ? fieldsOf(event) : null;
  if ((asked & ASKED_CHANCE) !== 0) return [step.seq, who, n, named, fields, step.at, seed];
  if ((asked & ASKED_TIME) !== 0 || step.timers.some(isArmed)) return [step.seq, who, n, named, fields, step.at];
  return fields === null ? [step.seq, who, n, named] : [step.seq, who, n, named, fields];
}

function isDelayedOver({ timer, due }: TimerChange): boolean {
  return timer >= DELAYED_FIRST && due === null;
}

function isArmed({ due }: TimerChange): boolean {
  return due !== null;
}

/** All but its type; null where there is nothing else. */
function fieldsOf(event: EventObject): JsonObject | null {
  let fields: Record<string, Json> | null = null;
  for (const key in event) if (key !== 'type') (fields ??= {})[key] = event[key] as Json;
  return fields;
}

/** A wildcard's number does not say what the event is called. */
function nameOf(machine: Machine, type: string): number | string {
  const number = machine.eventNumber(type);
  return number > 0 && machine.symbols.events[number] === type ? number : type;
}

/** The one of its forms that takes less. */
function briefOf({ difference, event }: Told): ToldStep {
  if (event === undefined || event.length === 4) return event ?? difference;
  const size = sizeOf(event as unknown as Json, COMPARED_MAX);
  return size <= sizeOf(difference as unknown as Json, COMPARED_MAX) ? event : difference;
}

/** In a room of that mode. */
export function inMode(steps: readonly Told[], mode: Mode): readonly ToldStep[] {
  return steps.map(mode === 'brief' ? briefOf : ({ difference }) => difference);
}
