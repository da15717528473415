// The words of the REPL: reading a line, completing one, and what is printed, without a peer or a terminal.

import { describe, expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import { complete, needsMachineOf, type Names } from '../../tools/repl/complete.ts';
import { colourPaint, formatError, formatNotice, formatResult, plainPaint, valueText } from '../../tools/repl/format.ts';
import { durationMs, jsonOf, parseLine, stateOf } from '../../tools/repl/parse.ts';
import { COMMAND_NAMES, helpText, usage } from '../../tools/repl/table.ts';

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof LockstepError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no error';
}

describe('parsing', () => {
  test.each([
    ['peers', 'peers', {}],
    ['  ls   ', 'ls', {}],
    ['ls server', 'ls', { PEER: 'server' }],
    ['use "a tab"', 'use', { PEER: 'a tab' }],
    ["use 'a tab'", 'use', { PEER: 'a tab' }],
    ['use "a \\"tab\\""', 'use', { PEER: 'a "tab"' }],
    ['send door OPEN', 'send', { INSTANCE: 'door', EVENT: 'OPEN' }],
    ['send door OPEN {"by": "Ann"}', 'send', { INSTANCE: 'door', EVENT: 'OPEN', JSON: '{"by": "Ann"}' }],
    ['send door OPEN {"a":{"b":"}"}}  ', 'send', { INSTANCE: 'door', EVENT: 'OPEN', JSON: '{"a":{"b":"}"}}' }],
    ['wait door open', 'wait', { INSTANCE: 'door', STATE: 'open' }],
    ['wait door open 2s', 'wait', { INSTANCE: 'door', STATE: 'open', TIMEOUT: '2s' }],
    ['wait door {"a": "b c"} 500', 'wait', { INSTANCE: 'door', STATE: '{"a": "b c"}', TIMEOUT: '500' }],
    ['create door', 'create', { MACHINE: 'door' }],
    ['create door front', 'create', { MACHINE: 'door', NAME: 'front' }],
    ['create door front {"open": true}', 'create', { MACHINE: 'door', NAME: 'front', INPUT: '{"open": true}' }],
    ['create door {"open": true}', 'create', { MACHINE: 'door', INPUT: '{"open": true}' }],
    ['eval tab 1 + "a b"', 'eval', { PEER: 'tab', SOURCE: '1 + "a b"' }],
    ['define door my\\door.json', 'define', { NAME: 'door', 'FILE.json': 'my\\door.json' }],
  ])('[TOOL-1] %s is read by the table', (line, command, args) => {
    expect(parseLine(line)).toEqual({ command, args });
  });

  test('[TOOL-1] empty lines and comments are no commands', () => {
    expect([parseLine(''), parseLine('   '), parseLine('# send door OPEN')]).toEqual([undefined, undefined, undefined]);
  });

  test.each([
    ['opne', 'UNKNOWN_METHOD: no command "opne"; try help'],
    ['sned door OPEN', 'UNKNOWN_METHOD: no command "sned", did you mean send?; try help'],
    ['send', 'BAD_PARAMS: send needs INSTANCE: send INSTANCE EVENT [JSON]'],
    ['send door', 'BAD_PARAMS: send needs EVENT: send INSTANCE EVENT [JSON]'],
    ['peers all', 'BAD_PARAMS: peers does not expect "all": peers'],
    ['send door OPEN {"a":1} more', 'BAD_PARAMS: send does not expect "more": send INSTANCE EVENT [JSON]'],
    ['use "a', 'BAD_PARAMS: use: the quote in PEER is not closed'],
    ['use ""', 'BAD_PARAMS: use: PEER is empty'],
  ])('[TOOL-1] %s is refused with a sentence', (line, message) => {
    expect(codeOf(() => parseLine(line))).toBe(message);
  });

  test('[TOOL-1] JSON that is cut off anywhere is refused', () => {
    const whole = '{"a":[1,"}",{"b":null}]}';
    for (let size = 1; size < whole.length; size++) {
      expect(codeOf(() => parseLine(`send door OPEN ${whole.slice(0, size)}`))).toMatch(/^BAD_PARAMS: send: JSON is not JSON/);
    }
    expect(codeOf(() => parseLine(`send door OPEN ${whole}`))).toBe('no error');
  });

  test('[TOOL-1] arguments become values', () => {
    expect([jsonOf('{"a":1}'), jsonOf(undefined), stateOf('a.b'), stateOf('{"a":"b"}')]).toEqual([{ a: 1 }, undefined, 'a.b', { a: 'b' }]);
    expect(['500', '500ms', '10s', '1.5s', '2m'].map(durationMs)).toEqual([500, 500, 10_000, 1_500, 120_000]);
    expect(codeOf(() => durationMs('soon'))).toBe('BAD_PARAMS: "soon" is no duration: expected 500, 500ms, 10s or 2m');
  });

  test('[TOOL-1] help has every command, and its usage can be read back', () => {
    for (const name of COMMAND_NAMES) {
      expect(helpText()).toContain(usage(name));
      expect(helpText(name)).toContain(usage(name));
    }
  });
});

describe('completion', () => {
  const names: Names = {
    peers: ['server', 'tab'],
    instances: ['door', 'dome'],
    machines: ['door'],
    events: (instance) => (instance === 'door' ? ['OPEN', 'CLOSE'] : []),
    states: (instance) => (instance === 'door' ? ['door.open', 'door.closed'] : []),
  };

  test.each([
    ['', COMMAND_NAMES.map((name) => `${name} `), ''],
    ['wa', ['watch ', 'wait '], 'wa'],
    ['help s', ['send ', 'set '], 's'],
    ['use t', ['tab '], 't'],
    ['watch do', ['door ', 'dome '], 'do'],
    ['send door ', ['OPEN ', 'CLOSE '], ''],
    ['send door C', ['CLOSE '], 'C'],
    ['send dome ', [], ''],
    ['wait door door.o', ['door.open '], 'door.o'],
    ['add door door.o', ['door.open '], 'door.o'],
    ['when door door.open,-door.c', ['door.open,-door.closed '], 'door.open,-door.c'],
    ['create d', ['door '], 'd'],
    ['trace o', ['on ', 'off '], 'o'],
    ['send door OPEN {', [], '{'],
    ['peers x', [], 'x'],
    ['nothing x', [], 'x'],
  ])('[TOOL-1] "%s" offers what the table says', (line, fitting, text) => {
    expect(complete(line, names)).toEqual([fitting, text]);
  });
});

describe('printing', () => {
  test('[TOOL-2] without colours there is no escape, with them only around the same text', () => {
    const result = { kind: 'sent', instance: 'door', event: 'OPEN', outcome: 'stepped', seq: 3 } as const;
    expect(formatResult(result, plainPaint)).toBe('stepped door seq 3');
    expect(formatResult(result, colourPaint).replaceAll(/\u001b\[\d+m/g, '')).toBe('stepped door seq 3');
    expect(formatResult(result, colourPaint)).toContain('\u001b[32m');
  });

  test('[TOOL-2] an error is its code and its sentence', () => {
    expect(formatError(new LockstepError('UNKNOWN_INSTANCE', 'there is no instance dor here'), plainPaint)).toBe(
      'UNKNOWN_INSTANCE there is no instance dor here',
    );
  });

  test('[TOOL-2] a change tells the state before and after and what the context lost and gained', () => {
    const change = {
      kind: 'change',
      instance: 'door',
      seq: 4,
      before: 'closed',
      value: { open: 'wide' },
      status: 'active',
      patch: [
        { op: 'replace', path: '/count', value: 2 },
        { op: 'remove', path: '/by' },
      ],
    } as const;
    expect(formatNotice(change, plainPaint)).toBe('door seq 4 closed → open.wide /count=2 /by removed');
  });

  test('[TOOL-2] a step tells time, cause, states and effects', () => {
    const step = {
      kind: 'step',
      peer: 'server',
      instance: 'foo',
      seq: 7,
      at: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
      event: 'HELLO',
      from: 'tab',
      n: 12,
      ignored: false,
      entered: ['busy'],
      left: ['idle'],
      patch: [{ op: 'add', path: '/a', value: 'x' }],
      effects: ['say'],
    } as const;
    expect(formatNotice(step, plainPaint)).toBe('03:04:05.006 foo#7 HELLO from tab.12 -idle +busy /a="x" effects say');
  });

  test('[TOOL-2] peers and listings stand in columns', () => {
    const peers = [
      { peer: 'aaaa', name: 'server', kind: 'server', hosts: true, eval: false, attached: true, self: false },
      { peer: 'bb', name: 'repl', kind: 'tool', hosts: false, eval: false, attached: false, self: true },
    ] as const;
    expect(formatResult({ kind: 'peers', peers }, plainPaint)).toBe('*  aaaa  server  server  hosts\n   bb    tool    repl    this one');
    const instances = [{ instance: 'door', machine: 'door', image: 'ff', epoch: 1, seq: 3, status: 'active', value: 'open' }] as const;
    expect(formatResult({ kind: 'listing', peer: 'aaaa', machines: [{ machine: 'door', image: 'ff' }], instances }, plainPaint)).toBe(
      'machines\n  door  ff\ninstances\n  door  door  seq 3  active  open',
    );
  });

  test('[TOOL-2] a value is a path where it is one, JSON where regions are parallel', () => {
    expect([
      valueText('a'),
      valueText({ a: { b: 'c' } }),
      valueText({ a: 'x', b: 'y' }),
      valueText({ p: { a: 'x', b: 'y' } }),
      valueText({}),
      valueText({ Ready: {}, Start: {} }),
      valueText({ p: { a: {}, b: {} } }),
    ]).toEqual(['a', 'a.b.c', '{"a":"x","b":"y"}', '{"p":{"a":"x","b":"y"}}', '{}', 'Ready Start', '{"p":{"a":{},"b":{}}}']);
  });
});

test.each([
  ['send front ', 'front'],
  ['send front op', 'front'],
  ['  wait Ann/front op', 'Ann/front'],
  ['time front ', 'front'],
  ['send fr', undefined],
  ['send front open ', undefined],
  ['create door fr', undefined],
  ['inspect front ', undefined],
  ['frob front x', undefined],
  ['', undefined],
])('[TOOL-1] at "%s" completion needs the machine of %s', (line, instance) => {
  expect(needsMachineOf(line)).toBe(instance);
});
