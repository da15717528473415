// Shows what a mirror is worth right now: a coloured pill with a word in it.

import type { Standing } from '../../core/actor.ts';
import type { AnyMirror } from '../../peer/mirror.ts';
import { setText } from './dom.ts';

const TITLES: Readonly<Record<Standing, string>> = {
  confirmed: 'What you see is what the authority last said.',
  predicted: 'Your own events show already; the authority has not answered yet.',
  offline: 'The authority is out of reach. Your events are kept and sent when it is back.',
};

/** Keeps the pill up to date for as long as the mirror lives. */
export function showStanding(pill: HTMLElement, mirror: AnyMirror): void {
  const show = (): void => {
    pill.dataset['standing'] = mirror.standing;
    pill.title = TITLES[mirror.standing];
    setText(pill, mirror.standing);
  };
  mirror.onStanding(show);
  show();
}
