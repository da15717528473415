// The first page: how the server is, and which instances it has.

import { connect } from '../browser/index.ts';
import type { Json } from '../core/json.ts';
import type { InstanceSummary } from '../peer/wire.ts';
import { byId, element, setText } from './kit/dom.ts';

/** Milliseconds between two looks at the server, while somebody looks at the page. */
const LOOK_MS = 2_000;
const INSTANCES_MAX = 50;
/** Where an instance can be seen at work; its name follows a `#`. */
const PAGES: Readonly<Record<string, string>> = {
  door: '/door/',
  foo: '/foo-bar/',
  bar: '/foo-bar/',
  'relational-foo': '/foo-bar/?machines=relational',
  'relational-bar': '/foo-bar/?machines=relational',
  board: '/board/#',
};

setText(byId('origin'), location.origin);
const peer = await connect({ name: 'first page', hosts: false });

async function look(): Promise<void> {
  if (document.visibilityState !== 'visible') return;
  try {
    const health = await readHealth();
    const { instances, more } = await peer.list({ limit: INSTANCES_MAX });
    showHealth(health);
    showInstances(instances, more);
    showStanding('up');
  } catch {
    showHealth([['status', 'out of reach']]);
    showStanding('offline'); // The server is away, or on its way back; the next look will tell.
  }
}

function showStanding(standing: 'up' | 'offline'): void {
  byId('standing').dataset['standing'] = standing;
  setText(byId('standing'), standing);
}

async function readHealth(): Promise<readonly (readonly [string, string])[]> {
  const answer: unknown = await (await fetch('/health', { signal: AbortSignal.timeout(LOOK_MS) })).json();
  return typeof answer === 'object' && answer !== null ? flatten('', answer) : [];
}

/** Every leaf under its path: whatever the server tells of itself is shown. */
function flatten(prefix: string, value: object): (readonly [string, string])[] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    typeof inner === 'object' && inner !== null ? flatten(`${prefix}${key} `, inner) : [[`${prefix}${key}`, String(inner)] as const],
  );
}

function showHealth(facts: readonly (readonly [string, string])[]): void {
  byId('health').replaceChildren(...facts.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]));
}

function showInstances(instances: readonly InstanceSummary[], more: boolean): void {
  setText(byId('instance-count'), `${instances.length}${more ? ' and more' : ''}`);
  const rows = instances.map(({ instance, machine, value, seq }) => {
    const page = PAGES[machine];
    const name =
      page === undefined
        ? instance
        : element('a', { href: page.endsWith('#') ? `${page}${encodeURIComponent(instance)}` : page }, instance);
    return element(
      'tr',
      {},
      element('td', {}, name),
      element('td', { class: 'mono' }, paths(value).join(', ')),
      element('td', { class: 'number' }, String(seq)),
    );
  });
  byId('instances').replaceChildren(
    ...(rows.length > 0 ? rows : [element('tr', {}, element('td', { colspan: '3', class: 'soft' }, 'None yet.'))]),
  );
}

/** A state value as people write it: `attentive.listening`, one path for each region. */
function paths(value: Json): readonly string[] {
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.entries(value).flatMap(([key, inner]) => {
    const below = paths(inner);
    return below.length === 0 ? [key] : below.map((path) => `${key}.${path}`);
  });
}

document.addEventListener('visibilitychange', () => void look());
peer.onPresence(() => void look());
setInterval(() => void look(), LOOK_MS);
await look();
