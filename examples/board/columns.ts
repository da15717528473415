// Draws a board as columns of cards, and turns what a person does with them (keys, dragging, typing) into what they want. A card stays the
// same element wherever it goes, so that it keeps the focus, and glides.

import { element, setText } from '../kit/dom.ts';
import { type BoardContext, type Column, COLUMN_NAMES, COLUMNS, type Task, TEXT_MAX } from './board.machine.ts';
import { Card } from './card.ts';

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

export class Columns {
  readonly #wishes: Wishes;
  readonly #lists = new Map<Column, HTMLElement>();
  readonly #counts = new Map<Column, HTMLElement>();
  readonly #cards = new Map<string, Card>();
  #tasks: readonly Task[] = [];
  #drop: HTMLElement | undefined;
  /** The card of each column that the Tab key comes to: the one that had the focus last. Arrows go to the others. */
  readonly #stops = new Map<Column, string>();
  #holders: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(host: HTMLElement, wishes: Wishes) {
    this.#wishes = wishes;
    host.replaceChildren(...COLUMNS.map((column) => this.#column(column)));
    host.addEventListener('keydown', (event) => this.#key(event));
    host.addEventListener('focusin', ({ target }) => {
      const id = taskOf(target);
      wishes.hold(id);
      if (id !== null) this.#stopAt(id);
    });
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
    this.#showStop(column, tasks);
  }

  #stopAt(id: string): void {
    const task = this.#tasks.find((each) => each.id === id);
    if (task === undefined) return;
    this.#stops.set(task.column, id);
    this.#showStop(
      task.column,
      this.#tasks.filter(({ column }) => column === task.column),
    );
  }

  #showStop(column: Column, tasks: readonly Task[]): void {
    const stop = (tasks.find(({ id }) => id === this.#stops.get(column)) ?? tasks[0])?.id;
    for (const { id } of tasks) this.#cards.get(id)!.showStop(id === stop);
  }

  #card(task: Task): Card {
    let card = this.#cards.get(task.id);
    if (card === undefined) {
      card = new Card(task, {
        edit: (each, text) => this.#wishes.edit(each, text),
        remove: (each) => this.#wishes.remove(each),
        step: (each, by) => this.#step(each, by),
      });
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
