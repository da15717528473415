// The page of foo and bar: hosts this tab's bar, mirrors the server's foo, and carries what bar says over to foo.

import { connect } from '../../browser/index.ts';
import type { AnyMirror } from '../../peer/mirror.ts';
import { showChart } from '../kit/chart.ts';
import { byId, element, setText } from '../kit/dom.ts';
import { showStanding } from '../kit/standing.ts';
import image from './bar.machine.ts?image';
import { bar, type BarContext } from './bar.machine.ts';
import { foo, type FooContext } from './foo.machine.ts';
import type { Log } from './message.ts';

/** bar's effect: its words leave for foo. Offline they wait in the mirror of foo, in order. */
const speaking = bar.provide({
  actions: { tell: ({ event }) => event.type === 'say' && theFoo.send({ type: 'message', from: name, text: event.text }) },
});

const peer = await connect({ name: 'foo-bar page', machines: { bar: { image: image.bytes, definition: speaking } } });
const name = `bar-${(await peer.ready).slice(0, 4)}`;
const theFoo = await peer.watch('foo', foo, { isPatient: true });
const theBar = await peer.host('bar', 'bar');
/** For the console: `lockstep.mirrors.foo.send({ type: 'message', from: 'me', text: 'hi' })`. */
Object.assign(globalThis, { lockstep: { peer, mirrors: { foo: theFoo, bar: theBar } } });

// ── foo knows this tab ───────────────────────────────────────────────────────────────────────────────────────────────

const logOf = (mirror: AnyMirror): Log => (mirror.getSnapshot().context as unknown as BarContext).log;

/** Whenever foo does not know this tab's bar (a new tab, one that was away for long), bar introduces itself. */
function introduce(): void {
  const { bars } = theFoo.getSnapshot().context as unknown as FooContext;
  if (theFoo.standing === 'confirmed' && !bars.includes(theBar.id)) theFoo.send({ type: 'arrive', bar: theBar.id });
}

theFoo.subscribe(introduce);
theFoo.onStanding(introduce);
introduce();

// ── The page ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const text = byId<HTMLInputElement>('text');

function showLog(list: HTMLElement, log: Log, isOwn: (from: string) => boolean): void {
  const rows = log.map(({ from, text }) =>
    element('li', isOwn(from) ? { 'data-own': '' } : {}, element('span', { class: 'from' }, from), text),
  );
  list.replaceChildren(...(rows.length > 0 ? rows : [element('li', { class: 'none' }, 'Nothing yet.')]));
  list.scrollTop = list.scrollHeight;
}

function showPeers(): void {
  const peers = peer.peers();
  setText(byId('peer-count'), `${peers.length} connected`);
  byId('peers').replaceChildren(
    ...peers.map((each) => {
      const isSelf = each.peer === peer.id;
      return element(
        'li',
        isSelf ? { 'data-self': '' } : {},
        `${each.name || each.peer.slice(0, 4)}${isSelf ? ' (this tab)' : ''}`,
        // The server's name, kind and id are one word.
        ...(each.kind === 'server' ? [] : [element('span', { class: 'kind' }, `${each.kind} ${each.peer.slice(0, 4)}`)]),
      );
    }),
  );
}

function showOffline(): void {
  byId('offline').hidden = theFoo.standing !== 'offline';
}

/** The guard of bar decides; the page only asks it. */
function say(): void {
  const event = { type: 'say', text: text.value };
  const isHeard = theBar.getSnapshot().can(event);
  theBar.send(event);
  text.setAttribute('aria-invalid', String(!isHeard));
  setText(byId('said'), isHeard ? '\u00a0' : 'bar refuses an empty message.');
  if (isHeard) text.value = '';
}

byId('composer').addEventListener('submit', (submitted) => {
  submitted.preventDefault();
  say();
});
text.addEventListener('input', () => text.setAttribute('aria-invalid', 'false'));
setText(byId('bar-title'), name);
for (const [mirror, id] of [
  [theBar, 'bar'],
  [theFoo, 'foo'],
] as const) {
  const list = byId(`${id}-log`);
  const show = (): void => showLog(list, logOf(mirror), (from) => from === id);
  showStanding(byId(`${id}-standing`), mirror);
  showChart(byId(`${id}-chart`), mirror);
  mirror.subscribe(show);
  show();
}
theFoo.onStanding(showOffline);
peer.onPresence(showPeers);
showOffline();
showPeers();
byId<HTMLButtonElement>('send').disabled = false;
