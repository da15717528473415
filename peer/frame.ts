// The header line of a frame: `<address> "\n" <body>`, in text and in binary frames alike. The body is carried, never read.

import type { Frame } from './link.ts';

export type ReadFrame =
  | { readonly kind: 'headed'; readonly address: string; readonly body: Frame }
  /** Plain JSON-RPC: the whole frame is the body. */
  | { readonly kind: 'plain'; readonly body: string }
  | { readonly kind: 'bad' };

/** Characters of the longest address: "#", a peer name, "/", a room number. */
const ADDRESS_MAX = 300;
const NEWLINE = 0x0a;
const BAD: ReadFrame = { kind: 'bad' };

export function readFrame(frame: Frame): ReadFrame {
  if (typeof frame === 'string') {
    if (frame.startsWith('{') || frame.startsWith('[')) return { kind: 'plain', body: frame };
    const end = frame.indexOf('\n');
    return end < 0 || end > ADDRESS_MAX ? BAD : { kind: 'headed', address: frame.slice(0, end), body: frame.slice(end + 1) };
  }
  const end = frame.subarray(0, ADDRESS_MAX + 1).indexOf(NEWLINE);
  return end < 0 ? BAD : { kind: 'headed', address: String.fromCharCode(...frame.subarray(0, end)), body: frame.subarray(end + 1) };
}

export function joinFrame(address: string, body: Frame): Frame {
  if (typeof body === 'string') return `${address}\n${body}`;
  const frame = new Uint8Array(address.length + 1 + body.length);
  for (let i = 0; i < address.length; i++) frame[i] = address.charCodeAt(i);
  frame[address.length] = NEWLINE;
  frame.set(body, address.length + 1);
  return frame;
}
