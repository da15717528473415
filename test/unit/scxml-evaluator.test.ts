// The ECMAScript data model by itself: values in and out, system variables, limits.

import { expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import { EvaluationError, type DataSession } from '../../compiler/scxml/evaluator.ts';
import { quickJsEvaluator } from '../../compiler/scxml/quickjs.ts';

async function open(): Promise<DataSession> {
  const evaluator = await quickJsEvaluator({ workUnits: 200, memoryBytes: 4 * 1024 * 1024 });
  const session = evaluator.open({
    sessionId: 's1',
    name: 'machine',
    processors: { scxml: { location: '#_scxml_s1' } },
    isIn: (state) => state === 'here',
  });
  session.declare('x');
  return session;
}

const REFUSED: readonly (readonly [location: string, expression: string, reason: string])[] = [
  ['x', 'return', 'SyntaxError'],
  ['x', '{a: 1', 'SyntaxError'],
  ['x', 'nothing.here', 'ReferenceError'],
  ['undeclared', '1', 'ReferenceError'],
  ['x.y.z', '1', 'TypeError'],
  ['', '1', 'SyntaxError'],
  ['_event', '1', 'TypeError'],
  ['_sessionid', '1', 'TypeError'],
  ['_name', '1', 'TypeError'],
  ['_ioprocessors', '1', 'TypeError'],
  ['_ioprocessors.scxml', '1', 'TypeError'],
  ['In', '1', 'TypeError'],
];

test.each(REFUSED)('[SCXML-12] %s = %s is refused', async (location, expression, reason) => {
  const session = await open();
  expect(() => session.assign(location, expression)).toThrow(EvaluationError);
  expect(() => session.assign(location, expression)).toThrow(reason);
  expect(session.read()).toEqual({});
  session.dispose();
});

const EXCESSIVE: readonly (readonly [what: string, script: string, reason: string])[] = [
  ['endless work', 'while (true);', 'interrupted'],
  ['endless calls', 'for (;;) (function () {})();', 'interrupted'],
  ['endless recursion', '(function again() { again(); })()', 'stack overflow'],
  ['deep nesting', "eval('['.repeat(5_000) + ']'.repeat(5_000))", 'stack overflow'],
  ['a list in itself', "const list = [1]; list[0] = list; list + ''", 'stack overflow'],
  ['endless text', "let text = 'x'; for (;;) text += text;", 'too long'],
  ['endless data', 'const list = []; for (;;) list.push({ a: [1] });', 'memory'],
];

test.each(EXCESSIVE)('[SCXML-12] %s ends, and the session stays usable', async (_what, script, reason) => {
  const session = await open();
  expect(() => session.run(script)).toThrow(reason);
  session.assign('x', '1 + 1');
  expect(session.evaluate('x')).toBe(2);
  session.dispose();
});

test('[SCXML-12] nothing of the host is there, and scripts cannot change the helpers', async () => {
  const session = await open();
  for (const name of ['process', 'require', 'fetch', 'console', 'setTimeout', 'WebAssembly', 'host'])
    expect([name, session.evaluate(`typeof ${name}`)]).toEqual([name, 'undefined']);
  session.run(
    "JSON.stringify = () => 'mine'; JSON.parse = () => 1; Object.keys = () => []; Array.from = () => []; globalThis.In = () => true;",
  );
  session.assign('x', '[1, {a: null}]');
  expect(session.read()).toEqual({ x: [1, { a: null }] });
  expect(session.condition("In('here') && !In('there')")).toBe(true);
  session.dispose();
});

test('[SCXML-9] values cross as plain JSON; XML comes as elements and goes as text', async () => {
  const session = await open();
  session.setEvent({ name: 'e', type: 'external', data: { book: { $xml: '<b t="1"><c>one</c><c>two</c></b>' } } });
  expect(session.evaluate("_event.data.book.getElementsByTagName('c').map((c) => c.textContent)")).toEqual(['one', 'two']);
  expect(session.evaluate("[_event.data.book.getAttribute('t'), _event.data.book.getAttribute('u'), _event.sendid]")).toEqual([
    '1',
    null,
    null,
  ]);
  session.assign('x', '_event.data.book.firstChild');
  expect(session.read()).toEqual({ x: { $xml: '<c>one</c>' } });
  session.write({ x: { $xml: '<d/>' } });
  expect(session.evaluate('x.tagName')).toBe('d');
  session.assign('x', '({ f() {}, n: 0 / 0, u: undefined, d: -0 })');
  expect(session.read()).toEqual({ x: { n: null, d: 0 } });
  session.run('var circle = {}; circle.circle = circle; var kept = 1;');
  expect(session.read()).toEqual({ x: { n: null, d: 0 }, kept: 1 });
  session.write({ kept: 2 });
  expect([session.evaluate('x'), session.evaluate('kept')]).toEqual([undefined, 2]);
  session.dispose();
});

test('[SCXML-12] a loop goes through a copy of its array, into names that are variables', async () => {
  const session = await open();
  session.assign('x', '[1, 2]');
  const seen: unknown[] = [];
  session.forEach({ array: 'x', item: 'item', index: 'i' }, () => {
    seen.push(session.evaluate('[i, item]'));
    session.assign('x', 'x.concat(3)');
  });
  expect(seen).toEqual([
    [0, 1],
    [1, 2],
  ]);
  for (const loop of [
    { array: '7', item: 'a' },
    { array: 'x', item: "'continue'" },
    { array: 'x', item: 'if' },
    { array: 'x', item: '_event' },
  ])
    expect(() => session.forEach({ ...loop, index: undefined }, () => undefined), loop.item).toThrow(EvaluationError);
  session.dispose();
});

test('[SCXML-12] an engine that broke off refuses everything; a new evaluator has a new one', async () => {
  const careless = (await quickJsEvaluator({ stackBytes: 256 * 1024 })).open({
    sessionId: 's',
    name: 'm',
    processors: {},
    isIn: () => false,
  });
  expect(() => careless.run("eval('['.repeat(20_000) + ']'.repeat(20_000))")).toThrow(LockstepError);
  expect(() => careless.evaluate('1')).toThrow('is spoiled');
  careless.dispose();
  const session = await open();
  expect(session.evaluate('1')).toBe(1);
  session.dispose();
});
