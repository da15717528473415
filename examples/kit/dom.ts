// The little that the pages need of the DOM. Text goes in as text, never as markup.

export type Attributes = Readonly<Record<string, string>>;

/** A new element with attributes and children; `class` and `data-…` are attributes like any other. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The element with this id. @throws when the page has none: page and script do not belong together. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`this page has no element #${id}`);
  return found as E;
}

/** Sets the text only when it differs, so that nothing is announced or selected anew for no reason. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}
