// An image by its hash, from whoever publishes it.

import { LockstepError } from '../core/errors.ts';
import { type HashBytes, readImage } from '../core/image.ts';
import { decodeBase64 } from './base64.ts';
import type { Session } from './session.ts';

/** @throws LockstepError UNKNOWN_IMAGE, BAD_IMAGE when what came is not the image of that hash. */
export async function imageFrom(session: Session, image: string, hashBytes: HashBytes): Promise<Uint8Array> {
  const described = await session.request('get', { image });
  const bytes = 'bytes' in described ? decodeBase64(described.bytes) : undefined;
  if (bytes === undefined) throw new LockstepError('BAD_IMAGE', `${session.remote} did not send image ${image} in base64`);
  readImage(bytes, hashBytes, image);
  return bytes;
}
