// Who sits here: a name that this browser remembers, asked for once.

import { byId, setText } from '../kit/dom.ts';

const KEY = 'lockstep.board.name';
const NAME_MAX = 40;

/** The name that others see. */
export function myName(): string {
  return (localStorage.getItem(KEY) ?? 'Somebody').slice(0, NAME_MAX);
}

/** Shows the name on its button, which asks for another one; asks at once when there is none. The page starts anew under a new name. */
export function showName(): void {
  const button = byId('name');
  const dialog = byId<HTMLDialogElement>('who');
  const field = byId<HTMLInputElement>('who-name');
  setText(button, myName());
  const ask = (): void => {
    field.value = localStorage.getItem(KEY) ?? '';
    dialog.showModal();
    field.select();
  };
  button.addEventListener('click', ask);
  dialog.addEventListener('close', () => {
    const name = field.value.trim().slice(0, NAME_MAX);
    if (name === '' || name === localStorage.getItem(KEY)) return;
    localStorage.setItem(KEY, name);
    location.reload();
  });
  if (localStorage.getItem(KEY) === null) ask();
}

/** Two letters and a colour that belong to a name, the same everywhere. */
export function badgeOf(name: string): { readonly initials: string; readonly hue: number } {
  const words = name.trim().split(/\s+/);
  const initials = words.length > 1 ? `${words[0]![0] ?? ''}${words.at(-1)![0] ?? ''}` : name.trim().slice(0, 2);
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)!) % 360;
  return { initials: initials.toUpperCase(), hue: hash };
}
