// Draws a board as columns of cards, and turns what a person does with them (keys, buttons, dragging, typing) into what they want. A card
// stays the same element wherever it goes, so that it keeps the focus, and glides.

import { element, setText } from '../kit/dom.ts';
import { type BoardContext, type Column, COLUMNS, type Task, TEXT_MAX } from './board.machine.ts';
import { badgeOf } from './person.ts';

export const COLUMN_NAMES: Readonly<Record<Column, string>> = { todo: 'To do', doing: 'Doing', done: 'Done' };

/** What a person wants. */
export interface Wishes {
  /** @returns whether it was taken. */
  add(text: string, column: Column): boolean;
  move(task: Task, to: Column, before: string | null): void;
  edit(task: Task, text: string): void;
  remove(task: Task): void;
  /** Which task is in hand now, if any. */
  hold(task: string | null): void;
}

const GLIDE_MS = 180;
const ICONS = {
  left: 'M14 6l-6 6 6 6',
  right: 'M10 6l6 6-6 6',
  edit: 'M5 19h3.5L19 8.5 15.5 5 5 15.5zM13.5 7l3.5 3.5',
  remove: 'M6 7h12M10 7V5h4v2M8 7l.7 12h6.6L16 7',
} as const;

export class Columns {
  readonly #wishes: Wishes;
  readonly #lists = new Map<Column, HTMLElement>();
  readonly #counts = new Map<Column, HTMLElement>();
  readonly #cards = new Map<string, Card>();
  #tasks: readonly Task[] = [];
  #drop: HTMLElement | undefined;
  #holders: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(host: HTMLElement, wishes: Wishes) {
    this.#wishes = wishes;
    host.replaceChildren(...COLUMNS.map((column) => this.#column(column)));
    host.addEventListener('keydown', (event) => this.#key(event));
    host.addEventListener('focusin', ({ target }) => wishes.hold(taskOf(target)));
    host.addEventListener('focusout', ({ relatedTarget }) => wishes.hold(taskOf(relatedTarget)));
    host.addEventListener('dragstart', ({ target }) => wishes.hold(taskOf(target)));
    host.addEventListener('dragend', () => {
      this.#hideDrop();
      wishes.hold(taskOf(document.activeElement));
    });
  }

  /** @param waiting tasks of which the authority has not confirmed something yet. */
  show({ tasks }: BoardContext, waiting: ReadonlySet<string>): void {
    const before = placesOf(this.#cards.values());
    const focused = document.activeElement;
    this.#tasks = tasks;
    for (const [id, card] of this.#cards) {
      if (tasks.some((task) => task.id === id)) continue;
      if (card.root.contains(focused)) this.#neighbour(card.root)?.focus();
      card.root.remove();
      this.#cards.delete(id);
    }
    for (const column of COLUMNS) this.#fill(column, waiting);
    if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected) {
      focused.focus();
      // A button that is out of use where the card is now: the card itself.
      if (focused !== document.activeElement) focus(focused.closest('.task'));
    }
    glide(before);
  }

  /** @param holders who else has a task in hand, by task. */
  showHolders(holders: ReadonlyMap<string, readonly string[]>): void {
    this.#holders = holders;
    for (const [id, card] of this.#cards) card.showHolders(holders.get(id) ?? []);
  }

  #fill(column: Column, waiting: ReadonlySet<string>): void {
    const list = this.#lists.get(column)!;
    const tasks = this.#tasks.filter((task) => task.column === column);
    setText(this.#counts.get(column)!, String(tasks.length));
    list.toggleAttribute('data-empty', tasks.length === 0);
    let next = list.firstElementChild;
    for (const task of tasks) {
      const card = this.#card(task);
      card.show(task, waiting.has(task.id));
      if (card.root === next) next = next.nextElementSibling;
      else card.place(list, next);
    }
  }

  #card(task: Task): Card {
    let card = this.#cards.get(task.id);
    if (card === undefined) {
      card = new Card(task, { ...this.#wishes, step: (each, by) => this.#step(each, by) });
      card.showHolders(this.#holders.get(task.id) ?? []);
      this.#cards.set(task.id, card);
    }
    return card;
  }

  #column(column: Column): HTMLElement {
    const name = COLUMN_NAMES[column];
    const list = element('ul', { class: 'tasks', 'aria-label': name });
    const count = element('span', { class: 'count' }, '0');
    const field = element('input', {
      class: 'new-task',
      placeholder: 'Add a task',
      dir: 'auto',
      maxlength: String(TEXT_MAX),
      'aria-label': `Add a task to ${name}`,
    });
    const form = element(
      'form',
      { class: 'adder' },
      field,
      element('button', { type: 'submit', class: 'button quiet', 'aria-label': `Add to ${name}` }, '+'),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (text === '' || this.#wishes.add(text, column)) field.value = '';
    });
    const section = element(
      'section',
      { class: 'column', 'data-column': column },
      element('header', {}, element('h2', {}, name), count),
      list,
      form,
    );
    section.addEventListener('dragover', (event) => {
      event.preventDefault();
      this.#showDrop(column, event.clientY);
    });
    section.addEventListener('dragleave', ({ relatedTarget }) => section.contains(relatedTarget as Node | null) || this.#hideDrop());
    section.addEventListener('drop', (event) => {
      event.preventDefault();
      this.#hideDrop();
      const task = this.#tasks.find(({ id }) => id === event.dataTransfer?.getData('text/plain'));
      if (task !== undefined) this.#wishes.move(task, column, this.#under(column, event.clientY, task.id));
    });
    this.#lists.set(column, list);
    this.#counts.set(column, count);
    return section;
  }

  /** A line where what is dragged would go. */
  #showDrop(column: Column, y: number): void {
    const before = this.#under(column, y);
    const target = before === null ? this.#lists.get(column)! : this.#cards.get(before)!.root;
    if (target === this.#drop) return;
    this.#hideDrop();
    target.toggleAttribute('data-drop', true);
    this.#drop = target;
  }

  #hideDrop(): void {
    this.#drop?.removeAttribute('data-drop');
    this.#drop = undefined;
  }

  /** The task in front of which something that is let go of here belongs. */
  #under(column: Column, y: number, except?: string): string | null {
    const below = this.#tasks
      .filter((task) => task.column === column && task.id !== except)
      .find(({ id }) => {
        const { top, height } = this.#cards.get(id)!.root.getBoundingClientRect();
        return y < top + height / 2;
      });
    return below?.id ?? null;
  }

  // ── Keys ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #key(event: KeyboardEvent): void {
    const root = event.target instanceof HTMLElement && event.target.classList.contains('task') ? event.target : undefined;
    const task = this.#tasks.find(({ id }) => id === root?.dataset['task']);
    if (root === undefined || task === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const handled = event.shiftKey ? this.#moveByKey(event.key, task) : this.#plainKey(event.key, task, root);
    if (handled) event.preventDefault();
  }

  #plainKey(key: string, task: Task, root: HTMLElement): boolean {
    if (key === 'Enter' || key === 'F2') this.#cards.get(task.id)!.edit();
    else if (key === 'Delete') this.#wishes.remove(task);
    else if (key === 'ArrowUp') focus(root.previousElementSibling);
    else if (key === 'ArrowDown') focus(root.nextElementSibling);
    else if (key === 'ArrowLeft' || key === 'ArrowRight') this.#across(task, key === 'ArrowLeft' ? -1 : 1);
    else return false;
    return true;
  }

  #moveByKey(key: string, task: Task): boolean {
    const within = this.#tasks.filter(({ column }) => column === task.column);
    const place = within.indexOf(task);
    if (key === 'ArrowLeft') this.#step(task, -1);
    else if (key === 'ArrowRight') this.#step(task, 1);
    else if (key === 'ArrowUp' && place > 0) this.#wishes.move(task, task.column, within[place - 1]!.id);
    else if (key === 'ArrowDown' && place < within.length - 1) this.#wishes.move(task, task.column, within[place + 2]?.id ?? null);
    else return key.startsWith('Arrow');
    return true;
  }

  #step(task: Task, by: -1 | 1): void {
    const to = COLUMNS[COLUMNS.indexOf(task.column) + by];
    if (to !== undefined) this.#wishes.move(task, to, null);
  }

  #across(task: Task, by: -1 | 1): void {
    const column = COLUMNS[COLUMNS.indexOf(task.column) + by];
    if (column === undefined) return;
    const list = this.#lists.get(column)!;
    const place = this.#tasks.filter((each) => each.column === task.column).indexOf(task);
    focus(list.children[Math.min(place, list.children.length - 1)] ?? list.parentElement?.querySelector('input'));
  }

  #neighbour(root: HTMLElement): HTMLElement | null {
    return (root.nextElementSibling ??
      root.previousElementSibling ??
      root.closest('.column')?.querySelector('input')) as HTMLElement | null;
  }
}

interface CardWishes extends Wishes {
  step(task: Task, by: -1 | 1): void;
}

class Card {
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
      { class: 'task', 'data-task': task.id, tabindex: '0', draggable: 'true' },
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
    setText(this.#by, isWaiting ? `${task.by} · not sent yet` : task.by);
    this.#badge.style.setProperty('--hue', String(hue));
    this.root.toggleAttribute('data-waiting', isWaiting);
    this.#left.disabled = task.column === COLUMNS[0];
    this.#right.disabled = task.column === COLUMNS.at(-1);
    this.root.setAttribute('aria-label', `${task.text}, ${COLUMN_NAMES[task.column]}, last changed by ${task.by}`);
  }

  /** Whoever writes in it goes on writing: a browser takes the focus away for the moment, which is no end of it. */
  place(list: HTMLElement, before: Element | null): void {
    this.#isOnItsWay = true;
    list.insertBefore(this.root, before);
    this.#isOnItsWay = false;
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

function taskOf(target: EventTarget | null): string | null {
  const card = target instanceof Element ? target.closest<HTMLElement>('.task') : null;
  return card?.dataset['task'] ?? null;
}

function focus(target: Element | null | undefined): void {
  if (target instanceof HTMLElement) target.focus();
}

/** Where cards are, for those who like to see things move. */
function placesOf(cards: Iterable<Card>): ReadonlyMap<HTMLElement, DOMRect> {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return new Map();
  return new Map([...cards].map(({ root }) => [root, root.getBoundingClientRect()]));
}

/**
 * From where they were to where they are, those that are in sight. All are measured before the first one moves: a card that is measured
 * behind one that moves makes the browser lay the page out again.
 */
function glide(before: ReadonlyMap<HTMLElement, DOMRect>): void {
  const moves = [...before].flatMap(([root, from]) => {
    const to = root.getBoundingClientRect();
    const [x, y] = [from.left - to.left, from.top - to.top];
    return root.isConnected && (x !== 0 || y !== 0) && (isInSight(from) || isInSight(to)) ? [{ root, x, y }] : [];
  });
  for (const { root, x, y } of moves)
    root.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: 'none' }], { duration: GLIDE_MS, easing: 'ease-out' });
}

function isInSight({ top, bottom }: DOMRect): boolean {
  return bottom > 0 && top < innerHeight;
}
