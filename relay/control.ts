// What is said to the relay itself: hello, admit and expel. Everything else in a frame is a body that the relay carries and never
// opens. Whatever leaves `readControl` has passed the codec's gate; whatever does not is refused with a code and a sentence.

import { LockstepError } from '../core/errors.ts';
import { readBody } from '../peer/codec-json.ts';
import type { Message, RequestId } from '../peer/codec-json.ts';
import type { Frame } from '../peer/link.ts';
import { readOrder, readParams } from '../peer/params.ts';
import type { HelloParams, PeerId } from '../peer/wire.ts';

export type Control =
  | { readonly kind: 'hello'; readonly id: RequestId; readonly params: HelloParams }
  | { readonly kind: 'admit' | 'expel'; readonly room: number; readonly peer: PeerId; readonly mayLose: boolean }
  | { readonly kind: 'refused'; readonly id: RequestId | null; readonly error: LockstepError }
  /** An answer, though the relay asks nothing: answering it could go on for ever. */
  | { readonly kind: 'nothing' };

/** The messages in the body of a frame to the relay. Never throws. */
export function readControl(body: string): readonly Control[] {
  try {
    return readBody(body).map((message) => (message instanceof LockstepError ? refused(null, message) : readMessage(message)));
  } catch (error) {
    return [refused(null, known(error))];
  }
}

function readMessage(message: Message): Control {
  if (message.kind === 'answer' || message.kind === 'refusal') return { kind: 'nothing' };
  const id = message.kind === 'request' ? message.id : null;
  const { method, params } = message;
  try {
    if (method === 'hello' && message.kind === 'request') return { kind: 'hello', id: message.id, params: readParams('hello', params) };
    if (method === 'admit' || method === 'expel') {
      const [room, peer, mayLose = false] = method === 'admit' ? readOrder('admit', params) : readOrder('expel', params);
      return { kind: method, room, peer, mayLose };
    }
  } catch (error) {
    return refused(id, known(error));
  }
  return refused(
    id,
    new LockstepError(
      'UNKNOWN_METHOD',
      `the relay knows the request hello and the notices admit and expel, found "${method.slice(0, 40)}"`,
    ),
  );
}

function refused(id: RequestId | null, error: LockstepError): Control {
  return { kind: 'refused', id, error };
}

function known(error: unknown): LockstepError {
  if (error instanceof LockstepError) return error;
  throw error;
}

/** Bytes and characters of a broken frame that its refusal repeats. */
const SHOWN_MAX = 40;

/** For a frame that is addressed to nobody. */
export function headless(frame: Frame): LockstepError {
  const found = typeof frame === 'string' ? JSON.stringify(frame.slice(0, SHOWN_MAX)) : `${frame.length} bytes`;
  return new LockstepError('MALFORMED', `a frame has a header line, or begins with { or [; found ${found}`);
}
