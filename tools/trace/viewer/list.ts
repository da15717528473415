// The list of steps. Only the rows in sight are in the page, whatever the length: rows have one height, and a spacer keeps the scrollbar true.

import type { PeerColours } from './colours.ts';
import { h } from './dom.ts';
import type { Row, Store } from './store.ts';
import { causeText } from '../names.ts';
import { clockTime, instanceText, movementOf, originText } from './text.ts';

const ROW_HEIGHT = 48;
/** Rows kept above and below what is in sight, so that scrolling does not show the edge. */
const MARGIN = 6;
/** Tallest element that browsers lay out exactly; beyond it the rows could not be told apart anyway. */
const HEIGHT_MAX = 8_000_000;

export class StepList {
  readonly #store: Store;
  readonly #colours: PeerColours;
  readonly #box: HTMLElement;
  readonly #height: HTMLElement;
  readonly #shown = new Map<string, HTMLElement>();
  #revision = '';

  constructor(store: Store, colours: PeerColours, box: HTMLElement, height: HTMLElement) {
    this.#store = store;
    this.#colours = colours;
    this.#box = box;
    this.#height = height;
    box.addEventListener('scroll', () => this.#place(), { passive: true });
    box.addEventListener('click', (event) => {
      const id = (event.target as Element).closest<HTMLElement>('.row')?.dataset['id'];
      if (id !== undefined) store.select(id);
    });
    new ResizeObserver(() => this.#place()).observe(box);
  }

  draw(): void {
    const { rows, selected } = this.#store;
    this.#height.style.height = `${Math.min(HEIGHT_MAX, rows.length * ROW_HEIGHT)}px`;
    const revision = `${this.#store.model.version} ${selected?.id ?? ''}`;
    if (revision !== this.#revision) this.#forget();
    this.#revision = revision;
    this.#place();
    if (selected === undefined) this.#box.removeAttribute('aria-activedescendant');
    else this.#box.setAttribute('aria-activedescendant', rowId(selected));
  }

  /** Brings the selected row into sight with one on either side of it, moving no more than needed. */
  reveal(): void {
    const { position } = this.#store;
    if (position < 0) return;
    const [top, end] = [(position - 1) * ROW_HEIGHT, (position + 2) * ROW_HEIGHT];
    const { scrollTop, clientHeight } = this.#box;
    if (top < scrollTop) this.#box.scrollTop = top;
    else if (end > scrollTop + clientHeight) this.#box.scrollTop = end - clientHeight;
    this.#place();
  }

  #forget(): void {
    for (const element of this.#shown.values()) element.remove();
    this.#shown.clear();
  }

  #place(): void {
    const { rows } = this.#store;
    const from = Math.max(0, Math.floor(this.#box.scrollTop / ROW_HEIGHT) - MARGIN);
    const to = Math.min(rows.length, Math.ceil((this.#box.scrollTop + this.#box.clientHeight) / ROW_HEIGHT) + MARGIN);
    const wanted = new Set<string>();
    for (let i = from; i < to; i++) wanted.add(rows[i]!.id);
    for (const [id, element] of this.#shown) {
      if (wanted.has(id)) continue;
      element.remove();
      this.#shown.delete(id);
    }
    for (let i = from; i < to; i++) {
      const row = rows[i]!;
      let element = this.#shown.get(row.id);
      if (element === undefined) {
        element = this.#row(row, i);
        this.#shown.set(row.id, element);
        this.#height.append(element);
      }
      element.style.top = `${i * ROW_HEIGHT}px`;
    }
  }

  #row(row: Row, position: number): HTMLElement {
    const isSelected = this.#store.selected?.id === row.id;
    const frame = {
      id: rowId(row),
      'data-id': row.id,
      role: 'option',
      'aria-selected': String(isSelected),
      'aria-posinset': position + 1,
      'aria-setsize': this.#store.rows.length,
    };
    if (row.kind === 'divergence') {
      const { instance, seq, peer } = row.record;
      const top = h(
        'div.top',
        {},
        h('span.event', {}, 'Divergence'),
        h('span.where', {}, `${instanceText(this.#store.model, instance)} #${seq}`),
      );
      return h(
        'div.row.divergence',
        frame,
        top,
        h('div.bottom', {}, `the mirror at ${this.#store.model.peerName(peer)} had another digest`),
      );
    }
    return this.#stepRow(row, frame);
  }

  #stepRow({ entry }: Extract<Row, { kind: 'step' }>, frame: { readonly [name: string]: string | number }): HTMLElement {
    const { model } = this.#store;
    const { peer, step } = entry.record;
    const { left, entered, context } = movementOf(model, entry) ?? { left: '', entered: '', context: '' };
    const became = entered === '' ? (step.status ?? '') : entered;
    const moved =
      left === '' && became === ''
        ? undefined
        : h('span.moved', {}, left === '' ? '' : `${left} `, '→ ', became !== '' && h('b', {}, became));
    const quiet = step.ignored === true ? 'ignored' : context === '' ? '' : `changes ${context}`;
    const element = h(
      'div.row',
      frame,
      h(
        'div.top',
        {},
        h('span.event', { title: step.cause.event.type }, causeText(step.cause.event)),
        h('span.where', { title: step.instance }, `${instanceText(model, step.instance)} #${step.seq}`),
      ),
      h(
        'div.bottom',
        {},
        h('span', {}, clockTime(step.at)),
        moved ?? h('span.moved', {}, quiet),
        h('span.from', {}, originText(model, model.origin(entry))),
      ),
    );
    element.style.borderLeftColor = this.#colours.of(peer);
    element.classList.toggle('ignored', step.ignored === true);
    return element;
  }
}

function rowId(row: Row): string {
  return `row-${row.id.replaceAll(/[^\w@#!-]/g, '_')}`;
}
