// The page of the boards: mirrors of the server's instances of `board`, drawn; what a person does shows at once and is kept until it is
// answered, and what others overtook is shown with what can be done about it.

import { connect, type EventObject } from '../../browser/index.ts';
import type { Json } from '../../core/json.ts';
import type { Mirror } from '../../peer/mirror.ts';
import { byId, element, setText } from '../kit/dom.ts';
import { newId } from '../kit/storage.ts';
import { type BoardContext, type BoardEvent, COLUMN_NAMES, type Task } from './board.machine.ts';
import { Boards } from './boards.ts';
import { Columns } from './columns.ts';
import { Company } from './company.ts';
import { myName, showName } from './person.ts';
import { Toast } from './toast.ts';
import { conflictOf, short, Tray } from './tray.ts';

/** Where a board is the first time. */
const FIRST = 'board:team';
/** Milliseconds between two looks at which boards there are, while somebody looks at the page. */
const LOOK_MS = 5_000;

showName();
const me = myName();
const peer = await connect({ name: `board · ${me}`, hosts: false, offline: true });
const tray = new Tray(byId('tray'));
const toast = new Toast(byId('toast'));
const boards = new Boards(peer, attend, leave);
const NONE: ReadonlySet<string> = new Set();
let shown: string | undefined;

const columns = new Columns(byId('columns'), {
  add: (text, column) => act({ type: 'add', id: newId(), text, column, by: me }),
  move: (task, to, before) => {
    act({ type: 'move', id: task.id, from: task.column, to, before, by: me });
    if (to !== task.column) say(`${task.text}: ${COLUMN_NAMES[to]}`);
  },
  edit: (task, text) => act({ type: 'edit', id: task.id, was: task.text, text, by: me }),
  remove: (task) => {
    const board = shown;
    const before = nextOf(task);
    if (!act({ type: 'remove', id: task.id, was: task.text, by: me })) return;
    toast.offer(`“${short(task.text)}” was removed.`, { label: 'Put it back', act: () => putBack(task, before, board) });
  },
  hold: (task) => company.hold(task),
});
const company = new Company(
  me,
  () => peer.id,
  byId('people'),
  (holders) => columns.showHolders(holders),
);

/** @returns whether there is a board to do it on: there is none yet while a page opens. */
function act(event: BoardEvent, id = shown): boolean {
  const mirror = id === undefined ? undefined : boards.mirror(id);
  if (id === undefined || mirror === undefined) {
    toast.complain('The board is not here yet; try again in a moment.');
    return false;
  }
  const before = mirror.getSnapshot();
  mirror
    .submit(event as unknown as EventObject)
    .catch((error: unknown) => toast.complain(`“${event.type}” was refused: ${messageOf(error)}`));
  // Nothing moved here either: it was too late before it left, which nobody else can tell.
  if (mirror.getSnapshot() === before) conflict(id, event);
  return true;
}

/** The task behind this one in its column. */
function nextOf({ id, column }: Task): string | undefined {
  const within = shown === undefined ? [] : contextOf(shown).tasks.filter((task) => task.column === column);
  return within[within.findIndex((task) => task.id === id) + 1]?.id;
}

/** What was removed, as it was and where it was. */
function putBack({ id, text, column }: Task, before: string | undefined, board: string | undefined): void {
  if (act({ type: 'add', id, text, column, by: me }, board) && before !== undefined)
    act({ type: 'move', id, from: column, to: column, before, by: me }, board);
}

function conflict(id: string, event: BoardEvent): void {
  const { context } = boards.mirror(id)!.getSnapshot();
  const found = conflictOf(event, context as unknown as BoardContext, newId());
  tray.add(found, (again) => act({ ...again, by: me }, id));
}

/** A board is there for the first time in this page. */
function attend(id: string, mirror: Mirror): void {
  mirror.subscribe(() => shown === id && show());
  mirror.onStanding(() => shown === id && show());
  mirror.onOvertaken((event) => conflict(id, event as unknown as BoardEvent));
  mirror.onRefused(({ event, error }) => toast.complain(`“${event.type}” was refused: ${error.message}`));
  showBoards();
  choose();
}

/** A board is there no more. */
function leave(id: string, mirror: Mirror): void {
  const { title } = mirror.getSnapshot().context as Json as unknown as BoardContext;
  toast.complain(`The board “${title}” was removed${mirror.unconfirmedCount > 0 ? ', and with it what was not sent yet' : ''}.`);
  if (shown === id) shown = undefined;
  showBoards();
  choose();
}

// ── Showing ────────────────────────────────────────────────────────────────────────────────────────────────────────

function contextOf(id: string): BoardContext {
  return boards.mirror(id)!.getSnapshot().context as Json as unknown as BoardContext;
}

function show(): void {
  if (shown === undefined) return;
  const context = contextOf(shown);
  setText(byId('title'), context.title);
  document.title = `${context.title} · Board`;
  const mirror = boards.mirror(shown)!;
  columns.show(
    context,
    mirror.standing === 'offline' ? unsent(context, mirror.confirmed().context as Json as unknown as BoardContext) : NONE,
  );
  showStanding();
}

/** Tasks that the server has otherwise, as far as this browser knows: what was done to them, in this page or in one before it, is kept here. */
function unsent(shows: BoardContext, confirmed: BoardContext): ReadonlySet<string> {
  const known = new Map(confirmed.tasks.map((task) => [task.id, task]));
  const isKnown = ({ id, text, column, by }: Task): boolean => {
    const task = known.get(id);
    return task?.text === text && task.column === column && task.by === by;
  };
  return new Set(shows.tasks.filter((task) => !isKnown(task)).map(({ id }) => id));
}

function showStanding(): void {
  const mirror = boards.mirror(shown ?? '');
  if (mirror === undefined) return;
  const pill = byId('standing');
  pill.dataset['standing'] = mirror.standing;
  const count = mirror.unconfirmedCount;
  const kept = count === 0 ? '' : count === 1 ? ' · 1 change kept' : ` · ${count} changes kept`;
  setText(pill, mirror.standing === 'offline' ? `offline${kept}` : mirror.standing === 'predicted' ? 'saving' : 'saved');
}

function showBoards(): void {
  const links = boards.ids().map((id) => {
    const link = element('a', { href: `#${id}` }, contextOf(id).title);
    if (id === shown) link.setAttribute('aria-current', 'page');
    return link;
  });
  const make = element('button', { type: 'button', class: 'more', 'aria-label': 'New board', title: 'New board' }, '+');
  make.addEventListener('click', () => {
    byId<HTMLInputElement>('new-name').value = '';
    byId<HTMLDialogElement>('new').showModal();
  });
  byId('boards').replaceChildren(...links, make);
}

/** To whoever hears the page: the others see it happen. */
function say(text: string): void {
  setText(byId('said'), text);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// ── Which board ────────────────────────────────────────────────────────────────────────────────────────────────────

/** The one in the address; an address may hold anything. */
function wanted(): string {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return location.hash.slice(1); // No encoding at all, and no board either.
  }
}

/** The one in the address, else the first one there is. */
function choose(): void {
  const id = [wanted(), FIRST, ...boards.ids()].find((each) => boards.mirror(each) !== undefined);
  if (id === undefined) return;
  if (shown !== id) company.join(boards.mirror(id)!);
  shown = id;
  showBoards();
  show();
}

/** Says so when the address names a board that is not there: another one shows in its place. */
async function seek(): Promise<void> {
  const id = wanted();
  if (id === '' || boards.mirror(id) !== undefined || !peer.isConnected) return;
  if (!(await boards.find(id)) && wanted() === id) toast.complain(`There is no board “${short(id)}” here.`);
}

async function look(): Promise<void> {
  // Without a network the boards that are remembered have to do.
  if (peer.isConnected && document.visibilityState === 'visible') await boards.look().catch(() => undefined);
}

document.addEventListener('keydown', (event) => {
  const isUndo = event.key === 'z' && (event.ctrlKey || event.metaKey) && !event.shiftKey;
  // In a field it is about what is typed there.
  if (isUndo && !(event.target as Element).matches('input, textarea') && toast.take()) event.preventDefault();
});
addEventListener('hashchange', () => {
  choose();
  void seek();
});
byId('new-cancel').addEventListener('click', () => byId<HTMLDialogElement>('new').close());
byId('new').addEventListener('submit', () => {
  const title = byId<HTMLInputElement>('new-name').value.trim();
  if (!peer.isConnected) toast.complain(`“${title}” is made as soon as the server is back, if this page stays open.`);
  boards.create(title).then(
    (id) => (location.hash = id),
    (error: unknown) => toast.complain(`“${title}” was not made: ${messageOf(error)}`),
  );
});
peer.onPresence(() => void look());
document.addEventListener('visibilitychange', () => void look());
setInterval(() => void look(), LOOK_MS);
if ('serviceWorker' in navigator)
  navigator.serviceWorker.register('/board/service-worker.js').catch(() => say('This page cannot be kept for later.'));

/** For the console, and for tests. */
const mirrors = new Proxy<Record<string, Mirror>>({}, { get: (_none, id) => boards.mirror(String(id)) });
await Promise.race([boards.recall().then(() => boards.ids().length > 0 || new Promise(() => undefined)), peer.ready.then(look)]);
Object.assign(globalThis, { lockstep: { peer, mirrors } });
void peer.ready.then(look).then(seek);
