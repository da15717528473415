// One card: a task's text, who changed it last, who has it in hand, its buttons, and the field in which its text is rewritten.

import { element, setText } from '../kit/dom.ts';
import { COLUMN_NAMES, COLUMNS, type Task, TEXT_MAX } from './board.machine.ts';
import { badgeOf } from './person.ts';

/** What a person does with it. */
export interface CardWishes {
  edit(task: Task, text: string): void;
  remove(task: Task): void;
  /** Into the column beside its own. */
  step(task: Task, by: -1 | 1): void;
}

const ICONS = {
  left: 'M14 6l-6 6 6 6',
  right: 'M10 6l6 6-6 6',
  edit: 'M5 19h3.5L19 8.5 15.5 5 5 15.5zM13.5 7l3.5 3.5',
  remove: 'M6 7h12M10 7V5h4v2M8 7l.7 12h6.6L16 7',
} as const;

export class Card {
  readonly root: HTMLElement;
  readonly #wishes: CardWishes;
  readonly #text = element('p', { class: 'task-text', dir: 'auto' });
  readonly #badge = element('span', { class: 'badge', 'aria-hidden': 'true' });
  readonly #by = element('span', { class: 'task-by' });
  readonly #held = element('p', { class: 'task-held', role: 'status' });
  readonly #left: HTMLButtonElement;
  readonly #right: HTMLButtonElement;
  #task: Task;
  #isOnItsWay = false;

  constructor(task: Task, wishes: CardWishes) {
    this.#task = task;
    this.#wishes = wishes;
    this.#left = action('left', 'Move left', () => wishes.step(this.#task, -1));
    this.#right = action('right', 'Move right', () => wishes.step(this.#task, 1));
    const tools = element(
      'div',
      { class: 'tools' },
      this.#left,
      this.#right,
      action('edit', 'Edit', () => this.edit()),
      action('remove', 'Remove', () => wishes.remove(this.#task)),
    );
    this.root = element(
      'li',
      { class: 'task', 'data-task': task.id, draggable: 'true' },
      this.#held,
      this.#text,
      element('footer', {}, this.#badge, this.#by, tools),
    );
    this.root.addEventListener('dragstart', (event) => event.dataTransfer?.setData('text/plain', task.id));
    this.root.addEventListener('dblclick', () => this.edit());
  }

  show(task: Task, isWaiting: boolean): void {
    this.#task = task;
    const { initials, hue } = badgeOf(task.by);
    setText(this.#text, task.text);
    setText(this.#badge, initials);
    this.#by.title = task.by;
    setText(this.#by, isWaiting ? 'not sent yet' : task.by);
    this.#badge.style.setProperty('--hue', String(hue));
    this.root.toggleAttribute('data-waiting', isWaiting);
    this.#left.disabled = task.column === COLUMNS[0];
    this.#right.disabled = task.column === COLUMNS.at(-1);
    this.root.setAttribute(
      'aria-label',
      `${task.text}, ${COLUMN_NAMES[task.column]}, last changed by ${task.by}${isWaiting ? ', not sent yet' : ''}`,
    );
  }

  /** Whoever writes in it goes on writing: a browser takes the focus away for the moment, which is no end of it. */
  place(list: HTMLElement, before: Element | null): void {
    this.#isOnItsWay = true;
    list.insertBefore(this.root, before);
    this.#isOnItsWay = false;
  }

  /** @param isStop whether the Tab key comes to it and its buttons. */
  showStop(isStop: boolean): void {
    const tabindex = isStop ? '0' : '-1';
    if (this.root.getAttribute('tabindex') === tabindex) return;
    for (const each of [this.root, ...this.root.querySelectorAll('.tool')]) each.setAttribute('tabindex', tabindex);
  }

  /** @param names of those who have it in hand just now. */
  showHolders(names: readonly string[]): void {
    this.#held.hidden = names.length === 0;
    setText(this.#held, names.join(', '));
    this.root.toggleAttribute('data-held', names.length > 0);
    if (names.length > 0) this.root.style.setProperty('--hue', String(badgeOf(names[0]!).hue));
  }

  /** A field in the place of the text; Escape leaves it as it is. */
  edit(): void {
    if (this.root.querySelector('textarea') !== null) return;
    const task = this.#task;
    const field = element('textarea', {
      class: 'task-field',
      maxlength: String(TEXT_MAX),
      'aria-label': 'Text of the task',
      dir: 'auto',
      rows: '2',
    });
    field.value = task.text;
    let isOver = false;
    const end = (takes: boolean): void => {
      if (isOver) return;
      isOver = true;
      const text = field.value.trim();
      field.replaceWith(this.#text);
      this.root.draggable = true;
      this.root.focus();
      // Against what was read when the writing began: who changed it meanwhile is not overwritten.
      if (takes && text !== '' && text !== task.text) this.#wishes.edit(task, text);
    };
    field.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (event.key === 'Enter' && !event.shiftKey) {
        event.preventDefault();
        end(true);
      }
      if (event.key === 'Escape') end(false);
    });
    field.addEventListener('blur', () => this.#isOnItsWay || end(true));
    this.#text.replaceWith(field);
    this.root.draggable = false;
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }
}

function action(icon: keyof typeof ICONS, label: string, act: () => void): HTMLButtonElement {
  const button = element('button', { type: 'button', class: 'tool', 'aria-label': label, title: label });
  const picture = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  picture.setAttribute('viewBox', '0 0 24 24');
  picture.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[icon]);
  picture.append(path);
  button.append(picture);
  button.addEventListener('click', act);
  return button;
}
