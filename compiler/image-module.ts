// An image as a JavaScript module, so that a page can import it like anything else; `*?image` of image-modules.d.ts is its type.

/** @returns the module's text: `hash`, `bytes`, and both as its default export. */
export function imageModule({ bytes, hash }: { readonly bytes: Uint8Array; readonly hash: string }): string {
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return [
    `export const hash = '${hash}';`,
    `export const bytes = Uint8Array.from(atob('${text}'), (char) => char.charCodeAt(0));`,
    'export default { hash, bytes };',
    '',
  ].join('\n');
}

/** The declarations that belong to it, for a file beside it. */
export const IMAGE_MODULE_TYPES = `/** 16 hex digits, high word first. */
export declare const hash: string;
export declare const bytes: Uint8Array;
declare const image: { readonly hash: string; readonly bytes: Uint8Array };
export default image;
`;
