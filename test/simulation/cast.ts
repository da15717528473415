// Who is in a simulated world: a server, peers that are authorities themselves, tabs; and in some worlds those who hand instances over to each
// other, and those who pass on what they hear.

import type { Browser } from './browser.ts';
import type { Disk } from './disk.ts';
import type { MachineName } from './machines.ts';
import type { Role } from './process.ts';

export const TABS = ['alice', 'bob', 'carol'];
const WATCHED: Readonly<Record<string, MachineName>> = {
  front: 'desk',
  lamp: 'lamp',
  family: 'family',
  'dora/desk': 'desk',
  'vera/desk': 'desk',
};
/** How each reader looks at the vault, in worlds that have one. */
const VIEWS: Readonly<Record<string, string>> = { dora: 'whole', alice: 'mine', vera: 'mine', bob: 'shown', carol: 'shown' };
/** Instances that change hands, in worlds where some do. */
export const MOVABLE: Readonly<Record<string, MachineName>> = { front: 'desk', lamp: 'lamp', 'dora/desk': 'desk' };
/** And those that do where effects answer. */
export const MOVABLE_ECHO: Readonly<Record<string, MachineName>> = { ...MOVABLE, cliff: 'cliff' };
/** Those who order them in turn. */
export const ORDERERS = ['server', 'dora', 'erik'];
/** Those who pass on what they hear: the second one behind the first. */
const MIDDLES = ['tess', 'tom'];
/** Where each of them listens in worlds with trees, in order of preference: alice's is a mirror of a mirror of a mirror. */
const SOURCES: Readonly<Record<string, readonly string[]>> = { tom: ['tess'], alice: ['tom', 'tess'], bob: ['tess'], vera: ['tom'] };

export interface Casting {
  /** What a tab, or another reader, happens to watch. */
  watched(all: Readonly<Record<string, MachineName>>): Role['watches'];
  disk(owner: string): Disk;
  readonly browser: Browser | undefined;
  readonly isPacked: boolean;
  readonly hasVault: boolean;
  readonly hasMeter: boolean;
  readonly hasRelations: boolean;
  readonly hasEcho: boolean;
  readonly hasSuccession: boolean;
  readonly hasTrees: boolean;
  /** A tab orders a desk that outlives it. */
  readonly hasHostingTab: boolean;
}

export function cast(options: Casting): readonly Role[] {
  const { disk, hasSuccession, hasTrees } = options;
  const sharing = options.browser === undefined ? {} : { browser: options.browser };
  const { front, lamp, family } = { front: 'desk', lamp: 'lamp', family: 'family' } as const;
  const roles: Omit<Role, 'isPacked'>[] = [
    { name: 'server', kind: 'server', hosts: { front, lamp, family }, watches: {}, disk: disk('server') },
    { name: 'dora', kind: 'node', hosts: { desk: 'desk' }, watches: { front: 'desk' }, disk: disk('dora') },
    { name: 'vera', kind: 'node', hosts: { desk: 'desk' }, watches: {}, disk: disk('vera'), isVolatile: true },
    ...TABS.map((name) => ({ name, kind: 'browser' as const, hosts: {}, watches: options.watched(WATCHED), ...sharing })),
  ];
  if (hasSuccession) roles.push({ name: 'erik', kind: 'node', hosts: {}, watches: {}, disk: disk('erik') });
  if (hasTrees) for (const name of MIDDLES) roles.push({ name, kind: 'node', hosts: {}, watches: MOVABLE, isSource: true });
  const trusted = [...(hasSuccession ? ORDERERS : []), ...(hasTrees ? MIDDLES : [])];
  return roles.map((each) => {
    let role: Role = { ...each, isPacked: options.isPacked && each.name !== 'bob' };
    if (options.hasVault) role = withVault(role);
    if (options.hasMeter) role = withShared(role, 'meter');
    if (options.hasEcho) role = withShared(role, 'cliff');
    if (options.hasRelations) role = withPanel(withShared(role, 'gate'));
    if (options.hasHostingTab) role = withTabDesk(role, disk);
    if (hasSuccession && ORDERERS.includes(role.name)) role = { ...role, watches: { ...role.watches, ...othersOf(role) } };
    const sources = hasTrees ? SOURCES[role.name] : undefined;
    if (sources !== undefined) role = { ...role, sources };
    return trusted.length > 0 && role.kind !== 'browser' ? { ...role, trusts: trusted } : role;
  });
}

/** The vault is there, and this role looks at it in its way. */
function withVault(role: Role): Role {
  const view = VIEWS[role.name];
  if (role.name === 'server') return { ...role, hosts: { ...role.hosts, vault: 'vault' } };
  return view === undefined ? role : { ...role, watches: { ...role.watches, vault: 'vault' }, views: { vault: view } };
}

/** The server has one more, which all others watch. */
function withShared(role: Role, name: MachineName): Role {
  if (role.name === 'server') return { ...role, hosts: { ...role.hosts, [name]: name } };
  return { ...role, watches: { ...role.watches, [name]: name } };
}

/** dora pipes what happens at the gate to a panel of hers. */
function withPanel(role: Role): Role {
  if (role.name === 'dora') return { ...role, hosts: { ...role.hosts, panel: 'panel' }, isPiping: true };
  return role.kind === 'browser' ? { ...role, watches: { ...role.watches, 'dora/panel': 'panel' } } : role;
}

/** carol orders a desk, which most others watch, and keeps it in her browser. */
function withTabDesk(role: Role, disk: Casting['disk']): Role {
  if (role.name === 'carol') return { ...role, hosts: { ...role.hosts, desk: 'desk' }, disk: disk(role.name) };
  return role.isSource === true ? role : { ...role, watches: { ...role.watches, 'carol/desk': 'desk' } };
}

/** What others order at first: whoever may order it one day watches it. */
function othersOf({ name, kind, hosts }: Role): Role['watches'] {
  const own = Object.keys(hosts).map((instance) => (kind === 'server' ? instance : `${name}/${instance}`));
  return Object.fromEntries(Object.entries(MOVABLE).filter(([instance]) => !own.includes(instance)));
}
