// Reading SCXML documents: what is taken, what is refused and how the refusal names the place.

import { expect, test } from 'vitest';
import { fromScxml } from '../../compiler/dialects/scxml.ts';
import { compile } from '../../compiler/compile.ts';
import { readScxml } from '../../compiler/scxml/read.ts';
import { parseXml, writeXml } from '../../compiler/scxml/xml.ts';
import { LockstepError } from '../../core/errors.ts';
import { scxml } from '../support/scxml.ts';

function refusal(text: string): string {
  try {
    compile(fromScxml(readScxml(text)));
  } catch (error) {
    if (error instanceof LockstepError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'taken';
}

const REFUSED: readonly (readonly [document: string, expected: string])[] = [
  ['', 'BAD_DEFINITION the document is not well-formed XML: 1:0: document must contain a root element.'],
  ['<scxml>', 'BAD_DEFINITION the document is not well-formed XML: 1:7: unclosed tag: scxml'],
  ['<state/>', 'BAD_DEFINITION <state> at 1:1: expected the root element <scxml>'],
  ['<scxml xmlns="urn:other"/>', 'BAD_DEFINITION <scxml> at 1:1: expected the root element <scxml>'],
  [scxml('<state/>', 'binding="soon"'), "BAD_DEFINITION <scxml> at 1:1: binding is early or late, found 'soon'"],
  ['<scxml>\n  <state id="a"/>\n  <state id="a"/>\n</scxml>', "BAD_DEFINITION <state> at 3:3: the id 'a' is taken by <state> in line 2"],
  [
    '<scxml><state><transition target="b"/></state></scxml>',
    "BAD_DEFINITION machine 'scxml', /scxml[0]/state[0]/transition[0]: no state has the id 'b'",
  ],
  ['<scxml initial="b"><state id="a"/></scxml>', "BAD_DEFINITION machine 'scxml', /scxml[0]/initial: no state has the id 'b'"],
  [
    '<scxml><state id="a" initial="b"><state id="c"/></state><state id="b"/></scxml>',
    "BAD_DEFINITION machine 'scxml', /scxml[0]/state#a/initial: the initial states of 'a' must lie inside it",
  ],
  [
    '<scxml initial="b c"><state id="b"/><state id="c"/></scxml>',
    "BAD_DEFINITION machine 'scxml', /scxml[0]/initial: its targets cannot be active together: they meet in 'scxml'",
  ],
  [
    '<scxml><state><transition type="inner"/></state></scxml>',
    "BAD_DEFINITION <transition> at 1:15: a transition is external or internal, found 'inner'",
  ],
  ['<scxml><state><onentry><raise/></onentry></state></scxml>', 'BAD_DEFINITION <raise> at 1:24: it needs the attribute event'],
  ['<scxml><state><onentry><beep/></onentry></state></scxml>', 'UNSUPPORTED <beep> at 1:24: no such executable content is known'],
  [
    '<scxml><state><onentry><if cond="a"><else/><else/></if></onentry></state></scxml>',
    'BAD_DEFINITION <else> at 1:44: nothing follows <else>',
  ],
  [
    '<scxml><state><onentry><send event="a" eventexpr="b"/></onentry></state></scxml>',
    'BAD_DEFINITION <send> at 1:24: it has both event and eventexpr',
  ],
  [
    '<scxml><state><onentry><assign location="a"/></onentry></state></scxml>',
    'BAD_DEFINITION <assign> at 1:24: it needs expr, or a value inside',
  ],
  [
    '<scxml><state><history><transition event="e" target="a"/></history></state></scxml>',
    'BAD_DEFINITION <transition> at 1:24: here it takes no event',
  ],
  ['<scxml><state><initial/></state></scxml>', 'BAD_DEFINITION <initial> at 1:15: it needs a <transition>'],
  ['<scxml><final><state/></final></scxml>', 'BAD_DEFINITION <state> at 1:15: a final state has no states inside'],
  ['<scxml><state><invoke id="a" idlocation="b"/></state></scxml>', 'BAD_DEFINITION <invoke> at 1:15: it has both id and idlocation'],
  [
    '<scxml><script src="x.js"/><state/></scxml>',
    "BAD_DEFINITION <script> at 1:8: its script 'x.js' cannot be fetched: no resources were given to fetch x.js from",
  ],
];

test.each(REFUSED)('[SCXML-1] refused: %s', (document, expected) => {
  expect(refusal(document)).toBe(expected);
});

test('[SCXML-1] a document cut off anywhere is refused, never half taken', () => {
  const whole = scxml(
    '<state id="a"><onentry><send event="e" delay="1s"/></onentry><transition event="e" target="b"/></state><final id="b"/>',
  );
  expect(refusal(whole)).toBe('taken');
  for (let length = 0; length < whole.length; length += 1) expect(refusal(whole.slice(0, length))).toMatch(/^BAD_DEFINITION /);
});

test('[SCXML-1] elements of other namespaces are left alone, and names without a namespace are taken', () => {
  const found = readScxml('<scxml xmlns:x="urn:x"><x:note/><state id="a"><x:tip/></state></scxml>');
  expect(found.root.children.map(({ id }) => id)).toEqual(['a']);
});

test('[SCXML-1] the same document gives the same bytes, and unnamed states are called by their path', () => {
  const text = scxml('<state><transition event="a b.* *" target="z"/></state><final id="z"/>', 'name="door"');
  const [one, other] = [compile(fromScxml(readScxml(text))), compile(fromScxml(readScxml(text)))];
  expect(one.bytes).toEqual(other.bytes);
  expect(one.symbols.id).toBe('door');
  expect(one.symbols.states.map(({ id }) => id)).toEqual(['door', '/scxml[0]/state[0]', 'z']);
  expect(one.symbols.events).toEqual(['', 'done.state.door', 'a.*', 'b.*', '*']);
});

test('[SCXML-1] a piece of XML written out alone means the same', () => {
  const outer = parseXml('<a xmlns="urn:a" xmlns:p="urn:p"><b c="&lt;&quot;">x &amp; <![CDATA[<y>]]></b><p:q/></a>');
  const [b, q] = outer.children.filter((child) => child.kind === 'element');
  expect(writeXml(b!)).toBe('<b xmlns="urn:a" c="&lt;&quot;">x &amp; &lt;y&gt;</b>');
  expect(writeXml(q!)).toBe('<p:q xmlns:p="urn:p"/>');
  expect(parseXml(writeXml(b!))).toMatchObject({ name: 'b', namespace: 'urn:a' });
  expect(() => parseXml(`${'<a>'.repeat(1_001)}${'</a>'.repeat(1_001)}`)).toThrow('deeper than 1000');
});
