// Draws a machine as nested boxes and lights those that are active; each shows its clock, odd = active. The drawing comes from the machine
// that the mirror runs, so it fits any machine.

import type { AnyMirror } from '../../peer/mirror.ts';
import { element, setText } from './dom.ts';

/** Keeps the drawing up to date for as long as the mirror lives. */
export function showChart(host: HTMLElement, mirror: AnyMirror): void {
  const { machine } = mirror;
  const clocks = new Map<string, { readonly box: HTMLElement; readonly clock: HTMLElement }>();
  const draw = (state: number): HTMLElement => {
    const { id, key } = machine.symbols.states[state]!;
    const clock = element('span', { class: 'clock', title: 'clock: odd = active' });
    const box = element(
      'li',
      { class: 'state', 'data-state': id },
      element('div', { class: 'state-name' }, element('span', {}, key), clock),
    );
    const children = machine.children(state);
    if (children.length > 0) box.append(element('ul', { class: 'states' }, ...children.map(draw)));
    clocks.set(id, { box, clock });
    return box;
  };
  const show = (ticks: readonly number[]): void => {
    machine.symbols.states.forEach(({ id }, state) => {
      const { box, clock } = clocks.get(id)!;
      const tick = ticks[state]!;
      const isActive = tick % 2 === 1;
      box.toggleAttribute('data-active', isActive);
      if (isActive) box.setAttribute('aria-current', 'true');
      else box.removeAttribute('aria-current');
      setText(clock, String(tick));
    });
  };
  host.replaceChildren(element('ul', { class: 'states chart' }, draw(0)));
  // Clocks move also where the snapshot stays the same: in a state that begins anew.
  mirror.onMove({ confirmed: () => undefined, shown: show });
  show(mirror.clocks);
}
