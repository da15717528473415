// What tools/bootstrap/embed.ts makes of the built core: its bytes inside the bundle, so that a machine can be run at once, anywhere.

declare module 'virtual:core' {
  const base64: string;
  export default base64;
}
