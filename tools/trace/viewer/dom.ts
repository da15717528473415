// Building elements in one expression, and text that is never taken for HTML.

type Child = Node | string | false | undefined;
type Attributes = { readonly [name: string]: string | number | boolean | undefined | ((event: Event) => void) };

/**
 * An element. Attributes whose value is false or undefined are left out, true is the empty string, a function is a listener (`onclick`).
 * @param tag a name with classes: `button.step.lit`.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K | `${K}.${string}`,
  attributes: Attributes = {},
  ...children: readonly (Child | readonly Child[])[]
): HTMLElementTagNameMap[K] {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name as K);
  if (classes.length > 0) element.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? '' : String(value));
  }
  for (const child of children.flat()) if (child !== undefined && child !== false) element.append(child);
  return element;
}

/** An element of the page. It is our own page: what is missing is a bug of ours. */
export function part<T extends HTMLElement>(id: string, type: { new (): T }): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} with id ${id}`);
  return element;
}
