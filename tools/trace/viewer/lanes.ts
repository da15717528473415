// The timeline as lanes: a line per peer with the events that it sent, under it a line per instance that it is the authority of with its
// steps. Arrows: from the sender down to the step (a fact); dashed from the step whose effect probably sent it (a guess); dotted from the
// step that started a timer to the one that it caused. Actors of plain XState programs say who sent an event: a solid curve from that actor's
// step. Drawn on a canvas, only what is in sight.

import { type Entry, isCreation } from '../entry.ts';
import { themeColour, type PeerColours } from './colours.ts';
import { h } from './dom.ts';
import type { Store } from './store.ts';
import { actorText, clockTime, instanceText } from './text.ts';

const COLUMN = 26;
const LANE = 26;
const AXIS = 20;
const RADIUS = 5.5;
/** Lanes that are drawn; more do not fit any screen, and the filter picks others. */
const LANES_MAX = 120;
/** Columns between two times on the axis. */
const TIME_EVERY = 6;

interface Lane {
  readonly kind: 'peer' | 'instance';
  readonly name: string;
  readonly peer: string;
}

export interface LaneParts {
  readonly box: HTMLElement;
  readonly names: HTMLElement;
  readonly scroll: HTMLElement;
  readonly width: HTMLElement;
  readonly canvas: HTMLCanvasElement;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

export class Lanes {
  readonly #store: Store;
  readonly #colours: PeerColours;
  readonly #parts: LaneParts;
  #lanes: readonly Lane[] = [];
  #lines = new Map<string, number>();
  #signature = '';

  constructor(store: Store, colours: PeerColours, parts: LaneParts) {
    this.#store = store;
    this.#colours = colours;
    this.#parts = parts;
    parts.scroll.addEventListener('scroll', () => this.#paint(), { passive: true });
    parts.canvas.addEventListener('click', (event) => this.#click(event));
    parts.canvas.addEventListener('mousemove', (event) => (parts.canvas.title = this.#titleAt(event)));
    new ResizeObserver(() => this.#paint()).observe(parts.scroll);
  }

  draw(): void {
    this.#arrange();
    const { box, width, scroll } = this.#parts;
    const { rows, isLive } = this.#store;
    box.hidden = rows.length === 0;
    width.style.width = `${Math.max(scroll.clientWidth, rows.length * COLUMN + COLUMN)}px`;
    if (isLive) scroll.scrollLeft = scroll.scrollWidth;
    this.#paint();
  }

  /** Brings the selected step into sight, in the middle when it was out of it. */
  reveal(): void {
    const { scroll } = this.#parts;
    const { position } = this.#store;
    const x = position * COLUMN;
    if (position < 0 || (x > scroll.scrollLeft + COLUMN && x < scroll.scrollLeft + scroll.clientWidth - 2 * COLUMN)) return;
    scroll.scrollLeft = x - scroll.clientWidth / 2;
  }

  // ── Lanes ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #arrange(): void {
    const authorities = new Map<string, Set<string>>();
    const instancesOf = (peer: string): Set<string> => {
      let instances = authorities.get(peer);
      if (instances === undefined) authorities.set(peer, (instances = new Set()));
      return instances;
    };
    for (const row of this.#store.rows) {
      if (row.kind !== 'step') continue;
      const { peer, step } = row.entry.record;
      instancesOf(peer).add(step.instance);
      if (step.cause.n !== 0) instancesOf(step.cause.peer);
    }
    const lanes = [...authorities].flatMap(([peer, instances]): Lane[] => [
      { kind: 'peer', name: this.#store.model.peerName(peer), peer },
      ...[...instances].sort().map((name) => ({ kind: 'instance' as const, name, peer })),
    ]);
    this.#lanes = lanes.slice(0, LANES_MAX);
    this.#lines = new Map(this.#lanes.map((lane, line) => [lane.kind === 'peer' ? lane.peer : `/${lane.name}`, line]));
    this.#drawNames();
  }

  #drawNames(): void {
    const { selected } = this.#store;
    const chosen = selected?.kind === 'step' ? selected.entry.record.step.instance : undefined;
    const signature = JSON.stringify([this.#lanes.map((lane) => [lane, this.#shortName(lane)]), chosen]);
    if (signature === this.#signature) return;
    this.#signature = signature;
    this.#parts.names.replaceChildren(
      ...this.#lanes.map((lane) => {
        const mark = lane.kind === 'peer' ? h('i', { style: `background:${this.#colours.of(lane.peer)}` }) : undefined;
        const short = this.#shortName(lane);
        const element = h(
          'div.lane-name',
          { title: lane.kind === 'peer' ? `${lane.name} (${lane.peer})` : lane.name },
          mark,
          h('span', {}, short),
        );
        element.classList.add(lane.kind);
        element.classList.toggle('chosen', lane.kind === 'instance' && lane.name === chosen);
        return element;
      }),
    );
  }

  #shortName({ kind, name, peer }: Lane): string {
    const actor = kind === 'instance' ? this.#store.model.actor(name) : undefined;
    if (actor !== undefined) return actorText(actor);
    return kind === 'instance' && name.startsWith(`${peer}/`) ? name.slice(peer.length + 1) : name;
  }

  #line(key: string): number | undefined {
    const line = this.#lines.get(key);
    return line === undefined ? undefined : AXIS + line * LANE + LANE / 2;
  }

  // ── Drawing ────────────────────────────────────────────────────────────────────────────────────────────────────

  #paint(): void {
    const { canvas, scroll } = this.#parts;
    const width = scroll.clientWidth;
    const height = AXIS + this.#lanes.length * LANE + 6;
    const ratio = window.devicePixelRatio;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const pen = canvas.getContext('2d');
    if (pen === null || width === 0) return;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.translate(-scroll.scrollLeft, 0);
    const from = Math.max(0, Math.floor(scroll.scrollLeft / COLUMN) - 1);
    const to = Math.min(this.#store.rows.length, Math.ceil((scroll.scrollLeft + width) / COLUMN) + 1);
    this.#paintGround(pen, { from, to, left: scroll.scrollLeft, width, height });
    for (let column = from; column < to; column++) this.#paintArrows(pen, column);
    for (let column = from; column < to; column++) this.#paintStep(pen, column);
  }

  #paintGround(pen: CanvasRenderingContext2D, area: { from: number; to: number; left: number; width: number; height: number }): void {
    const { rows, position } = this.#store;
    pen.lineWidth = 1;
    this.#lanes.forEach((lane, line) => {
      const y = AXIS + line * LANE + LANE / 2;
      pen.strokeStyle = themeColour('--line');
      pen.setLineDash(lane.kind === 'peer' ? [2, 4] : []);
      pen.beginPath();
      pen.moveTo(area.left, y + 0.5);
      pen.lineTo(area.left + area.width, y + 0.5);
      pen.stroke();
    });
    pen.setLineDash([]);
    if (position >= 0) {
      pen.fillStyle = themeColour('--accent-soft');
      pen.fillRect(position * COLUMN + 2, AXIS, COLUMN - 4, area.height - AXIS - 4);
    }
    pen.font = '11px system-ui, sans-serif';
    pen.fillStyle = themeColour('--faint');
    for (let column = area.from - (area.from % TIME_EVERY); column < area.to; column += TIME_EVERY) {
      const row = rows[column];
      if (row?.kind === 'step') pen.fillText(clockTime(row.entry.record.step.at), column * COLUMN + 4, 14);
    }
  }

  #paintArrows(pen: CanvasRenderingContext2D, column: number): void {
    const row = this.#store.rows[column];
    if (row?.kind !== 'step') return;
    const target = this.#point(row.entry);
    if (target === undefined) return;
    const origin = this.#store.model.origin(row.entry);
    if (origin.kind === 'start' || origin.kind === 'inside') return;
    const step = origin.kind === 'program' ? undefined : origin.step;
    const source = step === undefined ? undefined : this.#point(step);
    if (origin.kind === 'actor') {
      if (source !== undefined) this.#sent(pen, source, target, this.#colours.of(row.entry.record.peer));
      return;
    }
    if (origin.kind === 'timer') {
      if (source !== undefined) this.#curve(pen, source, target, { colour: themeColour('--faint'), dash: [1, 3], bend: -LANE * 0.7 });
      return;
    }
    const senderY = this.#line(origin.peer);
    if (senderY === undefined) return;
    const colour = this.#colours.of(origin.peer);
    const sender = { x: target.x, y: senderY };
    if (source !== undefined) this.#curve(pen, source, sender, { colour, dash: [4, 3], bend: 0 });
    this.#arrow(pen, sender, target, colour);
    pen.fillStyle = colour;
    pen.beginPath();
    pen.moveTo(sender.x, sender.y - 4);
    pen.lineTo(sender.x + 4, sender.y);
    pen.lineTo(sender.x, sender.y + 4);
    pen.lineTo(sender.x - 4, sender.y);
    pen.fill();
  }

  /** From the step of one actor to that of another. */
  #sent(pen: CanvasRenderingContext2D, source: Point, target: Point, colour: string): void {
    const tip = target.x - RADIUS - 2;
    const isSame = source.y === target.y;
    this.#curve(pen, source, { x: tip - 4, y: target.y }, { colour, dash: [], bend: isSame ? -LANE * 0.7 : 0 });
    pen.fillStyle = colour;
    pen.beginPath();
    pen.moveTo(tip, target.y);
    pen.lineTo(tip - 5, target.y - 3.5);
    pen.lineTo(tip - 5, target.y + 3.5);
    pen.fill();
  }

  #curve(
    pen: CanvasRenderingContext2D,
    from: Point,
    to: Point,
    look: { readonly colour: string; readonly dash: number[]; readonly bend: number },
  ): void {
    pen.strokeStyle = look.colour;
    pen.setLineDash(look.dash);
    pen.lineWidth = 1.4;
    const middle = (from.x + to.x) / 2;
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.bezierCurveTo(middle, from.y + look.bend, middle, to.y + look.bend, to.x, to.y);
    pen.stroke();
    pen.setLineDash([]);
  }

  #arrow(pen: CanvasRenderingContext2D, from: Point, to: Point, colour: string): void {
    const down = to.y > from.y ? 1 : -1;
    const tip = to.y - down * (RADIUS + 2);
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = 1.6;
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x, tip - down * 4);
    pen.stroke();
    pen.beginPath();
    pen.moveTo(to.x, tip);
    pen.lineTo(to.x - 3.5, tip - down * 5);
    pen.lineTo(to.x + 3.5, tip - down * 5);
    pen.fill();
  }

  #paintStep(pen: CanvasRenderingContext2D, column: number): void {
    const { rows, selected } = this.#store;
    const row = rows[column];
    if (row === undefined) return;
    if (row.kind === 'divergence') {
      const y = this.#line(`/${row.record.instance}`) ?? AXIS;
      pen.strokeStyle = themeColour('--bad');
      pen.lineWidth = 2.5;
      pen.beginPath();
      for (const side of [-1, 1]) {
        pen.moveTo(centre(column) - 5, y - 5 * side);
        pen.lineTo(centre(column) + 5, y + 5 * side);
      }
      pen.stroke();
      return;
    }
    const point = this.#point(row.entry);
    if (point === undefined) return;
    const { peer, step } = row.entry.record;
    const isSelected = selected?.id === row.id;
    pen.beginPath();
    if (isCreation(row.entry)) pen.rect(point.x - RADIUS + 0.5, point.y - RADIUS + 0.5, RADIUS * 2 - 1, RADIUS * 2 - 1);
    else pen.arc(point.x, point.y, RADIUS, 0, Math.PI * 2);
    pen.fillStyle =
      step.ignored === true ? themeColour('--surface') : step.status === 'error' ? themeColour('--bad') : this.#colours.of(peer);
    pen.fill();
    pen.lineWidth = isSelected ? 3 : 1.5;
    pen.strokeStyle = isSelected ? themeColour('--text') : this.#colours.of(peer);
    pen.stroke();
    if (step.status !== 'done') return;
    pen.beginPath();
    pen.arc(point.x, point.y, RADIUS + 3, 0, Math.PI * 2);
    pen.lineWidth = 1.5;
    pen.stroke();
  }

  /** Where a step stands; undefined when the filter or the limit hides it. */
  #point(entry: Entry): Point | undefined {
    const column = this.#store.positionOf(entry.id);
    const y = this.#line(`/${entry.record.step.instance}`);
    return column < 0 || y === undefined ? undefined : { x: centre(column), y };
  }

  // ── Mouse ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #rowAt(event: MouseEvent): Store['rows'][number] | undefined {
    const { canvas, scroll } = this.#parts;
    return this.#store.rows[Math.floor((event.clientX - canvas.getBoundingClientRect().left + scroll.scrollLeft) / COLUMN)];
  }

  #click(event: MouseEvent): void {
    const row = this.#rowAt(event);
    if (row !== undefined) this.#store.select(row.id);
  }

  #titleAt(event: MouseEvent): string {
    const row = this.#rowAt(event);
    if (row === undefined) return '';
    if (row.kind === 'divergence') return `${instanceText(this.#store.model, row.record.instance)} #${row.record.seq} diverged`;
    const { step } = row.entry.record;
    return `${step.cause.event.type} → ${instanceText(this.#store.model, step.instance)} #${step.seq}\n${clockTime(step.at)}`;
  }
}

function centre(column: number): number {
  return column * COLUMN + COLUMN / 2;
}
