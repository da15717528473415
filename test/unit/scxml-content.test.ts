// Executable content: errors, data and the context, events between sessions, invocations.

import { expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import { place, scxml } from '../support/scxml.ts';

const log = (expression: string): string => `<log label="log" expr="${expression}"/>`;

test('[SCXML-8] an error ends its block, not the next one, and says where it happened', () => {
  const { system, log: lines } = place();
  const session = system.start(
    scxml(`<datamodel><data id="n" expr="0"/></datamodel>
      <state id="s">
        <onentry><if cond="true"><assign location="n" expr="nothing.here"/></if><assign location="n" expr="1"/></onentry>
        <onentry><assign location="n" expr="n + 10"/></onentry>
        <transition event="error.execution">${log('[_event.type, _event.data.tagname, _event.data.line, typeof _event.data.column]')}${log('_event.data.reason')}</transition>
        <transition event="e" cond="nothing.there" target="t"/>
        <transition event="e" target="u"/>
      </state>
      <state id="t"/><state id="u"><transition event="error">${log("'condition: ' + _event.data.tagname")}</transition></state>`),
  );
  expect(session.getSnapshot().context).toEqual({ n: 10 });
  expect(lines.splice(0)).toEqual(['log: ["platform","assign",3,"number"]', "log: ReferenceError: 'nothing' is not defined"]);
  session.send({ type: 'e' });
  expect([session.configuration(), lines]).toEqual([['u'], ['log: condition: transition']]);
});

const ERRORS: readonly (readonly [content: string, event: string])[] = [
  ['<send event="x" target="nowhere"/>', 'error.execution'],
  ['<send event="x" target="#_scxml_nobody"/>', 'error.communication'],
  ['<send event="x" target="#_parent"/>', 'error.communication'],
  ['<send event="x" target="#_child"/>', 'error.communication'],
  ['<send event="x" type="carrier pigeon"/>', 'error.execution'],
  ['<send event="x" delay="soon"/>', 'error.execution'],
  ['<send event="x" delay="1s" target="#_internal"/>', 'error.execution'],
  ['<send event="x" namelist="unknown"/>', 'error.execution'],
  ['<send eventexpr="7"/>', 'error.execution'],
  ['<cancel sendidexpr="unknown"/>', 'error.execution'],
  ['<foreach array="7" item="i"/>', 'error.execution'],
  ['<script>unknown()</script>', 'error.execution'],
  ['<assign location="n" expr="for"/>', 'error.execution'],
  ['<assign location="_event" expr="1"/>', 'error.execution'],
  ['<script>for (;;);</script>', 'error.execution'],
];

test.each(ERRORS)('[SCXML-8] %s is %s', (content, event) => {
  const { system, log: lines } = place();
  system.start(
    scxml(`<datamodel><data id="n"/></datamodel>
      <state><onentry>${content}<raise event="not.reached"/></onentry><transition event="*">${log('_event.name')}</transition></state>`),
  );
  expect(lines).toEqual([`log: ${event}`]);
});

test('[SCXML-9] a step that was undone leaves the data as they were', () => {
  const { system } = place();
  const session = system.start(
    scxml(`<datamodel><data id="n" expr="1"/></datamodel>
      <state id="s"><transition event="round"><assign location="n" expr="n + 1"/></transition>
        <transition event="endless" target="t"><assign location="n" expr="100"/></transition></state>
      <state id="t"><transition><assign location="n" expr="n + 1"/></transition></state>`),
  );
  session.send({ type: 'round' });
  expect(() => session.send({ type: 'endless' })).toThrow(LockstepError);
  expect([session.configuration(), session.getSnapshot().context]).toEqual([['s'], { n: 2 }]);
  session.send({ type: 'round' });
  expect(session.getSnapshot().context).toEqual({ n: 3 });
});

test('[SCXML-9] what scripts define is there, and what JSON cannot say stays in the session', () => {
  const { system } = place();
  const session = system.start(
    scxml(`<script>var made = [1]; function twice(n) { return n * 2; }</script>
      <datamodel><data id="f" expr="function (n) { return n + 1; }"/><data id="text"> some
         text </data><data id="list">[1, {"a": 2}]</data><data id="xml"><a b="c"/></data><data id="none"/></datamodel>
      <state><transition event="e"><assign location="none" expr="twice(f(2))"/></transition></state>`),
  );
  const before = { list: [1, { a: 2 }], made: [1], text: 'some text', xml: { $xml: '<a xmlns="http://www.w3.org/2005/07/scxml" b="c"/>' } };
  expect(session.getSnapshot().context).toEqual(before);
  session.send({ type: 'e' });
  expect(session.getSnapshot().context).toEqual({ ...before, none: 6 });
});

test('[SCXML-10] what it sends itself waits for the next turn, in order; delays and cancel go by the clock', () => {
  const { system, clock, log: lines } = place();
  const session = system.start(
    scxml(`<state><onentry>
        <send event="later" delay="1.5s"/><send event="sooner" delay="100ms" id="a"/><send event="never" delayexpr="'1s'" id="b"/>
        <send event="one"/><raise event="inside"/><send event="two"><param name="p" expr="1"/></send><cancel sendid="b"/>
      </onentry>
      <transition event="*">${log('[_event.name, _event.type, _event.sendid, _event.data]')}</transition></state>`),
  );
  expect(lines.splice(0)).toEqual(['log: ["inside","internal",null,null]']);
  clock.advance(0);
  expect(lines.splice(0)).toEqual(['log: ["one","external",null,null]', 'log: ["two","external",null,{"p":1}]']);
  clock.advance(99);
  expect(lines.splice(0)).toEqual([]);
  clock.advance(5_000);
  expect(lines).toEqual(['log: ["sooner","external","a",null]', 'log: ["later","external",null,null]']);
  session.stop();
});

test('[SCXML-10] sessions address one another, and know where an event comes from', () => {
  const { system, clock, log: lines } = place();
  const echo = scxml(
    `<state><transition event="ping"><send event="pong" targetexpr="_event.origin" typeexpr="_event.origintype"/></transition></state>`,
  );
  system.start(echo, { id: 'echo' });
  system.start(
    scxml(`<state><onentry><send event="ping" target="#_scxml_echo"/></onentry>
    <transition event="pong">${log('[_event.name, _event.origin, _sessionid]')}</transition></state>`),
    { id: 'asker' },
  );
  clock.advance(0);
  expect(lines).toEqual(['log: ["pong","#_scxml_echo","asker"]']);
  expect(() => system.start(echo, { id: 'echo' })).toThrow('is running');
});

const child = (inside: string): string =>
  `<content><scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" datamodel="ecmascript">${inside}</scxml></content>`;

test('[SCXML-11] only states that are active when the macrostep ends invoke, and finalize comes before the selection', () => {
  const { system, clock, log: lines } = place();
  const hello = child('<final id="f"><onentry><send event="hello" target="#_parent"><param name="n" expr="7"/></send></onentry></final>');
  const session = system.start(
    scxml(`<datamodel><data id="n" expr="0"/></datamodel>
      <state id="passing"><invoke id="no">${hello}</invoke><transition target="s"/></state>
      <state id="s">
        <invoke id="kid">${hello}<finalize><assign location="n" expr="_event.data.n"/></finalize></invoke>
        <transition event="hello" cond="n === 7">${log('[_event.invokeid, n]')}</transition>
        <transition event="done.invoke.kid" target="t"/>
      </state>
      <state id="t"/>`),
  );
  clock.advance(10);
  expect([lines, session.configuration()]).toEqual([['log: ["kid",7]'], ['t']]);
});

test('[SCXML-11] an empty finalize takes the values back into their places', () => {
  const { system, clock } = place();
  const answer = child(
    '<datamodel><data id="a"/></datamodel><final id="f"><onentry><send event="back" target="#_parent"><param name="a" expr="a + 1"/><param name="c" expr="9"/></send></onentry></final>',
  );
  const session = system.start(
    scxml(`<datamodel><data id="a" expr="1"/><data id="c" expr="0"/></datamodel>
      <state><invoke namelist="a">${answer}<finalize/></invoke></state>`),
  );
  clock.advance(10);
  expect(session.getSnapshot().context).toEqual({ a: 2, c: 0 });
});

test('[SCXML-11] leaving the state cancels: exit content runs, nothing comes back, delayed events are gone', () => {
  const { system, clock, log: lines } = place();
  const kid = child(`<state id="k"><onentry><send event="late" target="#_parent" delay="1s"/></onentry>
    <onexit>${log("'leaving'")}<send event="gone" target="#_parent"/></onexit></state>`);
  const session = system.start(
    scxml(`<state id="s"><invoke id="kid" autoforward="true">${kid}</invoke><transition event="stop" target="t"/></state>
      <state id="t"><transition event="*">${log('_event.name')}</transition></state>`),
  );
  session.send({ type: 'stop' });
  clock.advance(5_000);
  expect(lines).toEqual(['log: leaving']);
  session.send({ type: 'end' });
  expect(lines).toEqual(['log: leaving', 'log: end']);
});

test('[SCXML-11] what cannot be invoked is an error event', () => {
  const { system, clock, log: lines } = place({ resource: (uri) => (uri === 'bad.scxml' ? '<scxml><state>' : raise(uri)) });
  system.start(
    scxml(`<state><invoke src="bad.scxml"/><invoke src="missing.scxml"/><invoke type="opera"/><invoke srcexpr="unknown"/>
      <transition event="error">${log('[_event.name, _event.invokeid === undefined]')}</transition></state>`),
  );
  clock.advance(10);
  expect(lines.sort()).toEqual([
    'log: ["error.communication",false]',
    'log: ["error.communication",false]',
    'log: ["error.execution",true]',
    'log: ["error.execution",true]',
  ]);
});

function raise(uri: string): never {
  throw new Error(`nothing at ${uri}`);
}

test('[SCXML-13] binding early and late', () => {
  const document = (binding: string): string =>
    scxml(
      `<datamodel><data id="order" expr="[]"/></datamodel><script>function made(name) { order = order.concat(name); return name; }</script>
        <state id="s"><datamodel><data id="a" expr="order.concat('a')"/></datamodel><onentry><script>made('entry of s')</script></onentry>
          <transition event="e" target="t"/></state>
        <state id="t"><datamodel><data id="b" expr="order.concat('b')"/></datamodel><transition event="e" target="s"/></state>`,
      `binding="${binding}"`,
    );
  const contextOf = (binding: string): unknown => {
    const session = place().system.start(document(binding));
    for (let turn = 0; turn < 3; turn += 1) session.send({ type: 'e' });
    return session.getSnapshot().context;
  };
  const order = ['entry of s', 'entry of s'];
  expect(contextOf('early')).toEqual({ order, a: ['a'], b: ['b'] });
  expect(contextOf('late')).toEqual({ order, a: ['a'], b: ['entry of s', 'b'] });
});
