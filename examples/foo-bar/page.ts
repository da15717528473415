// The page of foo and bar, whichever machines they are: statecharts, or relational ones for `?machines=relational`.

import { showChart } from '../kit/chart.ts';
import { byId, element, setText } from '../kit/dom.ts';
import { showStanding } from '../kit/standing.ts';
import type { Log } from './message.ts';

const isRelational = new URLSearchParams(location.search).get('machines') === 'relational';
const { open } = isRelational ? await import('./relational/side.ts') : await import('./statecharts.ts');
const side = await open();
const { peer, foo, bar } = side;
/** For the console: `lockstep.mirrors.foo.send({ type: 'message', from: 'me', text: 'hi' })`, or `lockstep.face.add('Msg', …)`. */
Object.assign(globalThis, { lockstep: { peer, mirrors: { foo, bar }, face: side.face } });

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
  byId('offline').hidden = foo.standing !== 'offline';
}

async function say(): Promise<void> {
  const isHeard = await side.say(text.value);
  text.setAttribute('aria-invalid', String(!isHeard));
  setText(byId('said'), isHeard ? '\u00a0' : 'bar refuses an empty message.');
  if (isHeard) text.value = '';
}

byId('composer').addEventListener('submit', (submitted) => {
  submitted.preventDefault();
  void say();
});
text.addEventListener('input', () => text.setAttribute('aria-invalid', 'false'));
setText(byId('bar-title'), side.name);
byId(isRelational ? 'relational' : 'statecharts').setAttribute('aria-current', 'page');
for (const [id, mirror] of [
  ['bar', bar],
  ['foo', foo],
] as const) {
  showStanding(byId(`${id}-standing`), mirror);
  showChart(byId(`${id}-chart`), mirror);
  side.onLog(id, (log) => showLog(byId(`${id}-log`), log, (from) => from === id));
}
foo.onStanding(showOffline);
peer.onPresence(showPeers);
showOffline();
showPeers();
byId<HTMLButtonElement>('send').disabled = false;
