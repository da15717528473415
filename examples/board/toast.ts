// One line over the foot of the page, for a while: what could not be done, or what was done and can be undone.

import { element } from '../kit/dom.ts';

/** Milliseconds that it stays. */
const STAY_MS = 8_000;

export interface Offer {
  readonly label: string;
  readonly act: () => void;
}

export class Toast {
  readonly #host: HTMLElement;
  #offer: Offer | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  complain(text: string): void {
    this.#show('bad', text, undefined);
  }

  offer(text: string, offer: Offer): void {
    this.#show('good', text, offer);
  }

  /** What was offered last, also when its line is gone. @returns whether there was something. */
  take(): boolean {
    const offer = this.#offer;
    if (offer === undefined) return false;
    this.#offer = undefined;
    this.#clear();
    offer.act();
    return true;
  }

  #show(kind: 'bad' | 'good', text: string, offer: Offer | undefined): void {
    this.#clear();
    this.#host.dataset['kind'] = kind;
    this.#host.append(element('span', {}, text));
    this.#timer = setTimeout(() => this.#clear(), STAY_MS);
    if (offer === undefined) return;
    this.#offer = offer;
    const button = element('button', { type: 'button', class: 'button quiet' }, offer.label);
    button.addEventListener('click', () => this.take());
    this.#host.append(button);
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#host.replaceChildren();
  }
}
