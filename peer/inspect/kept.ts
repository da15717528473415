// What foreign programs told lately, for those who look later. Introductions of actors outlive what the actors did: without them nothing
// can be drawn. Bounded by count and size; the oldest go first.

import type { Json } from '../../core/json.ts';
import { sizeOf } from '../shape.ts';
import { INSPECT_LIMITS, type InspectMessage, type InspectRecord } from './protocol.ts';

interface Kept {
  readonly record: InspectRecord<InspectMessage>;
  readonly size: number;
  /** In which order it came. */
  readonly order: number;
}
type Bounds = Pick<typeof INSPECT_LIMITS, 'keptMax' | 'keptSize'>;

export class KeptMessages {
  readonly #bounds: { readonly [K in keyof Bounds]: number };
  #introductions: Kept[] = [];
  #rest: Kept[] = [];
  #size = 0;
  #order = 0;

  constructor(bounds: { readonly [K in keyof Bounds]: number } = INSPECT_LIMITS) {
    this.#bounds = bounds;
  }

  add(record: InspectRecord<InspectMessage>): void {
    const size = sizeOf(record as unknown as Json, this.#bounds.keptSize);
    const list = record.message.type === '@xstate.actor' ? this.#introductions : this.#rest;
    list.push({ record, size, order: this.#order++ });
    this.#size += size;
    if (this.#introductions.length > this.#bounds.keptMax) this.#dropIntroduction();
    if (this.#rest.length >= this.#bounds.keptMax * 2) this.#dropRest(this.#rest.length - this.#bounds.keptMax);
    while (this.#size > this.#bounds.keptSize && this.#rest.length > 0) this.#dropRest(Math.ceil(this.#rest.length / 4));
    while (this.#size > this.#bounds.keptSize && this.#introductions.length > 0) this.#dropIntroduction();
  }

  /** The newest `count`, and who they are about; in the order in which they came. */
  newest(count: number): readonly InspectRecord<InspectMessage>[] {
    if (count === 0) return [];
    const kept = [...this.#introductions, ...this.#rest.slice(-Math.min(count, this.#bounds.keptMax))];
    return kept.sort((a, b) => a.order - b.order).map(({ record }) => record);
  }

  #dropRest(count: number): void {
    for (const { size } of this.#rest.slice(0, count)) this.#size -= size;
    this.#rest = this.#rest.slice(count);
  }

  #dropIntroduction(): void {
    this.#size -= this.#introductions.shift()?.size ?? 0;
  }
}
