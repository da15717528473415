// The page of the door: a mirror of the server's instance `front`, drawn.

import type { EventObject } from '../../core/json.ts';
import { connect } from '../../browser/index.ts';
import type { Traced } from '../../peer/wire.ts';
import { showChart } from '../kit/chart.ts';
import { byId, element, setText } from '../kit/dom.ts';
import { showStanding } from '../kit/standing.ts';
import { door, type DoorContext, type DoorEvent } from './door.machine.ts';

const INSTANCE = 'front';
/** Steps that the list shows. */
const STEPS_MAX = 6;
/** Steps of all instances to look back over for those of the door. */
const BACKLOG = 64;

const peer = await connect({ name: 'door page' });
const front = await peer.watch(INSTANCE, door, { isPatient: true });
const me = `tab ${(await peer.ready).slice(0, 4)}`;

/** For the console: `lockstep.mirrors.front.send({ type: 'open' })`. */
Object.assign(globalThis, { lockstep: { peer, mirrors: { front } } });

function show(): void {
  const { value, context } = front.getSnapshot();
  const { opened, by } = context as unknown as DoorContext;
  const state = String(value);
  byId('door').dataset['state'] = state;
  byId('door').setAttribute('aria-label', `the door is ${state}`);
  setText(byId('value'), state);
  setText(byId('opened'), opened === 1 ? 'once' : `${opened} times`);
  setText(byId('by'), by === me ? `${by} (you)` : by);
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-event]'))
    button.disabled = !front.getSnapshot().can(eventOf(button));
  showSeq();
}

function showSeq(): void {
  setText(byId('seq'), front.unconfirmedCount === 0 ? String(front.seq) : `${front.seq} + ${front.unconfirmedCount} unconfirmed`);
}

function eventOf(button: HTMLButtonElement): EventObject {
  return { type: button.dataset['event'] ?? '', by: me };
}

function showHere(): void {
  const tabs = peer.peers().filter(({ kind }) => kind === 'browser').length;
  setText(byId('here'), `${tabs} ${tabs === 1 ? 'tab' : 'tabs'}, ${peer.peers().length - tabs} other`);
}

function showStep(record: Traced): void {
  if (record.kind !== 'step' || record.step.instance !== INSTANCE) return;
  const { seq, cause, ignored } = record.step;
  const who = cause.peer === peer.id ? 'this tab' : (peer.peers().find((each) => each.peer === cause.peer)?.name ?? cause.peer.slice(0, 4));
  const type = element(
    'span',
    ignored === true ? { class: 'ignored', title: 'came too late: the door ignored it' } : {},
    cause.event.type.replace('xstate.init', 'made'),
  );
  byId('log').prepend(
    element(
      'li',
      {},
      element('span', {}, String(seq)),
      type,
      element('span', { class: 'who' }, cause.peer === record.peer ? 'server' : who),
    ),
  );
  while (byId('log').childElementCount > STEPS_MAX) byId('log').lastElementChild?.remove();
  showSeq();
}

setText(byId('me'), me);
showStanding(byId('standing'), front);
showChart(byId('chart'), front);
front.subscribe(show);
front.onStanding(() => {
  byId('offline').hidden = front.standing !== 'offline';
  showSeq();
});
front.onRefused(({ event, error }) => setText(byId('refused'), `The server refused “${event.type}”: ${error.message}`));
for (const button of document.querySelectorAll<HTMLButtonElement>('[data-event]'))
  button.addEventListener('click', () => front.send(eventOf(button) as DoorEvent));
peer.onPresence(showHere);
show();
showHere();

/** Hears every step of the server; one that starts again is a new peer. */
let followed: string | undefined;
async function follow(): Promise<void> {
  const server = peer.peers().find(({ kind }) => kind === 'server')?.peer;
  if (server === undefined || server === followed) return;
  followed = server;
  byId('log').replaceChildren();
  await peer.trace(server, showStep, BACKLOG);
}

peer.onPresence(() => void follow());
await follow();
