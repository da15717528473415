// What the functions of a program can see outside themselves, read from the texts of its modules: a function's closure cannot be looked
// into while it runs, but its text stands in its module. A name is a constant when it is declared by `const` at the top of a module, has a
// value that is written out, and, for arrays and objects, nothing in the module could change it. Modules are read as they run: plain
// ECMAScript, or as Vite hands them to Node.

import type { Json } from '../../core/json.ts';
import { isUnchanged } from './unchanged.ts';
import { constantValue } from './constant.ts';
import { Scope, value, type Meaning, type Outside } from './scope.ts';
import { patternNames } from './statements.ts';
import { childrenOf, isFunctionNode, parseModule, type ES, type Node, type Program } from './syntax.ts';

export interface ModuleText {
  readonly id: string;
  readonly text: string;
}

/** Line and column from 1, in the text as it runs. */
export interface ModulePlace {
  readonly id: string;
  readonly line: number;
  readonly column: number;
}

/** The id of the module that an import means, or the name of a package. */
export type Resolve = (source: string, importer: string) => string;

/** What Vite calls the modules that one imports. */
const VITE_IMPORT = /^__vite_ssr_import_\d+__$/;

export class Modules {
  readonly #modules = new Map<string, Module>();
  readonly #resolve: Resolve;

  constructor(texts: readonly ModuleText[], resolve: Resolve = (source) => source) {
    this.#resolve = resolve;
    for (const { id, text } of texts) {
      const program = parseModule(text);
      if (program !== undefined) this.#modules.set(id, new Module(id, text, program, this));
    }
  }

  /** The names around the function that has this text; when several have it, those on which they agree. */
  around(text: string): Outside {
    const found = [...this.#modules.values()].flatMap((module) => module.around(text));
    if (found.length === 0) return () => undefined;
    return (name) => {
      const [first, ...others] = found.map((outside) => outside(name));
      if (others.every((other) => isSameMeaning(first, other))) return first;
      const called = VITE_IMPORT.test(name) ? 'an import' : `'${name}'`;
      return { kind: 'unknown', reason: `${called} means different things to functions of the same text` };
    };
  }

  /** Where the function that has this text stands first. */
  placeOf(text: string): ModulePlace | undefined {
    for (const module of this.#modules.values()) {
      const place = module.placeOf(text);
      if (place !== undefined) return place;
    }
    return undefined;
  }

  idOf(source: string, importer: string): string {
    return this.#resolve(source, importer);
  }

  /** What an import stands for, when its module is here. */
  imported(source: string, name: string, importer: string): Meaning {
    const id = this.idOf(source, importer);
    return this.#modules.get(id)?.exported(name) ?? { kind: 'import', source: id, name };
  }
}

function isSameMeaning(a: Meaning | undefined, b: Meaning | undefined): boolean {
  if (a === b) return true;
  if (a?.kind === 'import' && b?.kind === 'import') return a.source === b.source && a.name === b.name;
  if (a?.kind === 'namespace' && b?.kind === 'namespace') return a.id === b.id;
  if (a?.kind !== 'value' || b?.kind !== 'value' || a.value.kind !== 'literal' || b.value.kind !== 'literal') return false;
  return JSON.stringify(a.value.value) === JSON.stringify(b.value.value);
}

class Module {
  readonly id: string;
  readonly #text: string;
  readonly #program: Program;
  readonly #modules: Modules;
  readonly #declared = new Map<string, () => Meaning>();
  readonly #exports = new Map<string, () => Meaning>();
  readonly #known = new Map<string, Meaning>();
  /** By text: the names that the functions of that text find in functions around them. */
  readonly #functions = new Map<string, Set<string>[]>();
  readonly #places = new Map<string, number>();

  constructor(id: string, text: string, program: Program, modules: Modules) {
    this.id = id;
    this.#text = text;
    this.#program = program;
    this.#modules = modules;
    for (const statement of program.body) this.#read(statement);
    this.#walk(program, new Set());
  }

  around(text: string): Outside[] {
    return (this.#functions.get(text) ?? []).map((enclosing) => (name) => {
      if (enclosing.has(name)) return { kind: 'unknown', reason: `it reads '${name}' of a function around it` };
      return this.#find(name);
    });
  }

  placeOf(text: string): ModulePlace | undefined {
    const place = this.#places.get(text);
    if (place === undefined) return undefined;
    const before = this.#text.slice(0, place).split('\n');
    return { id: this.id, line: before.length, column: before.at(-1)!.length + 1 };
  }

  exported(name: string): Meaning | undefined {
    return this.#exports.get(name)?.();
  }

  /** A name at the top of the module. Known once, so that it is the same thing for everybody; while it is being found out, unknown. */
  #find(name: string): Meaning | undefined {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const find = this.#declared.get(name);
    if (find === undefined) return undefined;
    this.#known.set(name, { kind: 'unknown', reason: `'${name}' is declared by itself` });
    const meaning = find();
    this.#known.set(name, meaning);
    return meaning;
  }

  // ── Declarations ───────────────────────────────────────────────────────────────────────────────────────────────

  #read(statement: ES.Statement | ES.ModuleDeclaration): void {
    switch (statement.type) {
      case 'ImportDeclaration':
        return this.#readImport(statement);
      case 'ExportNamedDeclaration':
        return this.#readExport(statement);
      case 'ExportDefaultDeclaration':
        if (statement.declaration.type === 'Identifier') {
          const { name } = statement.declaration;
          this.#exports.set('default', () => this.#find(name) ?? unknown(name));
        }
        return;
      case 'VariableDeclaration':
        for (const declaration of statement.declarations) this.#readVariable(declaration, statement.kind);
        return;
      case 'FunctionDeclaration': {
        const { name } = statement.id;
        this.#declared.set(name, () =>
          this.#isSet(name)
            ? { kind: 'unknown', reason: `the function '${name}' is set again` }
            : { kind: 'function', node: statement, scope: this.#scope() },
        );
        return;
      }
      case 'ClassDeclaration':
        this.#declared.set(statement.id.name, () => ({ kind: 'unknown', reason: `'${statement.id.name}' is a class` }));
        return;
      case 'ExpressionStatement':
        return this.#readViteExport(statement.expression);
      default:
        for (const name of namesIn(statement)) this.#declared.set(name, () => unknown(name));
    }
  }

  #readImport({ specifiers, source }: ES.ImportDeclaration): void {
    const from = String(source.value);
    for (const specifier of specifiers) {
      const { name } = specifier.local;
      if (specifier.type === 'ImportNamespaceSpecifier') this.#declared.set(name, () => this.#namespace(from));
      else {
        const there = specifier.type === 'ImportDefaultSpecifier' ? 'default' : exportName(specifier.imported);
        this.#declared.set(name, () => this.#modules.imported(from, there, this.id));
      }
    }
  }

  #readExport({ declaration, specifiers, source }: ES.ExportNamedDeclaration): void {
    if (declaration != null) {
      this.#read(declaration);
      const names =
        declaration.type === 'VariableDeclaration' ? declaration.declarations.flatMap(({ id }) => patternNames(id)) : [declaration.id.name];
      for (const name of names) this.#exports.set(name, () => this.#find(name) ?? unknown(name));
    }
    for (const { local, exported } of specifiers) {
      const there = exportName(local);
      const find =
        source == null ? () => this.#find(there) ?? unknown(there) : () => this.#modules.imported(String(source.value), there, this.id);
      this.#exports.set(exportName(exported), find);
    }
  }

  #readVariable({ id, init }: ES.VariableDeclarator, kind: string): void {
    if (id.type !== 'Identifier' || init == null) {
      for (const name of patternNames(id)) this.#declared.set(name, () => unknown(name));
      return;
    }
    const { name } = id;
    const source = viteImport(init);
    if (source !== undefined) this.#declared.set(name, () => this.#namespace(source));
    else if (kind !== 'const')
      this.#declared.set(name, () => ({ kind: 'unknown', reason: `'${name}' is declared by ${kind}, so it can change` }));
    else if (isFunctionNode(init)) this.#declared.set(name, () => ({ kind: 'function', node: init, scope: this.#scope() }));
    else this.#declared.set(name, () => this.#constant(name, init));
  }

  #constant(name: string, init: ES.Expression): Meaning {
    const constant = constantValue(init, (other) => this.#literal(other));
    if (constant === undefined) return { kind: 'unknown', reason: `the value of '${name}' is not written out` };
    if (!isUnchanged(this.#program, name, constant, this.#exports))
      return { kind: 'unknown', reason: `'${name}' is an array or object that could be changed` };
    return value({ kind: 'literal', value: constant });
  }

  #literal(name: string): Json | undefined {
    const meaning = this.#find(name);
    return meaning?.kind === 'value' && meaning.value.kind === 'literal' ? meaning.value.value : undefined;
  }

  /** Vite's module runner: `__vite_ssr_exportName__("name", () => { try { return name } catch {} })`. */
  #readViteExport(node: ES.Expression): void {
    if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier' || node.callee.name !== '__vite_ssr_exportName__') return;
    const [exported, getter] = node.arguments;
    if (exported?.type !== 'Literal' || getter === undefined) return;
    const names: string[] = [];
    const visit = (each: Node): void => {
      if (each.type === 'ReturnStatement') {
        const { argument } = each as ES.ReturnStatement;
        if (argument?.type === 'Identifier') names.push(argument.name);
      }
      childrenOf(each).forEach(visit);
    };
    visit(getter);
    const [name] = names;
    if (name !== undefined) this.#exports.set(String(exported.value), () => this.#find(name) ?? unknown(name));
  }

  #namespace(source: string): Meaning {
    return { kind: 'namespace', id: this.#modules.idOf(source, this.id), find: (name) => this.#modules.imported(source, name, this.id) };
  }

  #scope(): Scope {
    return new Scope((name) => this.#find(name));
  }

  #isSet(name: string): boolean {
    const visit = (node: Node): boolean =>
      (node.type === 'AssignmentExpression' && patternNames((node as ES.AssignmentExpression).left).includes(name)) ||
      childrenOf(node).some(visit);
    return visit(this.#program);
  }

  // ── Functions ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Remembers every function by its text, with all names of the functions around it. */
  #walk(node: Node, enclosing: Set<string>): void {
    if (isMethod(node)) this.#remember(node, enclosing);
    let inside = enclosing;
    if (isFunctionNode(node)) {
      this.#remember(node, enclosing);
      inside = new Set([...enclosing, ...namesIn(node)]);
    }
    for (const child of childrenOf(node)) this.#walk(child, inside);
  }

  #remember(node: Node, enclosing: Set<string>): void {
    const text = this.#text.slice(node.start, node.end);
    this.#functions.set(text, [...(this.#functions.get(text) ?? []), enclosing]);
    if (!this.#places.has(text)) this.#places.set(text, node.start);
  }
}

const isMethod = (node: Node): boolean => node.type === 'Property' && (node as ES.Property).method;

const unknown = (name: string): Meaning => ({ kind: 'unknown', reason: `'${name}' is not proven constant` });

const exportName = (node: ES.Identifier | ES.Literal): string => (node.type === 'Identifier' ? node.name : String(node.value));

/** The source in `await __vite_ssr_import__("source", …)`. */
function viteImport(init: ES.Expression): string | undefined {
  const call = init.type === 'AwaitExpression' ? init.argument : init;
  if (call.type !== 'CallExpression' || call.callee.type !== 'Identifier' || call.callee.name !== '__vite_ssr_import__') return undefined;
  const [source] = call.arguments;
  return source?.type === 'Literal' ? String(source.value) : undefined;
}

/** All names that are declared anywhere in a node: parameters, variables, functions, classes, caught errors. */
function namesIn(node: Node): string[] {
  const own: string[] = [];
  if (isFunctionNode(node)) own.push(...node.params.flatMap(patternNames));
  if (node.type === 'VariableDeclarator') own.push(...patternNames((node as ES.VariableDeclarator).id));
  if (node.type === 'CatchClause') {
    const { param } = node as ES.CatchClause;
    if (param != null) own.push(...patternNames(param));
  }
  if (node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ClassDeclaration') {
    const { id } = node as { id?: ES.Identifier | null } & Node;
    if (id != null) own.push(id.name);
  }
  return [...own, ...childrenOf(node).flatMap(namesIn)];
}
