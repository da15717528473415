// Reads the pages and the comments, and follows what they point at. Each checker is also fed something bad, so that it cannot pass by blindness.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { filesUnder, ROOT, type Source, sources } from './source.ts';

const PAGES: readonly Source[] = [
  ...['README.md', 'bench/README.md']
    .filter((path) => existsSync(join(ROOT, path)))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') })),
  ...filesUnder('docs', /\.md$/),
];

/** Programs and transcripts hold brackets that are no links. */
const prose = (text: string): string => text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]]/g, ' '));

/** The anchors that a page has: its headings, as GitHub makes them. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = text.replace(/```[\s\S]*?```/g, '').matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\- _]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function deadLinks(pages: readonly Source[]): string[] {
  return pages.flatMap(({ path, text }) =>
    [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1]!)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [name = '', anchor] = link.split('#');
        const target = name === '' ? path : normalize(join(dirname(path), name));
        if (name !== '' && !existsSync(join(ROOT, target))) return true;
        if (anchor === undefined || !target.endsWith('.md')) return false;
        return !anchorsOf(name === '' ? text : readFileSync(join(ROOT, target), 'utf8')).has(anchor);
      })
      .map((link) => `${path} links to ${link}`),
  );
}

test('[TIDY-11] pages link to what is there', () => {
  const bad = '# One thing\n[a](nowhere.md) [b](#one-thing) [c](#another) [d](SPEC.md#the-rules) [e](SPEC.md#rules)';
  expect(deadLinks([{ path: 'docs/x.md', text: bad }])).toEqual([
    'docs/x.md links to nowhere.md',
    'docs/x.md links to #another',
    'docs/x.md links to SPEC.md#rules',
  ]);
  expect(PAGES.length).toBeGreaterThan(20);
  expect(deadLinks(PAGES)).toEqual([]);
});

function unknownRules(files: readonly Source[]): string[] {
  const known = new Set(
    filesUnder('docs/spec', /\.md$/).flatMap(({ text }) => [...text.matchAll(/\*\*([A-Z]+-\d+)\*\*/g)].map((match) => match[1]!)),
  );
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(/^\s*(?:\/\/|\/?\*).*?\(([A-Z]+-\d+(?:, [A-Z]+-\d+)*)\)/gm)]
      .flatMap((match) => match[1]!.split(', '))
      .filter((id) => !known.has(id))
      .map((id) => `${path} names ${id}`),
  );
}

test('[TIDY-11] a rule that a comment names is a rule', () => {
  expect(
    unknownRules([{ path: 'core/x.ts', text: "/**\n * Reads. (SYNC-1, SYNC-0)\n */\nconst it = '(SYNC-0)';\n// So. (NONE-1)" }]),
  ).toEqual(['core/x.ts names SYNC-0', 'core/x.ts names NONE-1']);
  expect(unknownRules(sources())).toEqual([]);
});
