// The filter's fields: their choices follow what is in the trace, their values follow the store.

import type { Filter } from '../filter.ts';
import { eventText } from '../names.ts';
import { h, part } from './dom.ts';
import type { Store } from './store.ts';
import { instanceText } from './text.ts';

/** Choices of one list; more than anyone scrolls through, and the text field finds the rest. */
const CHOICES_MAX = 300;

export class FilterBar {
  readonly #store: Store;
  #version = -1;

  constructor(store: Store) {
    this.#store = store;
    const form = part('filter', HTMLFormElement);
    form.addEventListener('input', () => store.setFilter(this.#read()));
    form.addEventListener('submit', (event) => event.preventDefault());
  }

  show(filter: Filter): void {
    this.#offer();
    part('filter-peer', HTMLSelectElement).value = choose('filter-peer', filter.peer ?? '');
    part('filter-instance', HTMLSelectElement).value = choose('filter-instance', filter.instance ?? '');
    part('filter-event', HTMLSelectElement).value = choose('filter-event', filter.event ?? '');
    part('filter-text', HTMLInputElement).value = filter.text ?? '';
    part('filter-ignored', HTMLInputElement).checked = filter.hideIgnored ?? false;
  }

  draw(): void {
    const { model, rows, filter, position } = this.#store;
    if (this.#version !== model.version) this.#offer();
    if (part('filter-text', HTMLInputElement).value !== (filter.text ?? '') || this.#read().instance !== (filter.instance ?? ''))
      this.show(filter);
    const total = model.timeline.length;
    const count = rows.filter(({ kind }) => kind === 'step').length;
    const shown = count === total ? `${total} ${total === 1 ? 'step' : 'steps'}` : `${count} of ${total}`;
    const divergences = rows.length === count ? '' : ` · ${rows.length - count} diverged`;
    part('count', HTMLOutputElement).value = `${position < 0 ? '' : `${position + 1} / `}${shown}${divergences}`;
  }

  #read(): Filter {
    return {
      peer: part('filter-peer', HTMLSelectElement).value,
      instance: part('filter-instance', HTMLSelectElement).value,
      event: part('filter-event', HTMLSelectElement).value,
      text: part('filter-text', HTMLInputElement).value,
      hideIgnored: part('filter-ignored', HTMLInputElement).checked,
    };
  }

  #offer(): void {
    const { model } = this.#store;
    this.#version = model.version;
    const peers = new Set<string>();
    const events = new Set<string>();
    for (const { record } of model.timeline) {
      peers.add(record.peer).add(record.step.cause.peer);
      events.add(record.step.cause.event.type);
    }
    fill(
      'filter-peer',
      [...peers].map((peer) => [peer, model.peerName(peer)] as const),
    );
    fill(
      'filter-instance',
      [...model.instances].sort().map((instance) => [instance, instanceText(model, instance)] as const),
    );
    fill(
      'filter-event',
      [...events].sort().map((event) => [event, eventText(event)] as const),
    );
  }
}

/** Sets the choices, keeping what is chosen. */
function fill(id: string, choices: readonly (readonly [value: string, text: string])[]): void {
  const select = part(id, HTMLSelectElement);
  const offered = JSON.stringify(choices);
  const counts = new Map<string, number>();
  for (const [, text] of choices) counts.set(text, (counts.get(text) ?? 0) + 1);
  if (select.dataset['offered'] === offered) return;
  select.dataset['offered'] = offered;
  const { value } = select;
  select.replaceChildren(
    h('option', { value: '' }, 'all'),
    // What has the same name as another also says what it is.
    ...choices
      .slice(0, CHOICES_MAX)
      .map(([each, text]) => h('option', { value: each }, counts.get(text) === 1 ? text : `${text} (${each})`)),
  );
  select.value = choose(id, value);
}

/** A choice that is not offered (yet) is added: a link may name what has not come. */
function choose(id: string, value: string): string {
  const select = part(id, HTMLSelectElement);
  if (value !== '' && ![...select.options].some((option) => option.value === value)) select.append(h('option', { value }, value));
  return value;
}
