// A trace as a file: JSON lines, one thing each. The first names the format; images come before the steps that run them, so that a file says
// everything about what it shows without any peer being there. What is read passes the same gate as what comes over the wire. A file of bare
// messages of Stately's inspect protocol is read too, as one plain XState program.

import { LockstepError } from '../../core/errors.ts';
import { isFields } from '../../core/fields.ts';
import { hashText, xxh64 } from '../../core/xxh64.ts';
import { readNotice, readResult } from '../../peer/codec-json.ts';
import { isInspectMessage, readInspectMessage } from '../../peer/inspect/read.ts';
import { readTrace } from '../../peer/trace-shapes.ts';
import type { ImageDescription, InstanceDescription, PeerInfo, Traced } from '../../peer/wire.ts';

const TRACE_FORMAT = 1;

export type TraceLine =
  | { readonly kind: 'peer'; readonly peer: PeerInfo }
  | { readonly kind: 'image'; readonly image: ImageDescription }
  /** A state to fold steps from, where the beginning is not in the file. */
  | { readonly kind: 'state'; readonly state: InstanceDescription }
  | Traced;

export function formatLines(lines: Iterable<TraceLine>): string {
  const texts = [JSON.stringify({ kind: 'lockstep-trace', format: TRACE_FORMAT })];
  for (const line of lines) texts.push(JSON.stringify(line));
  return `${texts.join('\n')}\n`;
}

/**
 * The lines of a file, without the first.
 * @throws LockstepError BAD_VERSION when it is no trace or of another format, MALFORMED naming the line that is nothing of a trace.
 */
export function parseLines(text: string): TraceLine[] {
  const lines = text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [{ line, number: index + 1 }]));
  const [first, ...rest] = lines;
  const head = first === undefined ? undefined : parseJson(first.line);
  if (isInspectMessage(head)) return readMessages(text, lines);
  if (!isFields(head) || head.kind !== 'lockstep-trace')
    throw new LockstepError(
      'BAD_VERSION',
      'the file does not begin as a trace of Lockstep does, nor with a message of the inspect protocol',
    );
  if (head.format !== TRACE_FORMAT)
    throw new LockstepError('BAD_VERSION', `the trace has format ${String(head.format)}, expected ${TRACE_FORMAT}`);
  return rest.map((line) => located(line, checked));
}

interface Line {
  readonly line: string;
  readonly number: number;
}

function located<T>({ line, number }: Line, read: (value: unknown) => T): T {
  try {
    return read(parseJson(line));
  } catch (error) {
    throw new LockstepError('MALFORMED', `line ${number} of the trace: ${(error as LockstepError).message}`, { cause: error });
  }
}

/** A program that wrote its messages into a file; the same file is the same program. */
function readMessages(text: string, lines: readonly Line[]): TraceLine[] {
  const peer = `file-${hashText(xxh64(new TextEncoder().encode(text)))}`;
  return lines.flatMap((line, index): TraceLine[] => {
    const message = located(line, readInspectMessage);
    return message === undefined ? [] : [{ kind: 'inspect', peer, n: index + 1, at: Number(message.createdAt), message }];
  });
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new LockstepError('MALFORMED', `not JSON: ${(error as SyntaxError).message}`);
  }
}

function checked(value: unknown): TraceLine {
  if (!isFields(value)) throw new LockstepError('MALFORMED', 'not an object');
  switch (value.kind) {
    case 'peer':
      return { kind: 'peer', peer: readNotice('presence', { joined: [value.peer], left: [] }).joined[0]! };
    case 'image': {
      const image = readResult('get', value.image);
      if (!('bytes' in image)) throw new LockstepError('MALFORMED', 'an image without bytes');
      return { kind: 'image', image };
    }
    case 'state': {
      const state = readResult('get', value.state);
      if (!('state' in state)) throw new LockstepError('MALFORMED', 'a state without clocks');
      return { kind: 'state', state };
    }
    case 'inspect': {
      const [record] = readTrace([value]);
      if (record?.kind === 'inspect') readInspectMessage(record.message);
      return record!;
    }
    default:
      return readTrace([value])[0]!;
  }
}
