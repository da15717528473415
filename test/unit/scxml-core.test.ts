// SCXML images in the core: recorded steps without an evaluator, and images that nobody compiled.

import { expect, test } from 'vitest';
import { IMAGE_HASH, IMAGE_HASHED_SIZE, IMAGE_SEMANTICS } from '../../assembly/layout.ts';
import { compile } from '../../compiler/compile.ts';
import { fromScxml } from '../../compiler/dialects/scxml.ts';
import { bindScxml } from '../../compiler/scxml/bind.ts';
import { functionsByPath } from '../../compiler/scxml/functions.ts';
import { Interpreter } from '../../compiler/scxml/interpreter.ts';
import { readScxml } from '../../compiler/scxml/read.ts';
import { LockstepError } from '../../core/errors.ts';
import { Instance } from '../../core/instance.ts';
import { Machine } from '../../core/machine.ts';
import type { Core } from '../../core/wasm.ts';
import { evaluator, scxml, typescript, wasm } from '../support/scxml.ts';
import { testCore } from '../support/core.ts';
import { random, seedOf } from '../support/random.ts';

/** Everything that SCXML adds: deep initial states, history content, invocations, donedata, conditions that fail, events from content. */
const everything = scxml(
  `<datamodel><data id="n" expr="0"/></datamodel>
  <state id="s"><initial><transition target="a2 b2"><raise event="initial"/></transition></initial>
    <transition event="away" target="out"/><transition event="failing" cond="nothing.here" target="out"/>
    <transition event="error.execution"><assign location="n" expr="n + 100"/></transition>
    <parallel id="p">
      <state id="a" initial="a1"><state id="a1"/><state id="a2"><transition event="initial" target="a1"/></state></state>
      <state id="b"><state id="b1"><invoke id="kid" src="kid.scxml"><finalize><assign location="n" expr="_event.data"/></finalize></invoke></state>
        <state id="b2"><transition event="next" target="b1"/><transition event="end" target="bf"/></state>
        <final id="bf"><donedata><content expr="n"/></donedata></final></state>
    </parallel>
    <history id="h" type="deep"><transition target="b1"><assign location="n" expr="n + 1"/></transition></history>
  </state>
  <state id="out"><onentry><assign location="n" expr="n + 10"/></onentry><transition event="back" target="h"/><transition cond="n &gt; 1000" target="over"/></state>
  <final id="over"><donedata><param name="n" expr="n"/></donedata></final>`,
  'name="everything"',
);

const document = readScxml(everything);
const { bytes, symbols } = compile(fromScxml(document));
const STAMP = { now: 0, seed: 1, salt: '' };

function load(core: Core): Instance {
  const machine = Machine.load(
    core,
    bytes,
    bindScxml(symbols, document, () => interpreter),
  );
  const instance = Instance.create(machine);
  const start = functionsByPath(document).get('/start');
  if (start?.kind !== 'start') throw new Error('the document has no start');
  const view = {
    id: 'session',
    name: 'everything',
    processors: {},
    hasParent: false,
    given: {},
    tick: (state: string) => instance.tick(state),
    children: () => instance.children,
    hasSession: () => false,
    hasProcessor: () => false,
    resource: (uri: string): string => uri,
  };
  const interpreter: Interpreter = new Interpreter(view, evaluator, start);
  return instance;
}

/** What the core holds of an instance. */
function coreState(instance: Instance): unknown {
  const { status, clocks, history } = instance.save();
  return { status, clocks, history };
}

const EVENTS = ['next', 'failing', 'away', 'back', 'unknown', 'end', 'next', 'away', 'back', 'failing', 'away'];

test('[SCXML-14] recorded steps replay without functions, on either core', () => {
  const instance = load(wasm);
  const replicas = [wasm, typescript].map((core) => Instance.create(Machine.load(core, bytes)));
  let failing = 0;
  for (const type of ['xstate.init', ...EVENTS]) {
    const event = type === 'next' ? { type, kind: 'external', invokeid: 'kid', data: 5 } : { type, kind: 'external' };
    const outcome = type === 'xstate.init' ? instance.start(undefined, STAMP) : instance.step(event, STAMP);
    if (outcome.host.some((result) => Array.isArray(result) && result[0] === false && result.length > 1)) failing += 1;
    for (const replica of replicas) {
      const again = replica.replay(type === 'xstate.init' ? { type } : event, STAMP, outcome.host);
      expect([type, again.clocks, again.status]).toEqual([type, outcome.clocks, outcome.status]);
      expect(coreState(replica)).toEqual(coreState(instance));
    }
  }
  expect(failing).toBeGreaterThan(0);
  expect(instance.tick('out')).toBeGreaterThan(2);
});

test('[SCXML-14] an instance that was saved goes on elsewhere as it would have gone on here', () => {
  for (let cut = 0; cut <= EVENTS.length; cut += 1) {
    const here = load(wasm);
    here.start(undefined, STAMP);
    for (const type of EVENTS.slice(0, cut)) here.step({ type, kind: 'external' }, STAMP);
    const there = load(typescript);
    there.load(here.save(), here.seq);
    for (const type of EVENTS.slice(cut)) {
      const [one, other] = [here, there].map((instance) => instance.step({ type, kind: 'external' }, STAMP));
      expect([cut, type, other!.clocks, other!.after]).toEqual([cut, type, one!.clocks, one!.after]);
    }
    expect(there.digest()).toBe(here.digest());
  }
});

test('[SCXML-15] mutated images of SCXML neither trap nor hang nor write outside their own memory', async () => {
  const dice = random(seedOf('mutated SCXML images'));
  const core = await testCore();
  const { exports } = core;
  const canary = exports.allocate(4_096);
  let refused = 0;
  let ran = 0;
  for (let round = 0; round < 6_000; round += 1) {
    const mutant = bytes.slice();
    for (let count = 1 + dice.below(4); count > 0; count -= 1)
      mutant[dice.below(mutant.length)] = dice.chance(0.5) ? dice.below(256) : dice.pick([0, 1, 255, 127]);
    const view = new DataView(mutant.buffer);
    const size = Math.min(view.getUint32(IMAGE_HASHED_SIZE, true), mutant.length);
    const copy = exports.allocate(mutant.length);
    core.bytes.set(mutant, copy);
    exports.hash(copy + IMAGE_SEMANTICS, Math.max(0, size - IMAGE_SEMANTICS), 0, 0, copy);
    mutant.set(core.bytes.subarray(copy, copy + 8), IMAGE_HASH);
    exports.release(copy, mutant.length);
    let image: number;
    try {
      image = core.loadImage(mutant);
    } catch (error) {
      if (!(error instanceof LockstepError) || error.code !== 'BAD_IMAGE') throw error;
      refused += 1;
      continue;
    }
    core.bytes.fill(0xa5, canary, canary + 4_096);
    const eventCount = core.words[(image + 36) >>> 2]!;
    core.host = {
      guard: () => (dice.chance(0.1) ? (exports.raise(dice.below(eventCount)), 0) : dice.below(2)),
      action: () => (dice.chance(0.3) ? (exports.raise(dice.below(eventCount)), 1) : 0),
      live: () => 0,
    };
    const instance = exports.create(image);
    exports.start(instance, 0);
    for (let i = 0; i < 20; i += 1) exports.step(instance, dice.below(eventCount), 0);
    ran += 1;
    expect(core.bytes.subarray(canary, canary + 4_096).every((byte) => byte === 0xa5)).toBe(true);
    exports.destroy(instance);
    exports.unload(image);
  }
  expect(ran).toBeGreaterThan(300);
  expect(refused).toBeGreaterThan(1_000);
});
