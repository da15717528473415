// What a tab does for others is loaded when the first of them asks, or the page hosts an instance: a page that only watches goes without.

import type { Serving, ServingOptions } from '../peer/serving.ts';

export async function serving(options: ServingOptions): Promise<Serving> {
  const { Serving } = await import('../peer/serving.ts');
  return new Serving(options);
}
