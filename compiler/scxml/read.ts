// Reads an SCXML document: text or an element into ScxmlDocument. What a processor must refuse when it loads a document is refused here; what
// only running can tell (a location that does not exist, an expression that throws) becomes an error event then.

import { LockstepError } from '../../core/errors.ts';
import type { Block, Data, DoneData, Invoke, ScxmlDocument, ScxmlHistory, ScxmlInitial, ScxmlState, ScxmlTransition } from './document.ts';
import {
  attribute,
  badElement,
  childrenNamed,
  onlyChild,
  payloadOf,
  placeOf,
  required,
  SCXML_NAMESPACE,
  tokens,
  unsupportedElement,
  valueOf,
  word,
} from './elements.ts';
import { contentOf, readContent, type Resources } from './read-content.ts';
import { parseXml, type XmlElement } from './xml.ts';

const STATES = ['state', 'parallel', 'final', 'history'] as const;

const NO_RESOURCES: Resources = (uri) => {
  throw new LockstepError('UNREACHABLE', `no resources were given to fetch ${uri} from`);
};

/**
 * Reads a document.                                                                                 (SCXML-1)
 * @param source the text, or the `<scxml>` element of another document.
 * @param resources fetches what `src` of a script names.
 * @throws LockstepError BAD_DEFINITION, UNSUPPORTED, naming element, line and column.
 */
export function readScxml(source: string | XmlElement, resources: Resources = NO_RESOURCES): ScxmlDocument {
  const element = typeof source === 'string' ? parseXml(source) : source;
  if (element.name !== 'scxml' || (element.namespace !== SCXML_NAMESPACE && element.namespace !== ''))
    throw badElement(element, 'expected the root element <scxml>');
  const binding = attribute(element, 'binding') ?? 'early';
  if (binding !== 'early' && binding !== 'late') throw badElement(element, `binding is early or late, found '${binding}'`);
  return {
    name: attribute(element, 'name'),
    datamodel: attribute(element, 'datamodel'),
    binding,
    scripts: childrenNamed(element, 'script').map((script) => contentOf(script, resources)),
    root: new Reader(resources).state(element, '', 0),
  };
}

class Reader {
  readonly #resources: Resources;
  /** Ids that authors gave; made-up ones keep clear of each other by their paths. */
  readonly #ids = new Map<string, XmlElement>();

  constructor(resources: Resources) {
    this.#resources = resources;
  }

  state(element: XmlElement, above: string, index: number): ScxmlState {
    const kind = element.name === 'parallel' || element.name === 'final' || element.name === 'scxml' ? element.name : 'state';
    const { id, path } = this.#name(element, above, index);
    const nodes = childrenNamed(element, ...STATES);
    if (kind === 'final' && nodes[0] !== undefined) throw badElement(nodes[0], 'a final state has no states inside');
    const children = nodes.map((child, at) => (child.name === 'history' ? this.#history(child, path, at) : this.state(child, path, at)));
    return {
      kind,
      id,
      path,
      children,
      initial: this.#initial(element, path),
      entry: this.#blocks(element, 'onentry', path),
      exit: this.#blocks(element, 'onexit', path),
      transitions: childrenNamed(element, 'transition').map((transition, at) => this.#transition(transition, path, at)),
      data: childrenNamed(element, 'datamodel').flatMap((model) => childrenNamed(model, 'data').map(datum)),
      invokes: childrenNamed(element, 'invoke').map((invoke, at) => this.#invoke(invoke, path, at)),
      doneData: doneDataOf(element, path),
    };
  }

  /** A state without an id is called by its path, which no author's id can be: it has a slash. */
  #name(element: XmlElement, above: string, index: number): { readonly id: string; readonly path: string } {
    const given = element.name === 'scxml' ? undefined : attribute(element, 'id');
    if (given === undefined) {
      const path = `${above}/${element.name}[${index}]`;
      return { id: path, path };
    }
    const other = this.#ids.get(given);
    if (other !== undefined) throw badElement(element, `the id '${given}' is taken by <${other.qualifiedName}> in line ${other.line}`);
    this.#ids.set(given, element);
    return { id: given, path: `${above}/${element.name}#${given}` };
  }

  /** The attribute, or the element with its transition. */
  #initial(element: XmlElement, above: string): ScxmlInitial | undefined {
    const named = tokens(attribute(element, 'initial'));
    const initial = onlyChild(element, 'initial');
    const path = `${above}/initial`;
    if (initial === undefined) return named.length === 0 ? undefined : { path, targets: named, content: { path, content: [] } };
    if (named.length > 0) throw badElement(initial, 'its parent has the attribute initial too');
    return this.#default(initial, path);
  }

  #history(element: XmlElement, above: string, index: number): ScxmlHistory {
    const { id, path } = this.#name(element, above, index);
    const type = attribute(element, 'type') ?? 'shallow';
    if (type !== 'shallow' && type !== 'deep') throw badElement(element, `a history is shallow or deep, found '${type}'`);
    const initial = onlyChild(element, 'transition') === undefined ? undefined : this.#default(element, path);
    return { kind: 'history', id, path, deep: type === 'deep', initial };
  }

  /** The transition inside `<initial>` or `<history>`: it has targets, and neither event nor condition. */
  #default(element: XmlElement, path: string): ScxmlInitial {
    const transition = onlyChild(element, 'transition');
    if (transition === undefined) throw badElement(element, 'it needs a <transition>');
    const targets = tokens(required(transition, 'target'));
    if (targets.length === 0) throw badElement(transition, 'it needs a target');
    for (const wrong of ['event', 'cond']) {
      if (attribute(transition, wrong) !== undefined) throw badElement(transition, `here it takes no ${wrong}`);
    }
    return { path, targets, content: { path: `${path}/transition`, content: readContent(transition, this.#resources) } };
  }

  #blocks(element: XmlElement, name: string, above: string): Block[] {
    return childrenNamed(element, name).map((block, at) => ({
      path: `${above}/${name}[${at}]`,
      content: readContent(block, this.#resources),
    }));
  }

  #transition(element: XmlElement, above: string, index: number): ScxmlTransition {
    const path = `${above}/transition[${index}]`;
    const events = tokens(attribute(element, 'event'));
    const condition = attribute(element, 'cond');
    const targets = tokens(attribute(element, 'target'));
    const type = attribute(element, 'type') ?? 'external';
    if (type !== 'external' && type !== 'internal') throw badElement(element, `a transition is external or internal, found '${type}'`);
    const content = { path, content: readContent(element, this.#resources) };
    return { path, place: placeOf(element), events, condition, targets, internal: type === 'internal', content };
  }

  #invoke(element: XmlElement, above: string, index: number): Invoke {
    const finalize = onlyChild(element, 'finalize');
    const id = attribute(element, 'id');
    const idLocation = attribute(element, 'idlocation');
    if (id !== undefined && idLocation !== undefined) throw badElement(element, 'it has both id and idlocation');
    return {
      place: placeOf(element),
      path: `${above}/invoke[${index}]`,
      type: word(element, 'type'),
      source: word(element, 'src'),
      id,
      idLocation,
      autoforward: attribute(element, 'autoforward') === 'true',
      finalize: finalize === undefined ? undefined : readContent(finalize, this.#resources),
      ...payloadOf(element),
    };
  }
}

function datum(element: XmlElement): Data {
  return { id: required(element, 'id'), place: placeOf(element), value: valueOf(element) };
}

function doneDataOf(element: XmlElement, above: string): DoneData | undefined {
  const doneData = onlyChild(element, 'donedata');
  if (doneData === undefined) return undefined;
  if (element.name !== 'final') throw unsupportedElement(doneData, 'only a final state has donedata');
  return { path: `${above}/donedata`, place: placeOf(doneData), payload: payloadOf(doneData) };
}
