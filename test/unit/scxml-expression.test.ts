// Our own expressions beside QuickJS: what they take they answer alike, and they take no more than they can answer.

import { expect, test } from 'vitest';
import type { Json } from '../../core/json.ts';
import { EvaluationError, type DataEnvironment, type DataSession } from '../../compiler/scxml/evaluator.ts';
import { isVariableName, parseExpression, parseLocation } from '../../compiler/scxml/expression.ts';
import { plainEvaluator } from '../../compiler/scxml/plain-evaluator.ts';
import { readScxml } from '../../compiler/scxml/read.ts';
import { evaluator as quickJs, place, scxml, wasm } from '../support/scxml.ts';
import { random, seedOf, type Random } from '../support/random.ts';
import { readCases } from '../../tools/conformance/suite.ts';
import { runCase } from '../../tools/conformance/run-case.ts';

const plain = plainEvaluator();

test('[SCXML-17] every case that our own expressions take has the verdict that QuickJS gives', () => {
  const taken = readCases().filter((one) => plain.takes!(readScxml(one.document, one.resource)));
  expect(taken.length).toBeGreaterThan(250);
  for (const one of taken) expect([one.name, runCase(wasm, plain, one)]).toEqual([one.name, runCase(wasm, quickJs, one)]);
});

const BEYOND = [
  '',
  'return',
  'a b',
  'f()',
  'a.b()',
  'a[b]',
  'a++',
  '--a',
  '++a',
  '- -a; b',
  'a = 1',
  'a, b',
  'a & b',
  'a ** 2',
  'a ?? b',
  'a?.b',
  'new A',
  'this',
  '`a`',
  '/a/',
  'function () {}',
  '() => 1',
  'void 0',
  'delete a.b',
  'a instanceof b',
  "'a' in b",
  '0x10',
  '010',
  '.5',
  '1.',
  '1n',
  "'\\x41'",
  "'a\nb'",
  'NaN',
  'Math',
  'Math.PI',
  'constructor',
  'a.toString',
  'a.push',
  "a['__proto__']",
  '({ toString: 1 })',
  '{a: 1, b}',
  '[1,,2]',
  'In',
  "In('a', 'b')",
  '((((((1)',
  "'open",
  'a.1',
  'typeof',
  'class',
  'let',
  'a!',
];

test.each(BEYOND)('[SCXML-17] left to an engine: %j', (text) => {
  expect(parseExpression(text)).toBeUndefined();
});

test('[SCXML-17] nesting has an end, and names are names', () => {
  expect(parseExpression(`${'('.repeat(99)}1${')'.repeat(99)}`)).toBeDefined();
  expect(parseExpression(`${'('.repeat(101)}1${')'.repeat(101)}`)).toBeUndefined();
  expect(parseExpression(`${'!'.repeat(101)}1`)).toBeUndefined();
  expect(['a', '$b', '_c1', 'typeof', '1a', 'a-b', 'true', ''].map(isVariableName)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
  expect([
    parseLocation(' a.b["c d"].e '),
    parseLocation('a.length'),
    parseLocation('1'),
    parseLocation('a + b'),
    parseLocation('(a)'),
  ]).toEqual([['a', 'b', 'c d', 'e'], undefined, undefined, undefined, ['a']]);
});

test('[SCXML-17] a document gets the first evaluator that takes it', () => {
  const opened: string[] = [];
  const watched = [plain, quickJs].map((one, index) => ({
    ...one,
    open: (environment: DataEnvironment): DataSession => {
      opened.push(index === 0 ? 'plain' : 'quickjs');
      return one.open(environment);
    },
  }));
  const { system } = place({ evaluator: watched });
  system.start(scxml('<datamodel><data id="n" expr="1 + 1"/></datamodel><state/>'));
  system.start(scxml('<datamodel><data id="n" expr="Math.max(1, 2)"/></datamodel><state/>'));
  system.start(scxml('<datamodel><data id="n" expr="1"/></datamodel><script>n = 2</script><state/>'));
  expect(opened).toEqual(['plain', 'quickjs', 'quickjs']);
  const alone = place({ evaluator: plain }).system;
  expect(() => alone.start(scxml('<script>var a</script><state/>'))).toThrow('more than the evaluators at hand can run');
  expect(() => alone.start('<scxml datamodel="xpath"><state/></scxml>')).toThrow(
    "no evaluator has the data model 'xpath', only ecmascript and null",
  );
});

// ── Random expressions ───────────────────────────────────────────────────────────────────────────────────────────

const ENVIRONMENT: DataEnvironment = {
  sessionId: 's',
  name: 'm',
  processors: { scxml: { location: 'here' } },
  isIn: (state) => state === 'a',
};
const NAMES = ['n', 't', 'list', 'deep', 'none', 'flag', 'unknown', '_event', '_sessionid'];
const VALUES: Readonly<Record<string, Json>> = {
  n: 3,
  t: 'text',
  list: [1, 'b', { c: 2 }],
  deep: { a: { b: [true] }, z: null },
  flag: false,
};

function sessions(): [DataSession, DataSession] {
  const both: [DataSession, DataSession] = [plain.open(ENVIRONMENT), quickJs.open(ENVIRONMENT)];
  for (const session of both) {
    for (const name of ['n', 't', 'list', 'deep', 'none', 'flag']) session.declare(name);
    for (const [name, value] of Object.entries(VALUES)) session.assignJson(name, value);
    session.setEvent({ name: 'e', type: 'external', data: { x: 1 } });
  }
  return both;
}

function expression(dice: Random, depth: number): string {
  const inner = (): string => expression(dice, depth - 1);
  if (depth === 0 || dice.chance(0.15))
    return dice.pick([...NAMES, '0', '1.5', '2e3', "'a'", '"3"', "''", 'true', 'null', 'undefined', "In('a')", "'it\\'s'"]);
  switch (dice.below(9)) {
    case 0:
      return `${inner()}.${dice.pick(['a', 'b', 'c', 'length', 'data', 'x', 'name'])}`;
    case 1:
      return `(${inner()})[${dice.pick(['0', '1', '2', "'a'", "'length'", '"b"'])}]`;
    case 2:
      return `${dice.pick(['!', '-', '+', 'typeof '])}(${inner()})`;
    case 3:
      return `${inner()} ? ${inner()} : ${inner()}`;
    case 4:
      return `[${inner()}, ${inner()}]`;
    case 5:
      return `({a: ${inner()}, 'b': ${inner()}})`;
    case 6:
      return `(${inner()})`;
    default:
      return `${inner()} ${dice.pick(['||', '&&', '==', '!=', '===', '!==', '<', '<=', '>', '>=', '+', '-', '*', '/', '%'])} ${inner()}`;
  }
}

/** What came of it: a value as JSON, or that it was refused. */
function outcome(run: () => unknown): unknown {
  try {
    return { value: run() };
  } catch (error) {
    if (error instanceof EvaluationError) return 'refused';
    throw error;
  }
}

test('[SCXML-17] random expressions and assignments have the same value, or are refused, in both', () => {
  const dice = random(seedOf('SCXML expressions'));
  const both = sessions();
  let taken = 0;
  let values = 0;
  for (let round = 0; round < 4_000; round += 1) {
    const text = expression(dice, 4);
    if (parseExpression(text) === undefined) continue;
    taken += 1;
    const [one, other] = both.map((session) => outcome(() => session.evaluate(text)));
    expect([text, one]).toEqual([text, other]);
    expect([text, outcome(() => both[0].condition(text))]).toEqual([text, outcome(() => both[1].condition(text))]);
    if (typeof one === 'object') values += 1;
    if (round % 4 !== 0) continue;
    const location = dice.pick([
      'n',
      't',
      'none',
      'deep.a',
      'deep.new',
      'list[1]',
      'deep.a.b',
      'unknown',
      '_event',
      '_event.data.y',
      '_event.name',
      'none.a',
    ]);
    const [here, there] = both.map((session) => outcome(() => session.assign(location, text)));
    expect([location, text, here, both[0].read()]).toEqual([location, text, there, both[1].read()]);
    if (round % 8 === 0) for (const session of both) for (const [name, value] of Object.entries(VALUES)) session.assignJson(name, value);
  }
  expect(taken).toBeGreaterThan(3_000);
  expect(values).toBeGreaterThan(1_000);
  for (const session of both) session.dispose();
});

test('[SCXML-17] values that hold one another many times over cost no more than their limit', () => {
  const session = plain.open(ENVIRONMENT);
  session.declare('x');
  session.assign('x', "['0123456789']");
  for (let i = 0; i < 60; i += 1) session.assign('x', '[x, x]');
  for (const text of ['x', "x + ''", 'x < 1', '-x', 'In(x)', '({ a: x })'])
    expect(() => session.evaluate(text), text).toThrow(EvaluationError);
  expect(session.read()).toEqual({});
  session.assign('x', "'0123456789'");
  expect(() => {
    for (let i = 0; i < 60; i += 1) session.assign('x', 'x + x');
  }).toThrow('a text of');
  session.assign('x', '({ y: 1 })');
  session.assign('x.y', 'x');
  expect([session.read(), session.evaluate('x.y.y === x')]).toEqual([{}, true]);
});
