// Who sits here: a name that this browser remembers, asked for once.

import { byId, setText } from '../kit/dom.ts';
import { recall, remember } from '../kit/storage.ts';

const KEY = 'lockstep.board.name';
/** Whether anything can be remembered at all. */
const KEY_PROBE = 'lockstep.board.probe';
const NAME_MAX = 40;

/** The name that others see. */
export function myName(): string {
  return (recall(KEY) ?? 'Somebody').slice(0, NAME_MAX);
}

/**
 * Shows the name on its button, which asks for another one; asks at once when there is none. The page starts anew under a new name, so a
 * browser that remembers nothing is not asked.
 */
export function showName(): void {
  const button = byId<HTMLButtonElement>('name');
  const dialog = byId<HTMLDialogElement>('who');
  const field = byId<HTMLInputElement>('who-name');
  setText(button, myName());
  if (!remember(KEY_PROBE, '')) {
    button.disabled = true;
    button.title = 'This browser keeps no name for this page';
    return;
  }
  const ask = (): void => {
    field.value = recall(KEY) ?? '';
    dialog.showModal();
    field.select();
  };
  button.addEventListener('click', ask);
  dialog.addEventListener('submit', () => {
    const name = field.value.trim().slice(0, NAME_MAX);
    if (name === recall(KEY)) return;
    remember(KEY, name);
    location.reload();
  });
  if (recall(KEY) === null) ask();
}

/** Two letters and a colour that belong to a name, the same everywhere. */
export function badgeOf(name: string): { readonly initials: string; readonly hue: number } {
  const words = name.trim().split(/\s+/);
  // Whole characters: half of an emoji is none.
  const letters = words.length > 1 ? [[...words[0]!][0], [...words.at(-1)!][0]] : [...words[0]!].slice(0, 2);
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)!) % 360;
  return { initials: letters.join('').toUpperCase(), hue: hash };
}
