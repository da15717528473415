// Values that a document or a resource spells out, without an evaluator where one is not needed (W3C SCXML appendix B.2).

import { LockstepError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { EvaluationError, xmlText, xmlValue } from './evaluator.ts';
import { parseXml, writeXml } from './xml.ts';

/** XML when it looks like it and is, else JSON, else an expression where one may stand, else text with its spaces put in order. */
export function literalOf(text: string, evaluate?: (expression: string) => Json | undefined): Json | undefined {
  const trimmed = text.trim();
  if (trimmed.startsWith('<')) {
    try {
      return xmlValue(writeXml(parseXml(trimmed)));
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
      // No XML after all.
    }
  }
  try {
    return JSON.parse(trimmed) as Json;
  } catch {
    // Not JSON: the next reading is tried.
  }
  if (evaluate !== undefined && /^[[{(]|^function\b/.test(trimmed)) {
    try {
      return evaluate(trimmed);
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      // No expression either.
    }
  }
  return trimmed.replace(/\s+/g, ' ');
}

/** The text of a document that an expression gave: an XML value, or a string. */
export function documentText(value: Json | undefined): string {
  return typeof value === 'string' ? value : (xmlText(value) ?? JSON.stringify(value) ?? '');
}
