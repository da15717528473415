// XML as plain trees with their places in the text: the door of saxes. Names are kept as written beside their local part, so that a piece of
// a document can be written out again and read elsewhere with the same meaning.

import { SaxesParser, type SaxesTagNS } from 'saxes';
import { LockstepError } from '../../core/errors.ts';

export interface XmlElement {
  readonly kind: 'element';
  /** Without its prefix. */
  readonly name: string;
  /** As written. */
  readonly qualifiedName: string;
  /** '' = none. */
  readonly namespace: string;
  /** By name as written, in document order; declarations of namespaces included. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlNode[];
  /** Both from 1, of the element's `<`. */
  readonly line: number;
  readonly column: number;
}

export interface XmlText {
  readonly kind: 'text';
  readonly text: string;
}

export type XmlNode = XmlElement | XmlText;

/** Elements inside one another. */
const DEPTH_MAX = 1_000;

interface OpenElement extends XmlElement {
  readonly children: XmlNode[];
}

/** @throws LockstepError BAD_DEFINITION when it is not well-formed, with line and column. */
export function parseXml(text: string): XmlElement {
  const parser = new SaxesParser({ xmlns: true, position: true });
  const open: OpenElement[] = [];
  let root: OpenElement | undefined;
  let start = { line: 1, column: 1 };

  parser.on('error', (error) => {
    throw new LockstepError('BAD_DEFINITION', `the document is not well-formed XML: ${error.message}`);
  });
  const placeAt = placeFinder(text);
  parser.on('opentagstart', ({ name }) => {
    // The parser has just read the name and the character behind it.
    start = placeAt(parser.position - name.length - 2);
  });
  parser.on('opentag', (tag) => {
    if (open.length === DEPTH_MAX) throw new LockstepError('BAD_DEFINITION', `the document nests elements deeper than ${DEPTH_MAX}`);
    const element = elementOf(tag, start);
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on('closetag', () => {
    open.pop();
  });
  const addText = (piece: string): void => {
    const parent = open.at(-1);
    const last = parent?.children.at(-1);
    if (parent === undefined) return;
    if (last?.kind === 'text') parent.children[parent.children.length - 1] = { kind: 'text', text: last.text + piece };
    else parent.children.push({ kind: 'text', text: piece });
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.write(text).close();
  if (root === undefined) throw new LockstepError('BAD_DEFINITION', 'the document has no element');
  return root;
}

/** Line and column, from 1, of offsets that never go back. */
function placeFinder(text: string): (offset: number) => { readonly line: number; readonly column: number } {
  let line = 1;
  let lineStart = 0;
  return (offset) => {
    for (let end = text.indexOf('\n', lineStart); end >= 0 && end < offset; end = text.indexOf('\n', lineStart)) {
      line += 1;
      lineStart = end + 1;
    }
    return { line, column: offset - lineStart + 1 };
  };
}

function elementOf(tag: SaxesTagNS, { line, column }: { readonly line: number; readonly column: number }): OpenElement {
  return {
    kind: 'element',
    name: tag.local,
    qualifiedName: tag.name,
    namespace: tag.uri,
    attributes: new Map(Object.values(tag.attributes).map((attribute) => [attribute.name, attribute.value])),
    children: [],
    line,
    column,
  };
}

/** The text of an element that can stand alone: a namespace that it has from further out is declared on it. */
export function writeXml(element: XmlElement): string {
  const [prefix] = element.qualifiedName.includes(':') ? element.qualifiedName.split(':') : [];
  const declaration = prefix === undefined ? 'xmlns' : `xmlns:${prefix}`;
  if (element.namespace === '' || element.attributes.has(declaration)) return writeElement(element);
  return writeElement({ ...element, attributes: new Map([[declaration, element.namespace], ...element.attributes]) });
}

function writeElement(element: XmlElement): string {
  const attributes = [...element.attributes].map(([name, value]) => ` ${name}="${escaped(value)}"`).join('');
  const content = element.children.map((child) => (child.kind === 'text' ? escaped(child.text) : writeElement(child))).join('');
  const name = element.qualifiedName;
  return content === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);

export const elementsOf = (element: XmlElement): readonly XmlElement[] => element.children.filter((child) => child.kind === 'element');

/** All text directly inside. */
export const textOf = (element: XmlElement): string => element.children.map((child) => (child.kind === 'text' ? child.text : '')).join('');
