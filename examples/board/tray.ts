// What came too late: an own change that others had overtaken when its turn came. Says what happened instead, and offers to do it all the
// same, over what is there now.

import { element } from '../kit/dom.ts';
import { type BoardContext, type BoardEvent, COLUMN_NAMES, type Task } from './board.machine.ts';

/** Characters of it. */
const SHORT_MAX = 48;

/** In words, and what would be done all the same; nothing when there is no sense in that. */
export interface Conflict {
  readonly text: string;
  readonly mine?: string;
  readonly again?: BoardEvent;
}

/** @param context of the board as it is now. */
export function conflictOf(event: BoardEvent, context: BoardContext, id: string): Conflict {
  if (event.type === 'add') return { text: 'A task could not be added: the board is full, or it is there already.', mine: event.text };
  const task = context.tasks.find((each) => each.id === event.id);
  const gone = context.gone.find((each) => each.id === event.id);
  if (task === undefined) return overRemoved(event, gone, id);
  if (event.type === 'move' && task.column === event.to)
    return { text: `“${short(task.text)}” had been moved to ${COLUMN_NAMES[event.to]} by ${task.by} already.` };
  if (event.type === 'move')
    return {
      text: `“${short(task.text)}” was not moved to ${COLUMN_NAMES[event.to]}: ${task.by} had moved it to ${COLUMN_NAMES[task.column]} first.`,
      again: { ...event, from: task.column },
    };
  if (event.type === 'edit')
    return {
      text: `“${short(event.was)}” was not rewritten: ${task.by} had made it “${short(task.text)}” first.`,
      mine: event.text,
      again: { ...event, was: task.text },
    };
  return {
    text: `“${short(event.was)}” was not removed: ${task.by} had made it “${short(task.text)}” first.`,
    again: { ...event, was: task.text },
  };
}

function overRemoved(event: Exclude<BoardEvent, { type: 'add' }>, gone: Task | undefined, id: string): Conflict {
  const who = gone?.by ?? 'somebody';
  if (event.type === 'remove') return { text: `“${short(event.was)}” had been removed by ${who} already.` };
  const text = event.type === 'edit' ? event.text : gone?.text;
  const column = event.type === 'move' ? event.to : (gone?.column ?? 'todo');
  return {
    text: `“${short(event.type === 'edit' ? event.was : (gone?.text ?? 'A task'))}” was not ${event.type === 'edit' ? 'rewritten' : 'moved'}: ${who} had removed it first.`,
    ...(event.type === 'edit' ? { mine: event.text } : {}),
    ...(text === undefined ? {} : { again: { type: 'add', id, text, column, by: event.by } }),
  };
}

export class Tray {
  readonly #host: HTMLElement;

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  /** @param again does it all the same. */
  add({ text, mine, again }: Conflict, doAgain: (event: BoardEvent) => void): void {
    const entry = element('div', { class: 'conflict', role: 'alert' }, element('p', {}, text));
    if (mine !== undefined) entry.append(element('blockquote', { 'aria-label': 'Yours', dir: 'auto' }, mine));
    const choices = element('div', { class: 'choices' });
    const choice = (label: string, kind: string, act: () => void): void => {
      const button = element('button', { type: 'button', class: kind }, label);
      button.addEventListener('click', () => {
        entry.remove();
        this.#host.hidden = this.#host.childElementCount === 0;
        act();
      });
      choices.append(button);
    };
    if (again !== undefined) choice(again.type === 'add' ? 'Put it back' : 'Do it all the same', 'button', () => doAgain(again));
    choice('Leave it so', 'button quiet', () => undefined);
    entry.append(choices);
    this.#host.append(entry);
    this.#host.hidden = false;
  }
}

/** As much of a text as it takes to recognise it. */
export function short(text: string): string {
  const letters = [...text];
  return letters.length <= SHORT_MAX ? text : `${letters.slice(0, SHORT_MAX - 1).join('')}…`;
}
