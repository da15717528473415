// Reading elements of SCXML: attributes, words that may be expressions, values, and the refusals that name the place.

import { LockstepError } from '../../core/errors.ts';
import type { Parameter, Payload, Place, Value, Word } from './document.ts';
import { elementsOf, textOf, type XmlElement } from './xml.ts';

export const SCXML_NAMESPACE = 'http://www.w3.org/2005/07/scxml';

export const placeOf = ({ qualifiedName, line, column }: XmlElement): Place => ({ tag: qualifiedName, line, column });

const describePlace = ({ tag, line, column }: Place): string => `<${tag}> at ${line}:${column}`;

export function badElement(element: XmlElement, reason: string): LockstepError {
  return new LockstepError('BAD_DEFINITION', `${describePlace(placeOf(element))}: ${reason}`);
}

export function unsupportedElement(element: XmlElement, reason: string): LockstepError {
  return new LockstepError('UNSUPPORTED', `${describePlace(placeOf(element))}: ${reason}`);
}

/** Elements of SCXML; a document without any namespace is taken too. Others are somebody else's business and left out. */
export function scxmlChildren(element: XmlElement): readonly XmlElement[] {
  return elementsOf(element).filter(({ namespace }) => namespace === SCXML_NAMESPACE || namespace === '');
}

export const childrenNamed = (element: XmlElement, ...names: readonly string[]): readonly XmlElement[] =>
  scxmlChildren(element).filter(({ name }) => names.includes(name));

export function onlyChild(element: XmlElement, name: string): XmlElement | undefined {
  const [first, second] = childrenNamed(element, name);
  if (second !== undefined) throw badElement(second, `<${element.qualifiedName}> takes one <${name}>`);
  return first;
}

export const attribute = (element: XmlElement, name: string): string | undefined => element.attributes.get(name);

export function required(element: XmlElement, name: string): string {
  const value = attribute(element, name);
  if (value === undefined) throw badElement(element, `it needs the attribute ${name}`);
  return value;
}

export const tokens = (text: string | undefined): readonly string[] => (text ?? '').split(/\s+/).filter((token) => token !== '');

/** `name` or `nameexpr`, not both. */
export function word(element: XmlElement, name: string, expressionName = `${name}expr`): Word | undefined {
  const text = attribute(element, name);
  const expression = attribute(element, expressionName);
  if (text !== undefined && expression !== undefined) throw badElement(element, `it has both ${name} and ${expressionName}`);
  if (text !== undefined) return { text };
  return expression === undefined ? undefined : { expression };
}

/** `expr`, `src` or what is inside; undefined when there is none of them. */
export function valueOf(element: XmlElement): Value | undefined {
  const expression = attribute(element, 'expr');
  const uri = attribute(element, 'src');
  const inside = insideOf(element);
  if ([expression, uri, inside].filter((given) => given !== undefined).length > 1)
    throw badElement(element, 'it takes its value from one of expr, src and content');
  if (expression !== undefined) return { kind: 'expression', text: expression };
  if (uri !== undefined) return { kind: 'resource', uri };
  return inside;
}

function insideOf(element: XmlElement): Value | undefined {
  const [inner] = elementsOf(element);
  if (inner !== undefined) return { kind: 'element', element: inner };
  const text = textOf(element);
  return text.trim() === '' ? undefined : { kind: 'text', text };
}

/** Namelist, `<param>` and `<content>`. */
export function payloadOf(element: XmlElement): Payload {
  const content = onlyChild(element, 'content');
  const parameters = childrenNamed(element, 'param').map(parameter);
  const namelist = tokens(attribute(element, 'namelist'));
  if (content !== undefined && element.name !== 'invoke' && (parameters.length > 0 || namelist.length > 0))
    throw badElement(content, 'it is the whole payload; namelist and <param> cannot stand beside it');
  return { namelist, parameters, content: content === undefined ? undefined : (valueOf(content) ?? { kind: 'text', text: '' }) };
}

function parameter(element: XmlElement): Parameter {
  const location = attribute(element, 'location');
  const expression = attribute(element, 'expr') ?? location;
  if (expression === undefined) throw badElement(element, 'it needs expr or location');
  return { name: required(element, 'name'), expression, isLocation: expression === location, place: placeOf(element) };
}
