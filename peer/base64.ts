// Bytes as base64 text (RFC 4648 §4): how images travel in JSON. Written out, because platforms disagree on what offers it.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const three = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += ALPHABET[three >>> 18]! + ALPHABET[(three >>> 12) & 63]!;
    text += i + 1 < bytes.length ? ALPHABET[(three >>> 6) & 63]! : '=';
    text += i + 2 < bytes.length ? ALPHABET[three & 63]! : '=';
  }
  return text;
}

/** @returns undefined when the text is not base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let held = 0;
  let at = 0;
  for (let i = 0; i < text.length - padding; i++) {
    const value = ALPHABET.indexOf(text[i]!);
    if (value < 0) return undefined;
    held = (held << 6) | value;
    if (i % 4 !== 0) bytes[at++] = (held >>> (6 - (i % 4) * 2)) & 0xff;
  }
  return bytes;
}
