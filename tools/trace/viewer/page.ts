// The page: draws what the store shows, at most once per frame, and turns clicks, keys and the address into what the person does.

import { LockstepError } from '../../../core/errors.ts';
import type { TraceModel, View } from '../model.ts';
import { since } from '../compare.ts';
import { chartView } from './chart-view.ts';
import { PeerColours } from './colours.ts';
import { type About, divergenceCards, stepCards } from './detail.ts';
import { h, part } from './dom.ts';
import { FilterBar } from './filter-bar.ts';
import { formatHash, parseHash } from './hash.ts';
import { Lanes } from './lanes.ts';
import { StepList } from './list.ts';
import { instanceText } from './text.ts';
import { type Reach, type Row, Store } from './store.ts';

/** Milliseconds that a complaint stays on the screen. */
const TOAST_MS = 6_000;
const NO_STEPS = 'No steps yet. They appear here as soon as a machine moves, on the server or in any tab.';
const NOTHING_PASSES = 'No step passes the filter.';
const SELECT_ONE = 'Select a step to see the machine as it was then.';
const AWAITED = 'The step that the address names is not here: it is yet to come, or older than what the peers keep.';

export class Page {
  readonly store: Store;
  readonly #model: TraceModel;
  readonly #colours = new PeerColours();
  readonly #list: StepList;
  readonly #lanes: Lanes;
  readonly #filter: FilterBar;
  #isScheduled = false;
  /** Of the step whose details are drawn. */
  #drawn = '';
  #toast: ReturnType<typeof setTimeout> | undefined;

  constructor(model: TraceModel) {
    this.#model = model;
    this.store = new Store(model, () => this.#schedule());
    this.#list = new StepList(this.store, this.#colours, part('list', HTMLElement), part('list-height', HTMLElement));
    this.#lanes = new Lanes(this.store, this.#colours, {
      box: part('lanes', HTMLElement),
      names: part('lane-names', HTMLElement),
      scroll: part('lane-scroll', HTMLElement),
      width: part('lane-width', HTMLElement),
      canvas: part('lane-canvas', HTMLCanvasElement),
    });
    this.#filter = new FilterBar(this.store);
    this.#listen();
    this.#readAddress();
    this.#draw();
  }

  status(text: string, isOn: boolean): void {
    const status = part('status', HTMLElement);
    status.textContent = text;
    status.classList.toggle('on', isOn);
    status.classList.toggle('off', !isOn);
  }

  complain(error: unknown): void {
    const toast = part('toast', HTMLElement);
    toast.textContent = error instanceof LockstepError ? `${error.code}: ${error.message}` : String(error);
    toast.hidden = false;
    clearTimeout(this.#toast);
    this.#toast = setTimeout(() => (toast.hidden = true), TOAST_MS);
  }

  // ── Drawing ────────────────────────────────────────────────────────────────────────────────────────────────────

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#draw();
    });
  }

  #draw(): void {
    const { rows, selected, isLive, newCount } = this.store;
    this.#filter.draw();
    this.#lanes.draw();
    this.#list.draw();
    part('live', HTMLButtonElement).setAttribute('aria-pressed', String(isLive));
    const news = part('news', HTMLButtonElement);
    news.hidden = newCount === 0;
    news.textContent = `${newCount} new ${newCount === 1 ? 'step' : 'steps'} ↓`;
    const empty = part('empty', HTMLElement);
    empty.hidden = rows.length > 0;
    empty.textContent = this.#model.timeline.length > 0 ? NOTHING_PASSES : NO_STEPS;
    this.#drawAddress();
    this.#drawButtons();
    part('compare', HTMLButtonElement).setAttribute('aria-pressed', String(this.store.hasBase));
    const drawn = `${selected?.id ?? this.store.awaited ?? ''} ${this.#completeness(selected)} ${this.store.base?.id ?? ''}`;
    if (drawn === this.#drawn) return;
    const isOther = selected?.id !== this.#drawn.split(' ', 1)[0];
    this.#drawn = drawn;
    this.#drawSelected(selected);
    if (!isOther) return;
    this.#list.reveal();
    this.#lanes.reveal();
  }

  /** What is looked at, for somebody else to look at. */
  #drawAddress(): void {
    const { selected, awaited, isLive, filter } = this.store;
    const hash = formatHash({ step: isLive ? undefined : (selected?.id ?? awaited), filter });
    if (hash !== location.hash) history.replaceState(null, '', `${location.pathname}${location.search}${hash}`);
  }

  /** What may be missing for the details and come later. */
  #completeness(selected: Row | undefined): string {
    return selected?.kind === 'step'
      ? `${this.#model.isDrawable(selected.entry)} ${this.#model.isRooted(selected.entry.record.step)} ${this.store.isLive}`
      : '';
  }

  #drawButtons(): void {
    const reaches: readonly (readonly [string, -1 | 1, Reach])[] = [
      ['previous', -1, 'all'],
      ['next', 1, 'all'],
      ['previous-own', -1, 'instance'],
      ['next-own', 1, 'instance'],
    ];
    for (const [id, direction, reach] of reaches)
      part(id, HTMLButtonElement).disabled = this.store.neighbour(direction, reach) === undefined;
    part('compare', HTMLButtonElement).disabled = !this.store.hasBase && this.store.selected?.kind !== 'step';
    part('first', HTMLButtonElement).disabled = this.store.position <= 0;
    part('last', HTMLButtonElement).disabled = this.store.rows.length === 0 || this.store.position === this.store.rows.length - 1;
  }

  #drawSelected(selected: Row | undefined): void {
    const chart = part('chart', HTMLElement);
    const detail = part('detail', HTMLElement);
    const select = (id: string): void => this.store.select(id);
    if (selected === undefined) {
      chart.replaceChildren(h('p.hint', {}, this.store.awaited === undefined ? SELECT_ONE : AWAITED));
      detail.replaceChildren();
    } else if (selected.kind === 'divergence') {
      chart.replaceChildren(h('p.hint', {}, `The mirror of ${instanceText(this.#model, selected.record.instance)} went another way here.`));
      detail.replaceChildren(...divergenceCards(this.#model, selected.record));
    } else {
      const about = this.#examine(selected);
      chart.replaceChildren(
        ...(about.view === undefined ? [h('p.hint', {}, about.problem)] : chartView(this.#model, { ...about, view: about.view })),
      );
      detail.replaceChildren(...stepCards(this.#model, selected.entry, about, select));
    }
  }

  #examine({ entry }: Extract<Row, { kind: 'step' }>): About {
    const { base } = this.store;
    let view: View | undefined;
    try {
      const own = this.#model.view(entry);
      view = base === undefined ? own : since(this.#model.view(base), own);
      return { view, base, microsteps: this.#model.explain(entry), problem: '' };
    } catch (error) {
      if (error instanceof LockstepError) return { view, base, microsteps: [], problem: error.message };
      throw error;
    }
  }

  // ── Doing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #listen(): void {
    const { store } = this;
    const click = (id: string, act: () => void): void => part(id, HTMLElement).addEventListener('click', act);
    click('first', () => store.first());
    click('last', () => store.last());
    click('previous', () => store.step(-1, 'all'));
    click('next', () => store.step(1, 'all'));
    click('previous-own', () => store.step(-1, 'instance'));
    click('next-own', () => store.step(1, 'instance'));
    click('live', () => store.setLive(!store.isLive));
    click('compare', () => store.compare(!store.hasBase));
    click('news', () => store.setLive(true));
    click('clear', () => {
      this.#model.clear();
      store.touch();
    });
    click('export', () => this.#export());
    click('import', () => part('file', HTMLInputElement).click());
    click('more', () => {
      const isOpen = document.body.classList.toggle('more-open');
      part('more', HTMLElement).setAttribute('aria-expanded', String(isOpen));
    });
    click('theme', () => this.#switchTheme());
    part('file', HTMLInputElement).addEventListener('change', () => void this.#import());
    for (const tab of document.querySelectorAll<HTMLButtonElement>('.tabs button'))
      tab.addEventListener('click', () => this.#showPanel(tab.dataset['panel'] ?? 'steps'));
    document.addEventListener('keydown', (event) => this.#key(event));
    addEventListener('hashchange', ({ newURL }) => this.#readAddress(newURL));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#schedule());
  }

  #key(event: KeyboardEvent): void {
    const target = event.target as Element;
    if (target.matches('input:not([type=checkbox]), select')) {
      if (event.key === 'Escape') (target as HTMLElement).blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = this.#keys(event.shiftKey ? 'instance' : 'all')[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  #keys(reach: Reach): { readonly [key: string]: (() => void) | undefined } {
    const { store } = this;
    const back = (): void => store.step(-1, reach);
    const on = (): void => store.step(1, reach);
    return {
      ArrowLeft: back,
      ArrowUp: back,
      ArrowRight: on,
      ArrowDown: on,
      Home: () => store.first(),
      End: () => store.last(),
      c: () => store.compare(!store.hasBase),
      l: () => store.setLive(!store.isLive),
      '/': () => part('filter-text', HTMLInputElement).focus(),
    };
  }

  #showPanel(panel: string): void {
    part('panels', HTMLElement).dataset['shown'] = panel;
    for (const tab of document.querySelectorAll<HTMLButtonElement>('.tabs button'))
      tab.setAttribute('aria-pressed', String(tab.dataset['panel'] === panel));
    this.#schedule();
  }

  /** @param address as somebody made it: by now a picture may have told its own there. */
  #readAddress(address = location.href): void {
    const { step, filter } = parseHash(new URL(address).hash);
    this.store.setFilter(filter);
    this.#filter.show(filter);
    if (step !== undefined) this.store.select(step);
  }

  #switchTheme(): void {
    const root = document.documentElement;
    const isDark =
      root.dataset['theme'] === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : root.dataset['theme'] === 'dark';
    root.dataset['theme'] = isDark ? 'light' : 'dark';
    this.#schedule();
  }

  #export(): void {
    const url = URL.createObjectURL(new Blob([this.#model.export()], { type: 'application/x-ndjson' }));
    h('a', { href: url, download: 'trace.jsonl' }).click();
    setTimeout(() => URL.revokeObjectURL(url), 0);
  }

  async #import(): Promise<void> {
    const input = part('file', HTMLInputElement);
    const file = input.files?.[0];
    if (file === undefined) return;
    try {
      this.#model.import(await file.text());
      this.store.touch();
    } catch (error) {
      this.complain(error);
    } finally {
      input.value = '';
    }
  }
}
