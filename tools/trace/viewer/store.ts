// What the person looks at: which step is selected, what is filtered out, whether the newest step is followed. Knows the model and no DOM;
// whoever draws is told when something changed and asks.

import type { DivergenceRecord } from '../../../peer/wire.ts';
import type { Entry } from '../entry.ts';
import { matches, type Filter } from '../filter.ts';
import type { TraceModel } from '../model.ts';

/** One line of the list. */
export type Row =
  | { readonly kind: 'step'; readonly id: string; readonly entry: Entry }
  | { readonly kind: 'divergence'; readonly id: string; readonly record: DivergenceRecord };

/** How far a step goes: over all rows that pass the filter, or within the instance of the selected one. */
export type Reach = 'all' | 'instance';

export class Store {
  readonly model: TraceModel;
  readonly #changed: () => void;
  #filter: Filter = {};
  #selected: string | undefined;
  /** A step from a link that has not come yet. */
  #awaited: string | undefined;
  #isLive = true;
  /** What later steps of its instance are compared with. */
  #base: Entry | undefined;
  #rows: readonly Row[] = [];
  #positions = new Map<string, number>();
  #rowsVersion = -1;
  #passes = new WeakMap<Entry['record'], boolean>();
  #seenCount = 0;

  /** @param changed called after every change, at once; draw later and once. */
  constructor(model: TraceModel, changed: () => void) {
    this.model = model;
    this.#changed = changed;
  }

  // ── What is shown ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Steps that pass the filter, in order, each divergence behind the step that showed it. */
  get rows(): readonly Row[] {
    if (this.#rowsVersion !== this.model.version) this.#refresh();
    return this.#rows;
  }

  get filter(): Filter {
    return this.#filter;
  }

  /** The step that a link named, while it is not here. */
  get awaited(): string | undefined {
    return this.#awaited;
  }

  get isLive(): boolean {
    return this.#isLive;
  }

  /** The step that the selected one is compared with: an earlier one of its instance, chosen by the person. */
  get base(): Entry | undefined {
    const { selected } = this;
    if (this.#base === undefined || selected?.kind !== 'step') return undefined;
    const [from, to] = [this.#base.record, selected.entry.record];
    return from.step.instance === to.step.instance && from.step.seq < to.step.seq ? this.#base : undefined;
  }

  get hasBase(): boolean {
    return this.#base !== undefined;
  }

  /** Rows that came since the tail was let go. */
  get newCount(): number {
    return this.#isLive ? 0 : Math.max(0, this.rows.length - this.#seenCount);
  }

  get selected(): Row | undefined {
    const { rows } = this;
    return this.#selected === undefined ? undefined : rows[this.#positions.get(this.#selected) ?? -1];
  }

  /** Position of the selected row, -1 when there is none. */
  get position(): number {
    const { rows } = this;
    return rows.length === 0 || this.#selected === undefined ? -1 : (this.#positions.get(this.#selected) ?? -1);
  }

  positionOf(id: string): number {
    return this.rows.length === 0 ? -1 : (this.#positions.get(id) ?? -1);
  }

  // ── What the person does ───────────────────────────────────────────────────────────────────────────────────────

  /** Selects a row; the tail is let go unless it is the last one. A filter that hides the step is dropped. */
  select(id: string): void {
    if (this.positionOf(id) < 0) {
      if (this.model.find(id) === undefined) {
        this.#awaited = id;
        this.#selected = undefined;
        this.#letGo();
        this.#changed();
        return;
      }
      this.setFilter({});
    }
    this.#awaited = undefined;
    this.#selected = id;
    if (this.positionOf(id) < this.rows.length - 1) this.#letGo();
    this.#changed();
  }

  /** Selects the next or previous row, as far as there is one. */
  step(direction: -1 | 1, reach: Reach): void {
    const target = this.neighbour(direction, reach);
    if (target !== undefined) this.select(target.id);
  }

  neighbour(direction: -1 | 1, reach: Reach): Row | undefined {
    const { rows, position, selected } = this;
    if (selected === undefined) return direction < 0 ? rows.at(-1) : rows[0];
    for (let i = position + direction; i >= 0 && i < rows.length; i += direction) {
      if (reach === 'all' || instanceOf(rows[i]!) === instanceOf(selected)) return rows[i];
    }
    return undefined;
  }

  first(): void {
    const row = this.rows[0];
    if (row !== undefined) this.select(row.id);
  }

  last(): void {
    const row = this.rows.at(-1);
    if (row !== undefined) this.select(row.id);
  }

  setFilter(filter: Filter): void {
    this.#filter = filter;
    this.#passes = new WeakMap();
    this.#rowsVersion = -1;
    this.#changed();
  }

  /** Follows the newest step, or stays where it is. */
  setLive(isLive: boolean): void {
    if (isLive) {
      this.#isLive = true;
      this.#awaited = undefined;
      this.#follow();
    } else {
      this.#letGo();
    }
    this.#changed();
  }

  /** Compares what is selected from now on with what is selected now; or with nothing but what was right before it. */
  compare(isOn: boolean): void {
    const { selected } = this;
    this.#base = isOn && selected?.kind === 'step' ? selected.entry : undefined;
    this.#changed();
  }

  /** Something came in. */
  touch(): void {
    if (this.#awaited !== undefined && this.model.find(this.#awaited) !== undefined) this.select(this.#awaited);
    this.#follow();
    this.#changed();
  }

  #letGo(): void {
    if (!this.#isLive) return;
    this.#isLive = false;
    this.#seenCount = this.rows.length;
  }

  #follow(): void {
    if (this.#isLive) this.#selected = this.rows.at(-1)?.id ?? this.#selected;
  }

  #refresh(): void {
    const { timeline, divergences } = this.model;
    this.#rowsVersion = this.model.version;
    const rows: Row[] = [];
    for (const entry of timeline) if (this.#isPassing(entry)) rows.push({ kind: 'step', id: entry.id, entry });
    for (const record of divergences) if (passesDivergence(record, this.#filter)) placeDivergence(rows, record);
    this.#rows = rows;
    this.#positions = new Map(rows.map(({ id }, position) => [id, position]));
  }

  #isPassing(entry: Entry): boolean {
    const known = this.#passes.get(entry.record);
    if (known !== undefined) return known;
    const passes = matches(entry, this.#filter);
    this.#passes.set(entry.record, passes);
    return passes;
  }
}

export function instanceOf(row: Row): string {
  return row.kind === 'step' ? row.entry.record.step.instance : row.record.instance;
}

function passesDivergence(record: DivergenceRecord, filter: Filter): boolean {
  if (filter.instance !== undefined && filter.instance !== '' && record.instance !== filter.instance) return false;
  return filter.event === undefined || filter.event === '';
}

function placeDivergence(rows: Row[], record: DivergenceRecord): void {
  const row: Row = { kind: 'divergence', id: `${record.instance}!${record.seq}!${record.peer}`, record };
  const after = rows.findLastIndex(
    (each) => each.kind === 'step' && each.entry.record.step.instance === record.instance && each.entry.record.step.seq <= record.seq,
  );
  rows.splice(after < 0 ? rows.length : after + 1, 0, row);
}
