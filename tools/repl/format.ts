// Results and notices as lines for people. Colours are an argument, so that a pipe gets plain text. Pure.

import type { LockstepError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { Operation } from '../../core/patch.ts';
import { effectText } from '../trace/names.ts';
import type { InstanceDetail, Notice, Result } from './result.ts';
import { unreachable } from '../../core/errors.ts';

export type Style = 'strong' | 'dim' | 'good' | 'warn' | 'bad';
export type Paint = (style: Style, text: string) => string;

const CODES: { readonly [S in Style]: number } = { strong: 1, dim: 2, good: 32, warn: 33, bad: 31 };

export const plainPaint: Paint = (_, text) => text;
export const colourPaint: Paint = (style, text) => `\u001b[${CODES[style]}m${text}\u001b[0m`;

/** Characters of a context or patch on a line of its own; longer ones are cut, `inspect` and --json show all. */
const BRIEF_MAX = 160;

export function formatResult(result: Result, paint: Paint): string {
  switch (result.kind) {
    case 'text':
      return result.text;
    case 'peers':
      return formatPeers(result, paint);
    case 'using':
      return `attached to ${paint('strong', result.name)} (${result.peer})`;
    case 'listing':
      return formatListing(result, paint);
    case 'instance':
      return formatInstance(result.detail, paint);
    case 'sent':
      return `${paint(result.outcome === 'stepped' ? 'good' : 'warn', result.outcome)} ${result.instance} seq ${result.seq}`;
    case 'mutated':
      return `${paint(result.outcome === 'executed' ? 'good' : 'warn', result.outcome)} ${result.instance} seq ${result.seq} ${activeText(result.active)}`;
    case 'watching':
      return `watching ${paint('strong', result.instance)} seq ${result.seq} ${valueText(result.value)} ${brief(result.context)}`;
    case 'unwatched':
      return `no longer watching ${result.instance}`;
    case 'reached':
      return `${paint('strong', result.instance)} seq ${result.seq} is ${paint('good', Array.isArray(result.value) ? activeText(result.value as string[]) : valueText(result.value))}`;
    case 'time':
      return `${result.instance} ${result.state} ${result.ticks} ${result.active ? paint('good', 'active') : paint('dim', 'inactive')}`;
    case 'created':
      return `created ${paint('strong', result.instance)} seq ${result.seq}`;
    case 'deleted':
      return `deleted ${result.instance}`;
    case 'defined':
      return `defined ${paint('strong', result.machine)} image ${result.image}`;
    case 'tracing':
      return `trace of ${result.peer} is ${result.on ? 'on' : 'off'}`;
    case 'evaluated':
      return result.text;
    case 'bye':
      return '';
    default:
      return unreachable(result);
  }
}

export function formatNotice(notice: Notice, paint: Paint): string {
  switch (notice.kind) {
    case 'change':
      return formatChange(notice, paint);
    case 'ended':
      return paint('warn', `${notice.instance} is gone: ${notice.reason}`);
    case 'step':
      return formatStep(notice, paint);
    case 'impurity':
      return paint('bad', `IMPURE machine ${notice.machine} ${notice.path} at ${notice.peer}: uses ${notice.uses}`);
    case 'divergence':
      return paint(
        'bad',
        `DIVERGED ${notice.instance} seq ${notice.seq} at ${notice.peer}: digest ${notice.ours}, expected ${notice.theirs}`,
      );
    default:
      return unreachable(notice);
  }
}

/** `CODE sentence` */
export function formatError(error: LockstepError, paint: Paint): string {
  return `${paint('bad', error.code)} ${error.message}`;
}

// ── Parts ────────────────────────────────────────────────────────────────────────────────────────────────────────

function formatPeers({ peers }: Extract<Result, { kind: 'peers' }>, paint: Paint): string {
  const rows = peers.map((each) => [
    each.attached ? '*' : ' ',
    each.peer,
    each.kind,
    each.name,
    [each.hosts ? 'hosts' : '', each.eval ? 'eval' : '', each.self ? 'this one' : ''].filter((word) => word !== '').join(', '),
  ]);
  return columns(rows, paint);
}

function formatListing({ machines, instances }: Extract<Result, { kind: 'listing' }>, paint: Paint): string {
  const parts: string[] = [];
  if (machines.length > 0)
    parts.push(
      paint('dim', 'machines'),
      columns(
        machines.map(({ machine, image }) => [`  ${machine}`, image]),
        paint,
      ),
    );
  parts.push(paint('dim', instances.length === 0 ? 'no instances' : 'instances'));
  if (instances.length > 0) {
    parts.push(
      columns(
        instances.map((each) => [`  ${each.instance}`, each.machine, `seq ${each.seq}`, each.status, valueText(each.value)]),
        paint,
      ),
    );
  }
  return parts.join('\n');
}

function formatInstance(detail: InstanceDetail, paint: Paint): string {
  const clocks = detail.clocks.map(({ state, ticks }) => (ticks % 2 === 1 ? paint('good', `${state} ${ticks}`) : `${state} ${ticks}`));
  const rows: (readonly [string, string])[] = [
    ['instance', paint('strong', detail.instance)],
    ['machine', detail.machine],
    ['image', detail.image],
    ['status', detail.status],
    ...(detail.active === undefined
      ? ([
          ['value', valueText(detail.value)],
          ['context', JSON.stringify(detail.context)],
        ] as const)
      : [['active', activeText(detail.active)] as const]),
    ['seq', `${detail.seq} (epoch ${detail.epoch})`],
    ['digest', detail.digest],
    ['clocks', clocks.join(', ')],
    ['timers', detail.timers.map(({ event, due }) => `${event} at ${new Date(due).toISOString()}`).join(', ') || 'none'],
  ];
  const actors = detail.actors.map(({ id, src, ended }) => `${id}${id === src ? '' : ` (${src})`}${ended ? paint('dim', ' ended') : ''}`);
  if (actors.length > 0) rows.push(['actors', actors.join(', ')]);
  if (detail.output !== undefined) rows.push(['output', JSON.stringify(detail.output)]);
  if (detail.error !== undefined) rows.push(['error', paint('bad', detail.error)]);
  return rows.map(([name, value]) => `${paint('dim', name.padEnd(9))}${value}`).join('\n');
}

function formatChange(change: Extract<Notice, { kind: 'change' }>, paint: Paint): string {
  const before = valueText(change.before);
  const after = valueText(change.value);
  const value = before === after ? after : `${before} → ${paint('good', after)}`;
  const status = change.status === 'active' ? '' : ` ${change.status}`;
  return `${paint('strong', change.instance)} seq ${change.seq} ${value}${status}${patchText(change.patch)}`;
}

function formatStep(step: Extract<Notice, { kind: 'step' }>, paint: Paint): string {
  const moves = [...step.left.map((state) => `-${state}`), ...step.entered.map((state) => `+${state}`)].join(' ');
  const parts = [
    paint('dim', new Date(step.at).toISOString().slice(11, 23)),
    `${paint('strong', step.instance)}#${step.seq}`,
    step.states === undefined ? step.event : `${step.event} ${step.states.join(',')}`,
    paint('dim', `from ${step.from}${step.n === 0 ? '' : `.${step.n}`}`),
    step.ignored ? paint('warn', 'ignored') : moves,
  ];
  const effects = step.effects.length === 0 ? '' : ` effects ${step.effects.map(effectText).join(', ')}`;
  return parts.filter((part) => part !== '').join(' ') + patchText(step.patch) + effects;
}

/** Of a relational machine. */
function activeText(active: readonly string[]): string {
  return active.length === 0 ? 'nothing' : active.join(' ');
}

/** XState's state value: `a`, `a.b`, names alone where nothing is inside any of them, or JSON where regions are parallel. */
export function valueText(value: Json): string {
  if (typeof value === 'string') return value;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.length > 0 && entries.every(([, inner]) => isNothing(inner as Json))) return activeText(entries.map(([name]) => name));
  if (entries.length !== 1) return JSON.stringify(value);
  const [key, inner] = entries[0]!;
  const below = valueText(inner as Json);
  return below.startsWith('{') || below.includes(' ') ? JSON.stringify(value) : `${key}.${below}`;
}

function patchText(patch: readonly Operation[]): string {
  if (patch.length === 0) return '';
  return ` ${cut(patch.map((operation) => `${operation.path || 'context'}${operation.op === 'remove' ? ' removed' : `=${JSON.stringify(operation.value)}`}`).join(' '))}`;
}

function isNothing(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function brief(value: Json): string {
  return cut(JSON.stringify(value));
}

function cut(text: string): string {
  return text.length <= BRIEF_MAX ? text : `${text.slice(0, BRIEF_MAX - 1)}…`;
}

function columns(rows: readonly (readonly string[])[], paint: Paint): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? [];
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  return rows.map((row) => (row[0] === '*' ? paint('strong', line(row)) : line(row))).join('\n');
}
