// The deep link: which step and which filter, in the part of the address behind `#`. Pure.

import type { Filter } from '../filter.ts';

export interface Link {
  readonly step: string | undefined;
  readonly filter: Filter;
}

const FIELDS = ['peer', 'instance', 'event', 'text'] as const;

export function formatHash({ step, filter }: Link): string {
  const params = new URLSearchParams();
  if (step !== undefined) params.set('step', step);
  for (const field of FIELDS) if ((filter[field] ?? '') !== '') params.set(field, filter[field]!);
  if (filter.hideIgnored === true) params.set('hide', 'ignored');
  const text = params.toString();
  return text === '' ? '' : `#${text}`;
}

export function parseHash(hash: string): Link {
  const params = new URLSearchParams(hash.replace(/^#/, ''));
  const filter: { -readonly [K in keyof Filter]: Filter[K] } = {};
  for (const field of FIELDS) {
    const value = params.get(field);
    if (value !== null && value !== '') filter[field] = value;
  }
  if (params.get('hide') === 'ignored') filter.hideIgnored = true;
  return { step: params.get('step') ?? undefined, filter };
}
