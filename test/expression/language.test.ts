// Our own language: what parses to what, what is refused and where, and that printing and parsing undo each other.

import { expect, test } from 'vitest';
import { evaluate, type Scope } from '../../compiler/expression/evaluate.ts';
import { parseExpression } from '../../compiler/expression/language.ts';
import { printExpression } from '../../compiler/expression/print.ts';
import { DEPTH_MAX, depthOf } from '../../compiler/expression/tree.ts';
import { random, seedOf } from '../support/random.ts';
import { randomTree } from './random-tree.ts';

const scope: Scope = {
  roots: {
    context: { count: 2, name: 'Ada', list: [3, 1, 2], user: { id: 7, tags: ['a'] }, gone: null },
    event: { type: 'ADD', by: 3, item: { id: 'x', n: 1 } },
    params: { least: 1 },
  },
  stamp: { now: () => 1000, random: () => 0.5, uuid: () => 'u' },
  isIn: (state) => state === 'm.open',
};

test.each<[string, unknown]>([
  ['context.count + event.by * 2', 8],
  ['(context.count + event.by) * 2', 10],
  ['10 - 2 - 3', 5],
  ['-context.count', -2],
  ['-2 + 1', -1],
  ['7 % 4 >= params.least', true],
  ["context.name === 'Ada' && !context.missing", true],
  ['context.gone == null && context.missing == undefined && null != context.name', true],
  ['context.gone === undefined', false],
  ['context.missing ?? context.name', 'Ada'],
  ['context.count > 5 ? "many" : context.count > 1 ? \'some\' : "few"', 'some'],
  ['context.gone?.x', undefined],
  ['context["user"]["tags"][0]', 'a'],
  ['context?.["user"].id', 7],
  ['{ ...context.user, id: 8, "a b": [1, ...context.list], [event.item.id]: true, 5: null }', { id: 8, tags: ['a'], 'a b': [1, 3, 1, 2], x: true, 5: null }], // prettier-ignore
  ['context.list.map(x => x * 2)', [6, 2, 4]],
  ['context.list.map((x, i) => x * i)', [0, 1, 4]],
  ['context.list.filter(x => x > 1).map(x => context.list.filter(y => y < x).length)', [2, 1]],
  ['context.list.find(x => x < 3)', 1],
  ['context.list.some(x => x === 2) && context.list.every(x => x > 0)', true],
  ['context.list.reduce((sum, x) => sum + x, 0)', 6],
  ['context.list.includes(2)', true],
  ['includes(context.name, "d")', true],
  ['context.list.slice(1).length', 2],
  ['`${context.name} has ${context.list.map(x => `<${x}>`).join("}")} \\` ${{ a: 1 }.a}`', 'Ada has <3>}<1>}<2> ` 1'],
  ['let total = context.count + 1; let twice = total * 2; twice + total', 9],
  ['(let x = 1; x) + 1', 2],
  ['append(context.list, [], event.item.n)', [3, 1, 2, 1]],
  ['append(context, ["user", "tags"], "b").user', { id: 7, tags: ['a', 'b'] }],
  ['set(context.user, ["tags", 0], "z")', { id: 7, tags: ['z'] }],
  ['remove(context.user, ["tags"])', { id: 7 }],
  ["in('m.open') ? now() : random()", 1000],
  ['uuid()', 'u'],
  ['typeof context.count', 'number'],
  ['max(floor(2.7), 1e1, 0.5)', 10],
  [' "\\u00e9\\n\\"" ', 'é\n"'],
  ['[]', []],
  ['{}', {}],
])('[EXPR-5] %s', (text, expected) => {
  expect(evaluate(parseExpression(text), scope)).toStrictEqual(expected);
});

test.each<[string, string]>([
  ['', 'at 0: expected a value, found the end'],
  ['context.', 'at 8: expected a field, found the end'],
  ['context.count +', 'at 15: expected a value, found the end'],
  ['context.count context', "at 14: expected an operator or the end, found 'context'"],
  ['counter', "at 0: expected one of context, event, params, input, true, false, null, undefined, found 'counter'"],
  ['context.list.map(x => y)', "at 22: expected one of context, event, params, input, true, false, null, undefined, x, found 'y)'"],
  ['context.list.map(event => 1)', "at 17: expected a name of its own, found 'event => 1)'"],
  ['context.list.map((a, b, c) => 1)', "at 17: expected 1 or 2 names, found '(a, b, c) => 1)'"],
  ['context.list.sort(x => x)', "at 13: expected a method that can be called, found 'sort(x => x)'"],
  ['eval("1")', 'at 0: expected a function that can be called, found \'eval("1")\''],
  ['toString()', "at 0: expected a function that can be called, found 'toString()'"],
  ['floor()', "at 0: expected 1 arguments of floor(), found 'floor()'"],
  ['min()', "at 0: expected 1 to 16 arguments of min(), found 'min()'"],
  ['[1, 2', "at 5: expected ',' or ']', found the end"],
  ['{ a }', "at 4: expected ':', found '}'"],
  ['"abc', 'at 4: expected the closing ", found the end'],
  ['"a\\x"', "at 2: expected an escape that JSON has, found '\\x\"'"],
  ['`a${1', "at 5: expected the closing '}', found the end"],
  ['`${ 1 + }`', "in the template at 3, at 5: expected a value, found the end"], // prettier-ignore
  ['1 || 2 ?? 3', "at 7: expected brackets around '||', found '?? 3'"],
  ['context = 1', "at 8: expected an operator or the end, found '= 1'"],
  ['01', "at 0: expected a value or an operator, found '01'"],
  ['1e999', "at 0: expected a number that is finite, found '1e999'"],
  ['in(context.x)', "at 3: expected the id of a state in quotes, found 'context.x)'"],
  ['let x = 1', "at 9: expected ';', found the end"],
  ['a # b', "at 2: expected a value or an operator, found '# b'"],
  [`${'('.repeat(300)}1`, 'expected at most 256 levels'],
  [`${'!'.repeat(70)}1`, 'expected at most 64 levels, found 71'],
])('[EXPR-5] refused with its place: %s', (text, message) => {
  expect(() => parseExpression(text)).toThrow(message);
});

test('[EXPR-5] every beginning of an expression parses or is refused by us, whatever is cut off', () => {
  const text = '(let x = `${context.a} "b"`; { [x]: context?.list.map((y, i) => [y, ...i]).length >= -1.5e3, "\\u00e9": !x ?? null })';
  parseExpression(text);
  for (let end = 0; end < text.length; end += 1) {
    try {
      parseExpression(text.slice(0, end), 'here');
    } catch (error) {
      expect(String(error)).toMatch(/^LockstepError: here(, in the template at \d+)?, at \d+: expected .*, found /);
    }
  }
});

test('[EXPR-6] what is printed parses to the same tree', () => {
  const seed = seedOf('print and parse');
  const dice = random(seed);
  for (let run = 0; run < 3000; run += 1) {
    const tree = randomTree(dice, 1 + dice.below(6));
    const text = printExpression(tree);
    expect(parseExpression(text), text).toStrictEqual(tree);
    expect(depthOf(tree)).toBeLessThan(DEPTH_MAX);
  }
});
