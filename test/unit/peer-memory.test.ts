// The implementations of link and journal that live in the peer room, held to their contracts.

import { describe, test } from 'vitest';
import { linkPair, MemoryJournal, TestEnvironment } from '../../peer/testing.ts';
import { journalContract } from '../contracts/journal.ts';
import { linkContract } from '../contracts/link.ts';

linkContract('in memory', () => {
  const environment = new TestEnvironment();
  return { ends: linkPair(environment), settle: () => environment.settle() };
});

describe('journal: in memory', () => {
  for (const [name, check] of Object.entries(journalContract)) test(name, () => check(() => ({ journal: new MemoryJournal() })));
});
