// What runs inside the sandbox before the author's first word: a program text, not code of ours. It returns the helpers that the evaluator
// calls; they hold on to the built-ins they need, so that an author's script cannot change what they do. Nothing of it is global but the
// system variables of SCXML, which authors can read and not write.

export const PRELUDE = String.raw`
(function (host) {
  'use strict';
  const { stringify, parse } = JSON;
  const { defineProperty, freeze, keys, create, getOwnPropertyDescriptor } = Object;
  const from = Array.from;
  const isArray = Array.isArray;
  const global = globalThis;

  // ── XML values: enough of the DOM to look around ──────────────────────────────────────────────────────────────
  const xmlTexts = new WeakMap();
  class Node {
    constructor(parentNode) { defineProperty(this, 'parentNode', { value: parentNode }); }
    toString() { return xmlTexts.get(this) ?? this.textContent; }
    toJSON() { return { $xml: this.toString() }; }
  }
  class Text extends Node {
    constructor(text, parentNode) { super(parentNode); this.nodeType = 3; this.nodeName = '#text'; this.nodeValue = text; this.textContent = text; }
  }
  class Element extends Node {
    constructor(tree, parentNode) {
      super(parentNode);
      xmlTexts.set(this, tree.text);
      this.nodeType = 1;
      this.nodeName = this.tagName = tree.qualifiedName;
      this.localName = tree.name;
      this.namespaceURI = tree.namespace === '' ? null : tree.namespace;
      this.attributes = from(tree.attributes, ([name, value]) => freeze({ name, value }));
      this.childNodes = from(tree.children, (child) => (child.kind === 'text' ? new Text(child.text, this) : new Element(child, this)));
      freeze(this);
    }
    get children() { return this.childNodes.filter((child) => child.nodeType === 1); }
    get firstChild() { return this.childNodes[0] ?? null; }
    get lastChild() { return this.childNodes[this.childNodes.length - 1] ?? null; }
    get documentElement() { return this; }
    get textContent() { return this.childNodes.map((child) => child.textContent).join(''); }
    getAttribute(name) { return this.attributes.find((attribute) => attribute.name === name)?.value ?? null; }
    hasAttribute(name) { return this.getAttribute(name) !== null; }
    getElementsByTagName(name) {
      return this.children.flatMap((child) => [
        ...(name === '*' || child.tagName === name || child.localName === name ? [child] : []),
        ...child.getElementsByTagName(name),
      ]);
    }
  }
  const revive = (_key, value) =>
    typeof value === 'object' && value !== null && typeof value.$xml === 'string' && keys(value).length === 1
      ? new Element(parse(host.parseXml(value.$xml)))
      : value;
  const valueOf = (json) => (json === undefined ? undefined : parse(json, revive));

  // ── System variables ──────────────────────────────────────────────────────────────────────────────────────────
  const environment = parse(host.environment());
  let event;
  const system = (name, get) => defineProperty(global, name, { get, enumerable: false, configurable: false });
  const processors = freeze(environment.processors);
  system('_sessionid', () => environment.sessionId);
  system('_name', () => environment.name);
  system('_ioprocessors', () => processors);
  system('_event', () => event);
  defineProperty(global, 'In', { value: (state) => host.isIn(String(state)), enumerable: false, configurable: false, writable: false });

  const declare = (id) => {
    if (getOwnPropertyDescriptor(global, id) === undefined)
      defineProperty(global, id, { value: undefined, enumerable: true, configurable: true, writable: true });
  };
  const set = (id, value) => {
    const found = getOwnPropertyDescriptor(global, id);
    if (found === undefined || (found.configurable && !found.enumerable))
      defineProperty(global, id, { value, enumerable: true, configurable: true, writable: true });
    else global[id] = value;
  };
  const FIELDS = ['name', 'type', 'sendid', 'origin', 'origintype', 'invokeid', 'data'];

  return {
    declare,
    set: (id, json) => set(id, valueOf(json)),
    setEvent: (json) => {
      if (json === undefined) { event = undefined; return; }
      const given = valueOf(json);
      event = freeze(FIELDS.reduce((fields, field) => { fields[field] = given[field]; return fields; }, {}));
    },
    condition: (f) => (f.call(undefined) ? true : false),
    evaluate: (f) => stringify(f.call(undefined)),
    call: (f) => { f.call(undefined); },
    pass: (f, json) => { f.call(undefined, valueOf(json)); },
    list: (f) => {
      const value = f.call(undefined);
      if (typeof value !== 'object' || value === null || !(isArray(value) || typeof value[Symbol.iterator] === 'function'))
        throw new TypeError('the value to go through is no array');
      return from(value);
    },
    length: (list) => list.length,
    setItem: (list, index, itemName, indexName) => {
      set(itemName, list[index]);
      if (indexName !== undefined) set(indexName, index);
    },
    read: () => {
      const data = create(null);
      for (const key of keys(global)) {
        const value = global[key];
        if (value === undefined || typeof value === 'function') continue;
        try {
          const json = stringify(value);
          if (json !== undefined) data[key] = parse(json);
        } catch {
          // A value that JSON cannot say, a circle for one, stays in the session.
        }
      }
      return stringify(data);
    },
    write: (json) => {
      const data = valueOf(json);
      for (const key of keys(global)) {
        if (key in data || typeof global[key] === 'function') continue;
        global[key] = undefined;
      }
      for (const key of keys(data)) set(key, data[key]);
    },
  };
})
`;
