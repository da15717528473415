// The header of a frame: `<address> "\n" <body>` in text, a few bytes in a binary frame. The body is carried, never read.

import type { Frame } from './link.ts';
import { ByteReader, ByteWriter, readAddress, writeAddress } from './packed-bytes.ts';

export type ReadFrame =
  | { readonly kind: 'headed'; readonly address: string; readonly body: Frame }
  /** Plain JSON-RPC: the whole frame is the body. */
  | { readonly kind: 'plain'; readonly body: string }
  | { readonly kind: 'bad' };

/** Characters of the longest address: "#", a peer name, "/", a room number. */
const ADDRESS_MAX = 300;
const BAD: ReadFrame = { kind: 'bad' };

export function readFrame(frame: Frame): ReadFrame {
  if (typeof frame === 'string') {
    if (frame.startsWith('{') || frame.startsWith('[')) return { kind: 'plain', body: frame };
    const end = frame.indexOf('\n');
    return end < 0 || end > ADDRESS_MAX ? BAD : { kind: 'headed', address: frame.slice(0, end), body: frame.slice(end + 1) };
  }
  try {
    const reader = new ByteReader(frame);
    return { kind: 'headed', address: readAddress(reader), body: frame.subarray(reader.at) };
  } catch {
    return BAD; // It says only that there is no header.
  }
}

export function joinFrame(address: string, body: Frame): Frame {
  if (typeof body === 'string') return `${address}\n${body}`;
  const writer = new ByteWriter();
  writeAddress(writer, address);
  writer.raw(body);
  return writer.take();
}
