// Where SCXML's semantics differ from XState's, each on the smallest document that shows it.

import { expect, test } from 'vitest';
import { place, scxml } from '../support/scxml.ts';

/** The log of a session to which these events come; configurations stand between. */
function run(document: string, events: readonly string[], options: { readonly domains?: 'nearest' | 'compound' } = {}): string[] {
  const { system, log } = place({ options });
  const session = system.start(document);
  const found = [...log.splice(0), session.configuration().join(' ')];
  for (const type of events) {
    session.send({ type });
    found.push(...log.splice(0), session.configuration().join(' '));
  }
  session.stop();
  return found;
}

const log = (text: string): string => `<log label="${text}"/>`;
const enter = (text: string): string => `<onentry>${log(`+${text}`)}</onentry><onexit>${log(`-${text}`)}</onexit>`;
/** What log() leaves in the log. */
const said = (...labels: readonly string[]): string[] => labels.map((label) => `${label}: undefined`);

test('[SCXML-5] an ancestor of several regions is asked by each leaf that found nothing below', () => {
  const document = scxml(`<parallel id="p">
    <transition event="e">${log('ancestor')}</transition>
    <state id="a"><transition event="e">${log('a')}</transition></state>
    <state id="b"/>
    <state id="c"/>
  </parallel>`);
  expect(run(document, ['e'])).toEqual(['a b c', ...said('a', 'ancestor'), 'a b c']);
});

test('[SCXML-5] descriptors take what follows after a dot, and the first in the document wins', () => {
  const document = scxml(`<state id="s">
    <transition event="a" cond="false"/>
    <transition event="x a.b">${log('first')}</transition>
    <transition event="a.b.c">${log('longer')}</transition>
    <transition event="*">${log('any')}</transition>
    <transition event="a">${log('last')}</transition>
  </state>`);
  const events = ['a.b', 'a.b.c', 'a.b.c.d', 'a', 'ab', 'x', 'x.y', 'nothing'];
  const found = run(document, events).filter((line) => line !== 's');
  expect(found).toEqual(said('first', 'first', 'first', 'any', 'any', 'first', 'first', 'any'));
});

const regions = scxml(`<parallel id="p">${enter('p')}
  <state id="a">${enter('a')}<transition event="self" target="a"/></state>
  <state id="b">${enter('b')}<transition event="across" target="a"/></state>
</parallel>`);

test('[SCXML-6] a transition of a region leaves its siblings, and the parallel only with compound domains', () => {
  const entered = said('+p', '+a', '+b');
  const inside = said('-b', '-a', '+a', '+b');
  const whole = said('-b', '-a', '-p', '+p', '+a', '+b');
  expect(run(regions, ['self', 'across'])).toEqual([...entered, 'a b', ...inside, 'a b', ...inside, 'a b']);
  expect(run(regions, ['self', 'across'], { domains: 'compound' })).toEqual([...entered, 'a b', ...whole, 'a b', ...whole, 'a b']);
});

test('[SCXML-6] internal keeps a compound that is the source, not a parallel, and not for a target outside', () => {
  const document = scxml(`<state id="s">${enter('s')}
      <transition event="external" target="y"/>
      <transition event="internal" type="internal" target="y"/>
      <transition event="itself" type="internal" target="s"/>
      <transition event="out" type="internal" target="p"/>
      <state id="x"/><state id="y"/>
    </state>
    <parallel id="p">${enter('p')}<transition event="internal" type="internal" target="q"/><state id="q"/><state id="r"/></parallel>`);
  expect(run(document, ['internal', 'external', 'itself', 'out', 'internal'])).toEqual([
    ...said('+s'),
    'x',
    'y',
    ...said('-s', '+s'),
    'y',
    ...said('-s', '+s'),
    'x',
    ...said('-s', '+p'),
    'q r',
    ...said('-p', '+p'),
    'q r',
  ]);
});

test('[SCXML-7] initial states lie deep and in several regions; content of initial transitions follows the entry of their parent', () => {
  const document = scxml(
    `<state id="s">${enter('s')}
      <initial><transition target="a2 b2">${log('initial of s')}</transition></initial>
      <parallel id="p">${enter('p')}
        <state id="a" initial="a1">${enter('a')}<state id="a1"/><state id="a2">${enter('a2')}</state></state>
        <state id="b">${enter('b')}<initial><transition target="b1">${log('initial of b')}</transition></initial><state id="b1"/><state id="b2">${enter('b2')}</state></state>
      </parallel>
    </state>
    <state id="t"><transition event="e" target="p"/></state>`,
    'initial="s"',
  );
  expect(run(document, [])).toEqual([...said('+s', 'initial of s', '+p', '+a', '+a2', '+b', '+b2'), 'a2 b2']);
});

test('[SCXML-7] the default of a history runs its content when nothing is remembered, and only then', () => {
  const document = scxml(`<state id="out"><transition event="in" target="h"/></state>
    <state id="s">${enter('s')}
      <history id="h" type="deep"><transition target="d2">${log('default')}</transition></history>
      <initial><transition target="c">${log('initial')}</transition></initial>
      <transition event="out" target="out"/><transition event="reset" target="s"/>
      <state id="c">${enter('c')}</state>
      <state id="d">${enter('d')}<initial><transition target="d1">${log('initial of d')}</transition></initial><state id="d1"/><state id="d2"/></state>
    </state>`);
  expect(run(document, ['in', 'reset', 'out', 'in'])).toEqual([
    'out',
    ...said('+s', 'default', '+d'),
    'd2',
    ...said('-d', '-s', '+s', 'initial', '+c'),
    'c',
    ...said('-c', '-s'),
    'out',
    ...said('+s', '+c'),
    'c',
  ]);
});

test('[SCXML-7] a shallow history runs the initial content of what it enters', () => {
  const document = scxml(`<state id="s">
      <history id="h"><transition target="c"/></history>
      <transition event="away" target="out"/>
      <state id="c"><initial><transition target="c1">${log('initial of c')}</transition></initial><state id="c1"><transition event="next" target="c2"/></state><state id="c2"/></state>
    </state>
    <state id="out"><transition event="back" target="h"/></state>`);
  expect(run(document, ['next', 'away', 'back'])).toEqual([...said('initial of c'), 'c1', 'c2', 'out', ...said('initial of c'), 'c1']);
});

test('[SCXML-7] a final state completes its parent and the parallel around that; only a final child of the root ends the session', () => {
  const document = scxml(`<parallel id="outer">
      <transition event="done.state.inner">${log('inner')}</transition>
      <transition event="done.state.outer">${log('outer')}</transition>
      <transition event="done.state.a">${log('a')}</transition>
      <parallel id="inner">
        <state id="a"><state id="a1"><transition event="e" target="a2"/></state><final id="a2"/></state>
        <state id="b"><final id="b1"/></state>
      </parallel>
      <transition event="end" target="end"/>
    </parallel>
    <final id="end"><onexit>${log('-end')}</onexit></final>`);
  expect(run(document, ['e', 'end', 'e'])).toEqual(['a1 b1', ...said('a', 'inner'), 'a2 b1', ...said('-end'), 'end', 'end']);
});
