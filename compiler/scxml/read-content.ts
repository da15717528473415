// Executable content (W3C SCXML, section 4): elements into trees that the interpreter runs. Scripts from elsewhere are fetched here, when
// the document is loaded, so that running never waits.

import type { Branch, Content, Send } from './document.ts';
import { attribute, badElement, payloadOf, placeOf, required, scxmlChildren, unsupportedElement, valueOf, word } from './elements.ts';
import { textOf, type XmlElement } from './xml.ts';

/** The text behind an address. Throws when there is none. */
export type Resources = (uri: string) => string;

/** All content inside an element, but for its children of the names given. @throws LockstepError BAD_DEFINITION, UNSUPPORTED. */
export function readContent(element: XmlElement, resources: Resources): Content[] {
  return scxmlChildren(element).map((child) => contentOf(child, resources));
}

export function contentOf(element: XmlElement, resources: Resources): Content {
  const place = placeOf(element);
  switch (element.name) {
    case 'raise':
      return { kind: 'raise', place, event: required(element, 'event') };
    case 'if':
      return { kind: 'if', place, branches: branches(element, resources) };
    case 'foreach':
      return {
        kind: 'foreach',
        place,
        array: required(element, 'array'),
        item: required(element, 'item'),
        index: attribute(element, 'index'),
        content: readContent(element, resources),
      };
    case 'log':
      return { kind: 'log', place, label: attribute(element, 'label') ?? '', expression: attribute(element, 'expr') };
    case 'assign': {
      const value = valueOf(element);
      if (value === undefined) throw badElement(element, 'it needs expr, or a value inside');
      return { kind: 'assign', place, location: required(element, 'location'), value };
    }
    case 'script':
      return { kind: 'script', place, source: scriptOf(element, resources) };
    case 'send':
      return send(element);
    case 'cancel': {
      const id = word(element, 'sendid');
      if (id === undefined) throw badElement(element, 'it needs sendid or sendidexpr');
      return { kind: 'cancel', place, id };
    }
    default:
      throw unsupportedElement(element, 'no such executable content is known');
  }
}

/** The document is refused when its script cannot be fetched (section 5.8). */
function scriptOf(element: XmlElement, resources: Resources): string {
  const uri = attribute(element, 'src');
  if (uri === undefined) return textOf(element);
  try {
    return resources(uri);
  } catch (error) {
    throw badElement(element, `its script '${uri}' cannot be fetched: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function branches(element: XmlElement, resources: Resources): Branch[] {
  const found: { condition: string | undefined; content: Content[] }[] = [{ condition: required(element, 'cond'), content: [] }];
  for (const child of scxmlChildren(element)) {
    const last = found.at(-1);
    if (child.name === 'elseif' || child.name === 'else') {
      if (last?.condition === undefined) throw badElement(child, 'nothing follows <else>');
      found.push({ condition: child.name === 'else' ? undefined : required(child, 'cond'), content: [] });
    } else {
      last?.content.push(contentOf(child, resources));
    }
  }
  return found;
}

function send(element: XmlElement): Send {
  const id = attribute(element, 'id');
  const idLocation = attribute(element, 'idlocation');
  if (id !== undefined && idLocation !== undefined) throw badElement(element, 'it has both id and idlocation');
  return {
    kind: 'send',
    place: placeOf(element),
    event: word(element, 'event'),
    target: word(element, 'target'),
    type: word(element, 'type'),
    delay: word(element, 'delay'),
    id,
    idLocation,
    ...payloadOf(element),
  };
}
