// All about the selected step, as cards: where its event came from, why it went as it did, what it did to context, clocks and timers, which
// effects it asked for. Redrawn whole with every selection.

import type { Json } from '../../../core/json.ts';
import { SELF } from '../../../core/request.ts';
import type { ChildChange } from '../../../core/step.ts';
import type { DivergenceRecord } from '../../../peer/wire.ts';
import { type Entry, isCreation } from '../entry.ts';
import type { Microstep } from '../explain.ts';
import type { TraceModel, View } from '../model.ts';
import type { Origin } from '../origin.ts';
import { duration, effectText, eventText } from '../names.ts';
import { contextRows, type Mark } from './context-rows.ts';
import { h } from './dom.ts';
import { clockTime, instanceText } from './text.ts';
import { whyList } from './why.ts';

export type Select = (id: string) => void;
type Facts = readonly (readonly [name: string, value: readonly (Node | string)[]])[];

const TOLD_NO_WHY =
  'A plain XState program tells what became of an event, and not why: its messages name no guards and no transitions. Clocks count what its snapshots show.';

/** What is known of the selected step. */
export interface About {
  /** Undefined when the instance cannot be worked out; `problem` says why. */
  readonly view: View | undefined;
  /** What the view is compared with, where that is not what was right before it. */
  readonly base: Entry | undefined;
  readonly microsteps: readonly Microstep[];
  readonly problem: string;
}

export function stepCards(model: TraceModel, entry: Entry, about: About, select: Select): HTMLElement[] {
  const { view, base, microsteps, problem } = about;
  const { step } = entry.record;
  const cards = [...(base === undefined ? [] : [comparedCard(model, base, entry, select)]), causeCard(model, entry, select)];
  if (problem !== '') cards.push(card('Not known', '', h('p', { style: 'margin:0' }, problem)));
  if (step.error !== undefined) cards.push(bad(card('Failed', '', h('pre.json', {}, step.error))));
  if (view !== undefined && problem === '') cards.push(card('Why', '', ...whyOf(view, microsteps)));
  if (view !== undefined) cards.push(contextCard(view, base), clocksCard(view));
  if (step.host.length > 0) cards.push(hostCard(view, microsteps, step.host));
  if (step.timers.length > 0) cards.push(timersCard(view, entry));
  if (step.children !== undefined) cards.push(card('Actors', '', h('div.chips', {}, step.children.map(actorChip))));
  if (step.effects.length > 0)
    cards.push(
      card(
        'Effects',
        String(step.effects.length),
        h(
          'div.chips',
          {},
          step.effects.map(({ name }) => h('span.chip', {}, effectText(name))),
        ),
      ),
    );
  const patch = base === undefined || view === undefined ? step.patch : view.patch;
  if (patch.length > 0)
    cards.push(
      card('Patch', count(patch.length, 'operation'), h('pre.json', {}, patch.map((operation) => JSON.stringify(operation)).join('\n'))),
    );
  if (step.output !== undefined) cards.push(card('Output', '', h('pre.json', {}, pretty(step.output))));
  cards.push(entry.told === undefined ? digestCard(model, entry) : toldCard(model, entry, entry.told));
  return cards;
}

function whyOf(view: View, microsteps: readonly Microstep[]): HTMLElement[] {
  if (view.entry.told !== undefined) return [h('p', { style: 'margin:0' }, TOLD_NO_WHY)];
  if (microsteps.length === 0)
    return [h('p', { style: 'margin:0' }, 'A function of the author threw; what the step had begun was undone.')];
  return whyList(view.chart, microsteps);
}

// ── Cards ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Says what the rest is compared with. */
function comparedCard(model: TraceModel, base: Entry, { record }: Entry, select: Select): HTMLElement {
  const { instance, seq, at } = base.record.step;
  const steps = record.step.seq - seq;
  const button = h('button.jump', { type: 'button', onclick: () => select(base.id) }, `${instanceText(model, instance)} #${seq}`);
  const text = h('p', { style: 'margin:0' }, 'State, context, clocks and patch tell what is different since ', button);
  return card('Compared', `${count(steps, 'step')}, ${duration(record.step.at - at)}`, text);
}

function causeCard(model: TraceModel, entry: Entry, select: Select): HTMLElement {
  const { peer, step } = entry.record;
  const { cause } = step;
  const fields = Object.fromEntries(Object.entries(cause.event).filter(([name]) => name !== 'type'));
  const jump = (target: Entry | undefined, isGuess: boolean): (HTMLElement | string)[] => {
    if (target === undefined) return [];
    const { instance, seq } = target.record.step;
    const button = h('button.jump', { type: 'button', onclick: () => select(target.id) }, `${instanceText(model, instance)} #${seq}`);
    return isGuess ? [' ', button, h('span.guess', {}, ' probably')] : [' ', button];
  };
  const from = fromText(model, model.origin(entry), jump);
  const order: Facts =
    entry.told === undefined
      ? [
          ['ordered by', [`${model.peerName(peer)} as ${instanceText(model, step.instance)} #${step.seq}`]],
          ['now', [`${clockTime(step.at)} (${step.at})`]],
          ['seed', [String(cause.seed)]],
        ]
      : [
          ['told by', [`${model.peerName(peer)} as message ${step.seq}`]],
          ['told at', [`${clockTime(step.at)} (${step.at})`]],
        ];
  return card(
    'Cause',
    '',
    facts([
      ['event', [h('b', {}, cause.event.type)]],
      ...(Object.keys(fields).length === 0
        ? []
        : [['fields', [h('pre.json', {}, pretty(fields as { readonly [field: string]: Json }))]] as const]),
      ['from', from],
      ...order,
    ]),
  );
}

function fromText(
  model: TraceModel,
  origin: Origin,
  jump: (target: Entry | undefined, isGuess: boolean) => (HTMLElement | string)[],
): (HTMLElement | string)[] {
  switch (origin.kind) {
    case 'start':
      return [`creation, at ${model.peerName(origin.peer)}`];
    case 'timer':
      return ['a timer started by', ...jump(origin.step, false), ...(origin.step === undefined ? [' a step that is not here'] : [])];
    case 'inside':
      return ['inside: an actor of the instance, its parent, or an effect'];
    case 'peer':
      return [`${model.peerName(origin.peer)}, its event ${origin.n}`, ...jump(origin.step, true)];
    case 'actor':
      return [
        `${instanceText(model, origin.instance)}, in`,
        ...jump(origin.step, false),
        ...(origin.step === undefined ? [' a step that is not here'] : []),
      ];
    case 'program':
      return [`${model.peerName(origin.peer)}, outside of its actors`];
  }
}

function contextCard({ before, after, entry }: View, base: Entry | undefined): HTMLElement {
  const isFirst = isCreation(entry);
  const rows = contextRows(before === undefined && !isFirst ? after.state.context : before?.state.context, after.state.context);
  const changed = rows.filter(({ mark }) => mark !== 'same').length;
  const signs: { readonly [M in Mark]: string } = { same: ' ', added: '+', removed: '−' };
  const lines = rows.map(({ depth, label, text, mark, path }) => {
    const line = h(
      'div',
      { 'data-path': path, 'data-mark': mark },
      h('span.sign', {}, signs[mark]),
      '  '.repeat(depth),
      label !== '' && h('span.label', {}, `${label} `),
      text,
    );
    line.classList.add(mark);
    return line;
  });
  return card(
    'Context',
    before === undefined
      ? isFirst
        ? 'made by this step'
        : 'what was before is not in this trace'
      : changed === 0
        ? 'unchanged'
        : base === undefined
          ? 'before − and after +'
          : `at #${base.record.step.seq} − and here +`,
    h('div.diff', {}, lines),
  );
}

function clocksCard({ chart, clocks, after }: View): HTMLElement {
  const changed = new Map(clocks.map(([state, before, now]) => [state, { before, now }]));
  const row = (state: number): HTMLElement => {
    const now = after.state.clocks[state] ?? 0;
    const before = changed.get(state)?.before ?? now;
    const element = h(
      'tr',
      {},
      h('td', {}, state === 0 ? `${chart.path(0)} (root)` : chart.path(state)),
      h('td.number', {}, String(before)),
      h('td.number', {}, String(now)),
      h('td.number', {}, now === before ? '' : `+${now - before}`),
    );
    element.className = `${now % 2 === 1 ? 'on' : 'was'}${now === before ? '' : ' changed'}`;
    return element;
  };
  const table = (states: readonly number[]): HTMLElement =>
    h(
      'table.clocks',
      {},
      h('thead', {}, h('tr', {}, h('th', {}, 'state'), h('th', {}, 'before'), h('th', {}, 'after'), h('th', {}, ''))),
      h('tbody', {}, states.map(row)),
    );
  const all = chart.states.map(({ number }) => number);
  const rest = all.filter((state) => !changed.has(state));
  return card(
    'Clocks',
    changed.size === 0 ? 'unchanged' : `${changed.size} of ${all.length} moved`,
    changed.size > 0 && table([...changed.keys()]),
    rest.length > 0 && h('details', {}, h('summary', {}, `${rest.length} that did not move`), table(rest)),
  );
}

/** Results in call order; a guard's answer gets its name where the replay tells which one it was. */
function hostCard(view: View | undefined, microsteps: readonly Microstep[], host: readonly Json[]): HTMLElement {
  const asked =
    view?.chart.isRelational === true
      ? microsteps.flatMap((microstep) => microstep.asked)
      : microsteps.flatMap(({ answers }) =>
          answers.map(({ transition, answer }) => ({ name: view?.chart.transitions[transition]?.guard ?? 'guard', answer })),
        );
  const isAllGuards = view !== undefined && asked.length === host.length && host.every((result, i) => result === asked[i]!.answer);
  const lines = host.map((result, i) =>
    h('li', {}, h('i', {}, String(i + 1)), h('span', {}, `${isAllGuards ? `${asked[i]!.name}: ` : ''}${JSON.stringify(result)}`)),
  );
  return card(
    'Host results',
    isAllGuards ? 'guards, in call order' : 'in call order',
    h('div.micro', { style: 'border:0;padding:0' }, h('ul', {}, lines)),
  );
}

function actorChip(change: ChildChange): HTMLElement {
  if ('start' in change) return h('span.chip', { title: change.start.src }, `${change.start.id} starts`);
  return h('span.chip', {}, 'stop' in change ? `${change.stop} stops` : `${change.ended} has ended`);
}

function timersCard(view: View | undefined, entry: Entry): HTMLElement {
  const { step } = entry.record;
  const lines = step.timers.map((change) => {
    const { timer, due } = change;
    const send = due === null ? undefined : change.send;
    const own = view === undefined ? `timer ${timer}` : eventText(view.chart.timerName(timer));
    const name = send === undefined ? own : `${eventText(send.event.type)} to ${send.to === SELF ? 'itself' : send.to}`;
    return [name, [due === null ? 'stopped' : `due in ${duration(due - step.at)}, ${clockTime(due)}`]] as const;
  });
  return card('Timers', '', facts(lines));
}

function digestCard(model: TraceModel, entry: Entry): HTMLElement {
  const { record } = entry;
  const { step } = record;
  return card(
    'Record',
    '',
    facts([
      ['digest', [step.digest ?? 'not recorded at this step']],
      ['machine', [record.machine]],
      ['image', [record.image]],
      ['epoch', [String(step.epoch)]],
      ['peer', [`${model.peerName(record.peer)} (${record.peer})`]],
      ['size', [`${entry.size} characters of JSON`]],
    ]),
  );
}

/** What is known of an actor of a plain XState program. */
function toldCard(model: TraceModel, entry: Entry, { actor, after }: NonNullable<Entry['told']>): HTMLElement {
  const { record } = entry;
  return card(
    'Record',
    'told through the inspect protocol',
    facts([
      ['actor', [actor.name]],
      ['session', [actor.sessionId]],
      ...(actor.parentId === undefined ? [] : [['child of', [instanceText(model, `${record.peer}/${actor.parentId}`)]] as const]),
      ['status', [after?.snapshot.status ?? 'no snapshot came']],
      ['program', [`${model.peerName(record.peer)} (${record.peer})`]],
      ['size', [`${entry.size} characters of JSON`]],
    ]),
  );
}

/** A divergence: what the mirror had, what it should have had, and from where it went wrong. */
export function divergenceCards(model: TraceModel, record: DivergenceRecord): HTMLElement[] {
  const explanation =
    'A mirror worked out another state than its authority: a guard or an assign of its machine is not a function of context and event alone. It asked for a snapshot and went on.';
  return [
    bad(
      card(
        'Divergence',
        '',
        h('p', { style: 'margin:0 0 10px' }, explanation),
        facts([
          ['instance', [record.instance]],
          ['at step', [String(record.seq)]],
          ['mirror at', [`${model.peerName(record.peer)} (${record.peer})`]],
          ['its digest', [record.ours]],
          ['expected', [record.theirs]],
          ['agreed until', [`step ${record.good.seq}`]],
          ['image', [record.image]],
        ]),
      ),
    ),
    card('Last good context', `step ${record.good.seq}`, h('pre.json', {}, pretty(record.good.state.context))),
    card('Differences since', String(record.steps.length), h('pre.json', {}, record.steps.map((step) => JSON.stringify(step)).join('\n'))),
  ];
}

// ── Parts ────────────────────────────────────────────────────────────────────────────────────────────────────────

function card(title: string, count: string, ...body: readonly (Node | false)[]): HTMLElement {
  return h('section.card', { 'data-card': title.toLowerCase() }, h('h3', {}, title, h('span.count', {}, count)), h('div.body', {}, body));
}

function bad(element: HTMLElement): HTMLElement {
  element.classList.add('bad');
  return element;
}

function facts(rows: Facts): HTMLElement {
  return h(
    'dl.facts',
    {},
    rows.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]),
  );
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function pretty(value: Json): string {
  return JSON.stringify(value, undefined, 2);
}
