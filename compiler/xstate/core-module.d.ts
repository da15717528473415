// What tools/bootstrap/embed.ts makes of the built core: its bytes inside the bundle, so that a machine can be run at once, anywhere.

declare module 'virtual:core' {
  const base64: string;
  export default base64;
}

/** Its TypeScript twin, for where there is no WebAssembly. Each call gives one with a memory of its own. */
declare module 'virtual:twin' {
  import type { CoreExports, CoreImports } from '../../core/abi.ts';

  const make: () => (imports: CoreImports) => CoreExports;
  export default make;
}
