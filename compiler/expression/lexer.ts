// The words of an expression's text: names, numbers, strings, templates and signs, each with the place where it begins.

import type { LockstepError } from '../../core/errors.ts';

export type Token =
  | { readonly kind: 'name' | 'number' | 'sign'; readonly text: string; readonly at: number }
  /** `text` is what it means, without quotes and escapes. */
  | { readonly kind: 'string'; readonly text: string; readonly at: number }
  /** Pieces of text, and the sources between them. */
  | {
      readonly kind: 'template';
      readonly text: '';
      readonly texts: readonly string[];
      readonly sources: readonly { readonly text: string; readonly at: number }[];
      readonly at: number;
    }
  | { readonly kind: 'end'; readonly text: ''; readonly at: number };

const SPACE = /\s*/y;
const NAME = /[\p{ID_Start}$_][\p{ID_Continue}$]*/uy;
const NUMBER = /(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w$.])/y;
const SIGN = /\.\.\.|===|!==|==|!=|=>|<=|>=|&&|\|\||\?\?|\?\.(?!\d)|[-+*/%!<>?:.,;()[\]{}=]/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };
const UNICODE = /\\u([0-9a-fA-F]{4})/y;

/** @param refuse makes the error for a place and what was expected there. */
export function lex(text: string, refuse: (at: number, expected: string) => LockstepError): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  for (;;) {
    match(SPACE);
    const start = at;
    const first = text[at];
    if (first === undefined) return [...tokens, { kind: 'end', text: '', at }];
    if (first === '"' || first === "'") {
      const { value, end } = quoted(text, at, first, refuse);
      at = end;
      tokens.push({ kind: 'string', text: value, at: start });
      continue;
    }
    if (first === '`') {
      const token = templateAt(text, at, refuse);
      at = token.end;
      tokens.push({ kind: 'template', text: '', texts: token.texts, sources: token.sources, at: start });
      continue;
    }
    const name = match(NAME);
    const number = name === undefined ? match(NUMBER) : undefined;
    const sign = name === undefined && number === undefined ? match(SIGN) : undefined;
    if (name !== undefined) tokens.push({ kind: 'name', text: name, at: start });
    else if (number !== undefined) {
      if (!Number.isFinite(Number(number))) throw refuse(start, 'a number that is finite');
      tokens.push({ kind: 'number', text: number, at: start });
    } else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign, at: start });
    else throw refuse(start, 'a value or an operator');
  }
}

type Refuse = (at: number, expected: string) => LockstepError;

/** The text between two quotes. */
function quoted(text: string, start: number, quote: string, refuse: Refuse): { value: string; end: number } {
  let value = '';
  let at = start + 1;
  while (text[at] !== quote) {
    if (at >= text.length || text[at] === '\n') throw refuse(at, `the closing ${quote}`);
    const unit = unitAt(text, at, refuse);
    value += unit.value;
    at = unit.end;
  }
  return { value, end: at + 1 };
}

/** One UTF-16 unit of a string's meaning, escaped or not. */
function unitAt(text: string, at: number, refuse: Refuse): { value: string; end: number } {
  if (text[at] !== '\\') return { value: text[at]!, end: at + 1 };
  UNICODE.lastIndex = at;
  const hex = UNICODE.exec(text)?.[1];
  if (hex !== undefined) return { value: String.fromCharCode(Number.parseInt(hex, 16)), end: at + 6 };
  const escaped = text[at + 1];
  if (escaped !== undefined && '\\\'"`/$'.includes(escaped)) return { value: escaped, end: at + 2 };
  const meant = escaped === undefined ? undefined : ESCAPES[escaped];
  if (meant === undefined) throw refuse(at, 'an escape that JSON has');
  return { value: meant, end: at + 2 };
}

function templateAt(
  text: string,
  start: number,
  refuse: Refuse,
): { texts: string[]; sources: { text: string; at: number }[]; end: number } {
  const texts = [''];
  const sources: { text: string; at: number }[] = [];
  let at = start + 1;
  while (text[at] !== '`') {
    if (at >= text.length) throw refuse(at, 'the closing `');
    if (text.startsWith('${', at)) {
      const end = closing(text, at + 2, refuse);
      sources.push({ text: text.slice(at + 2, end), at: at + 2 });
      texts.push('');
      at = end + 1;
    } else {
      const unit = unitAt(text, at, refuse);
      texts[texts.length - 1] += unit.value;
      at = unit.end;
    }
  }
  return { texts, sources, end: at + 1 };
}

/** Where the bracket that opens before `start` closes; strings inside may hold brackets of their own. */
function closing(text: string, start: number, refuse: Refuse): number {
  let depth = 0;
  let at = start;
  for (; at < text.length; at += 1) {
    const sign = text[at]!;
    if (sign === '"' || sign === "'") at = quoted(text, at, sign, refuse).end - 1;
    else if (sign === '`') at = templateAt(text, at, refuse).end - 1;
    else if (sign === '{') depth += 1;
    else if (sign === '}' && depth === 0) return at;
    else if (sign === '}') depth -= 1;
  }
  throw refuse(at, "the closing '}'");
}
