// What the Vite plugin makes of `import image from './bar.machine.ts?image'`. Add it to a project with
// /// <reference types="lockstep/vite/client" />

declare module '*?image' {
  /** 16 hex digits, high word first. */
  export const hash: string;
  export const bytes: Uint8Array;
  const image: { readonly hash: string; readonly bytes: Uint8Array };
  export default image;
}
