// Writes what a partial view or a filter shows in the packed encoding. Apart from the codec, which pages load: only authorities say it.
// (docs/PROTOCOL.md, Packed)

import { encodeNotice } from './codec-json.ts';
import type { Packed } from './packed.ts';
import type { Notifications } from './wire.ts';

/** In the frame its header is that of the room. @param packed the codec, where it is at hand. */
export function packSeen(packed: Packed, params: Notifications['seen']): Uint8Array {
  const { SEEN, SEEN_CLOCKS, SEEN_DIGEST, SEEN_PATCH, packClocks, packDigest, packPatch } = packed;
  const [, base, seq, patch, digest, clocks = []] = params;
  const writer = new packed.ByteWriter();
  const hasDigest = digest !== undefined && digest !== null;
  writer.byte(SEEN | (hasDigest ? SEEN_DIGEST : 0) | (patch.length > 0 ? SEEN_PATCH : 0) | (clocks.length > 0 ? SEEN_CLOCKS : 0));
  if (hasDigest) packDigest(writer, digest);
  writer.whole(seq);
  writer.whole(seq - base);
  if (clocks.length > 0) writer.whole(clocks.length / 2);
  const isUsual = base <= seq && packClocks(writer, clocks) && (digest === null) === (clocks.length > 0 && !hasDigest);
  if (patch.length > 0) packPatch(writer, patch, []);
  return isUsual && writer.isFaithful ? writer.take() : packed.packJson(encodeNotice('seen', params));
}
