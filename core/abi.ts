// What a built core exports and imports: the WASM module and its TypeScript twin have exactly this shape.
// Pointers are byte offsets into `memory`; results below zero are the faults of assembly/layout and mean that nothing changed.
// Only `allocate`, `load`, `create` and `reserve` may grow the memory, which detaches every view of it.

export interface CoreExports {
  readonly memory: { readonly buffer: ArrayBufferLike };
  /** The image format this core reads: FORMAT of assembly/layout. */
  abi(): number;
  /** The semantics flags of assembly/layout that this core takes: the small one refuses images with others. */
  semantics(): number;
  /** A block of at least `size` bytes, aligned to 8, for the host to fill. @returns its pointer, or FAULT_MEMORY. */
  allocate(size: number): number;
  release(pointer: number, size: number): void;
  /** Validates the image at `pointer`; on success the core owns the block. @returns the image (its pointer), FAULT_IMAGE. */
  load(pointer: number, size: number): number;
  /** Frees an image that no instance uses. @returns 0, FAULT_IMAGE when it is unknown or in use. */
  unload(image: number): number;
  /** Which check of the validator refused the last image; 0 when none did. Numbers are listed in docs/IMAGE.md. */
  refusal(): number;
  /** Bytes of one instance of this image. @returns FAULT_IMAGE when unknown. */
  stride(image: number): number;
  /** A zeroed instance, status NEW. @returns its pointer, FAULT_IMAGE, FAULT_MEMORY. */
  create(image: number): number;
  destroy(instance: number): number;
  /** Runs the initial macrostep. @returns STEP_TAKEN, STEP_DONE or a fault. */
  start(instance: number, flags: number): number;
  /**
   * Runs one event to completion. @param flags TRACE, QUIET, COUNT, COVER. @returns STEP_IGNORED, STEP_TAKEN (see STEP_CELL_SHIFT), STEP_DONE or
   * a fault.
   */
  step(instance: number, event: number, flags: number): number;
  /**
   * Where the host writes, before a step of a relational machine, the states that a mutation calls: [count, state…], room for as many words
   * as the largest image loaded has states. The step overwrites them; loading an image may move them.
   */
  called(): number;
  /** For guards and actions, while a step asks them: appends an event that the host made to the internal queue. @returns its handle, or a fault. */
  raise(event: number): number;
  /** Whether the event would select a transition with a target or an action; runs guards, changes nothing. @returns 0, 1 or a fault. */
  can(instance: number, event: number): number;
  /**
   * Makes a restored or folded instance whole: the host has written status, clocks and history; the core derives the configuration
   * from the parity of the clocks and checks that it is legal. @returns 0, or FAULT_INSTANCE (the instance then must not be stepped).
   */
  settle(instance: number): number;
  /**
   * Runs `count` events, {instance u32, event u32} each, at `pointer`, as QUIET steps with COUNT, overwriting `event` with the result.
   * @returns how many were taken, or FAULT_MEMORY when that is no memory of the core's.
   */
  batch(pointer: number, count: number): number;
  /**
   * Where steps with COVER leave what they meet, in one block that the host allocated: bits by state, bits by transition, as many bytes as those
   * of the image need; and the form of where such a step, once taken, ended: how many words follow, then {place u32, word u32} for each word of
   * configuration and history that is not zero. Places of history are behind those of the configuration. `formBytes` is room for all of them.
   * @returns 0, or FAULT_MEMORY when that is no memory of the core's.
   */
  cover(at: number, stateBytes: number, transitionBytes: number, formBytes: number): number;
  /** The records of the last start or step: {kind << 24 | arg, aux} each. */
  output(): number;
  outputCount(): number;
  /** Makes room for `size` bytes of records. @returns 0 or FAULT_MEMORY. */
  reserve(size: number): number;
  /** In a call of env.value: the function whose program asks. */
  running(): number;
  /** The cells behind RECORD_WRITE, one for each record of the output; 0 while no image has programs. */
  log(): number;
  /** Where is what the last start or step wrote to cells, as assembly/program-layout draws it; 0 while no image has programs. */
  writes(): number;
  /** Writes xxh64 of the bytes [INSTANCE_STATUS, cells) to `out` (8 bytes, low word first). @returns 0 or FAULT_INSTANCE. */
  digest(instance: number, out: number): number;
  /** Writes xxh64 of `size` bytes to `out`. */
  hash(pointer: number, size: number, seedLow: number, seedHigh: number, out: number): void;
}

export interface CoreImports {
  readonly env: {
    /** @returns 1 or 0, or a negative number when the function threw: the step then ends with FAULT_HOST. */
    guard(functionNumber: number, handle: number): number;
    /**
     * Runs an assign, a delay, an output, the maker of a raised event, or a host action. @returns the event number for a raised event,
     * HOST_CHANGED or 0 for a host action, else any number >= 0; negative as above.
     */
    action(functionNumber: number, handle: number): number;
    /** Runs an action word at once, in a step with LIVE; word 0 ends a microstep. @returns HOST_CHANGED or 0; negative as above. */
    live(word: number, handle: number): number;
    /**
     * What programs leave to the host: an operation from OP_HOST on, or one of VALUE_…, about the cells at an address.
     * @returns what assembly/layout says beside it; negative on a fault: the step then ends with FAULT_HOST.
     */
    value(operation: number, cells: number, argument: number, handle: number): number;
  };
}
