// The mutants: ways to break the core, each a few replacements of text that occurs exactly once in its file. `equivalent` says why nothing
// can notice one: then nothing may.

const STATECHART = 'assembly/statechart.ts';
const SELECT = 'assembly/select.ts';
const ENTRY = 'assembly/entry.ts';

export const MUTANTS = [
  // ── Selecting ────────────────────────────────────────────────────────────────────────────────────────────────
  {
    name: 'candidates are asked last to first',
    file: SELECT,
    edits: [
      [
        'const transition: i32 = load32(frame.candidates + (i << 2));',
        'const transition: i32 = load32(frame.candidates + ((to - 1 - i + load32(starts)) << 2));',
      ],
    ],
  },
  {
    name: 'only the first region may answer',
    file: SELECT,
    edits: [['if (lastSource >= state) return 0;', 'if (chosenCount > 0) return 0;']],
  },
  { name: 'ancestors answer although a region below has', file: SELECT, edits: [['if (lastSource >= state) return 0;', '']] },
  {
    name: 'eventless transitions of ancestors are not looked at',
    file: SELECT,
    edits: [['    state = frame.parentOf(state);\n  }\n  return 0;', '    return 0;\n  }\n  return 0;']],
  },
  {
    name: 'an eventless transition counts once per leaf',
    file: SELECT,
    edits: [['if (!isChosen(transition)) choose(transition);', 'choose(transition);']],
  },
  {
    name: 'conflicts are not resolved',
    file: SELECT,
    edits: [['if (isPreempted(transition, domain, kept)) continue;\n      kept = dropPreempted(transition, domain, kept);', '']],
  },
  {
    name: 'the one selected first wins, however deep the other',
    file: SELECT,
    edits: [['if (!isBelow(sourceOf(transition), sourceOf(other))) return true;', 'return true;']],
  },
  {
    name: 'the one that is not deeper wins',
    file: SELECT,
    edits: [['if (!isBelow(sourceOf(transition), sourceOf(other))) return true;', '']],
  },
  {
    name: 'only transitions with one domain are in conflict',
    file: SELECT,
    edits: [
      [
        'if (a === b || isBelow(b, a)) return moves(other, b, a);\n  return isBelow(a, b) && moves(one, a, b);',
        'return a === b && moves(other, b, a);',
      ],
    ],
  },
  {
    name: 'a leaf that history leads back to itself conflicts with nothing',
    file: SELECT,
    edits: [['return frame.parentOf(domain) !== outer;', 'return false;']],
  },
  { name: 'a state is in when it is out', file: SELECT, edits: [['frame.isActive(argument) ? 1 : 0', 'frame.isActive(argument) ? 0 : 1']] },
  {
    name: 'a targetless transition leaves its source',
    file: SELECT,
    edits: [
      [
        'if ((flags & layout.TRANSITION_TARGETLESS) !== 0) return NO_DOMAIN;',
        'if ((flags & layout.TRANSITION_TARGETLESS) !== 0) return load16(at + layout.TRANSITION_SOURCE);',
      ],
    ],
  },

  // ── Macrostep ────────────────────────────────────────────────────────────────────────────────────────────────
  {
    name: 'internal events come before eventless transitions',
    file: STATECHART,
    edits: [
      [
        'const eventless: boolean = checkAlways && chosenCount > 0;',
        'const eventless: boolean = checkAlways && chosenCount > 0 && queueHead === queueTail;',
      ],
    ],
  },
  {
    name: 'the queue is a stack',
    file: STATECHART,
    edits: [
      [
        'scratch.queue + (queueHead & QUEUE_MASK) * scratch.QUEUE_ENTRY;\n  const event',
        'scratch.queue + ((queueTail - 1) & QUEUE_MASK) * scratch.QUEUE_ENTRY;\n  const event',
      ],
      ['queueHead += 1;', 'queueTail -= 1;'],
    ],
  },
  {
    name: 'eventless transitions are looked for once',
    file: STATECHART,
    edits: [['checkAlways = !eventless || changed || frame.isScxml;', 'checkAlways = !eventless;']],
  },
  {
    name: 'an eventless round that changed nothing is repeated',
    file: STATECHART,
    edits: [['checkAlways = !eventless || changed || frame.isScxml;', 'checkAlways = true;']],
  },
  {
    name: 'an ignored event asks no eventless transition',
    file: STATECHART,
    edits: [['let checkAlways: boolean = true;', 'let checkAlways: boolean = taken;']],
  },
  { name: 'the raised event is not the one that functions see', file: STATECHART, edits: [['handle = load32(at + 4);', '']] },
  {
    name: 'fuel lasts one round longer',
    file: STATECHART,
    edits: [['fuel -= 1;\n    if (fuel < 0) return layout.FAULT_FUEL;', 'if (fuel < 0) return layout.FAULT_FUEL;\n    fuel -= 1;']],
  },
  {
    name: 'a fault is not rolled back',
    file: STATECHART,
    edits: [['if (saved) copyMemory(frame.instance + layout.INSTANCE_STATUS, scratch.undo, saveSize);', '']],
  },
  {
    name: 'a fault leaves its records',
    file: STATECHART,
    edits: [['expression.end(false);\n    scratch.clearOutput();', 'expression.end(false);']],
  },
  {
    name: 'a full queue forgets',
    file: STATECHART,
    edits: [['if (queueTail - queueHead === layout.QUEUE_MAX) return layout.FAULT_QUEUE_FULL;', '']],
  },
  {
    name: 'a forbidden event can be sent',
    file: STATECHART,
    edits: [
      [
        'if ((load16(at + layout.TRANSITION_FLAGS) & layout.TRANSITION_TARGETLESS) === 0 || load32(actions) > 0) answer = 1;',
        'if (actions !== 0) answer = 1;',
      ],
    ],
  },

  // ── Leaving ──────────────────────────────────────────────────────────────────────────────────────────────────
  {
    name: 'states are left in document order',
    file: STATECHART,
    edits: [['const state: i32 = (word << 5) + 31 - leadingZeros(bits);', 'const state: i32 = (word << 5) + trailingZeros(bits);']],
  },
  {
    name: 'words of states are left in document order',
    file: STATECHART,
    edits: [['for (let word: i32 = frame.words - 1; word >= 0; word--) {', 'for (let word: i32 = 0; word < frame.words; word++) {']],
  },
  {
    name: 'exit actions are lost',
    file: STATECHART,
    edits: [
      [
        'const fault: i32 = runActions(load32(frame.stateAt(state) + layout.STATE_EXIT));\n  if (fault < 0) return fault;\n  frame.clearBit',
        'frame.clearBit',
      ],
    ],
  },
  {
    name: 'history remembers nothing',
    file: STATECHART,
    edits: [['const fault: i32 = recordHistories(state);\n      if (fault < 0) return fault;', '']],
  },
  {
    name: 'history remembers what is left of the state after its children',
    file: STATECHART,
    edits: [
      ['      const fault: i32 = recordHistories(state);\n      if (fault < 0) return fault;\n', ''],
      [
        'const fault: i32 = runActions(load32(frame.stateAt(state) + layout.STATE_EXIT));\n  if (fault < 0) return fault;\n  frame.clearBit',
        'recordHistories(state);\n  const fault: i32 = runActions(load32(frame.stateAt(state) + layout.STATE_EXIT));\n  if (fault < 0) return fault;\n  frame.clearBit',
      ],
    ],
  },
  {
    name: 'to remember is no change',
    file: STATECHART,
    edits: [['changed = true;\n      const fault: i32 = recordHistories', 'const fault: i32 = recordHistories']],
  },
  {
    name: 'deep history is shallow',
    file: ENTRY,
    edits: [
      [
        'if (load8(historyAt(history) + layout.HISTORY_DEEP) !== 0) rememberLeaves',
        'if (load8(historyAt(history) + layout.HISTORY_DEEP) === 2) rememberLeaves',
      ],
    ],
  },
  {
    name: 'shallow history is deep',
    file: ENTRY,
    edits: [
      [
        'if (load8(historyAt(history) + layout.HISTORY_DEEP) !== 0) rememberLeaves',
        'if (load8(historyAt(history) + layout.HISTORY_DEEP) !== 2) rememberLeaves',
      ],
    ],
  },
  {
    name: 'the transition acts before the exit',
    file: STATECHART,
    edits: [
      [
        'const moves: boolean = collectExits();',
        'for (let i: i32 = 0; i < chosenCount; i++) {\n    fault = runActions(load32(frame.transitionAt(load32(scratch.chosen + (i << 2))) + layout.TRANSITION_ACTIONS));\n    if (fault < 0) return fault;\n  }\n  const moves: boolean = collectExits();',
      ],
      [
        '    if (fault < 0) return fault;\n  }\n  for (let i: i32 = 0; i < chosenCount; i++) {\n    fault = runActions(load32(frame.transitionAt(load32(scratch.chosen + (i << 2))) + layout.TRANSITION_ACTIONS));\n    if (fault < 0) return fault;\n  }\n',
        '    if (fault < 0) return fault;\n  }\n',
      ],
    ],
  },

  // ── Entering ─────────────────────────────────────────────────────────────────────────────────────────────────
  {
    name: 'the transition acts after the entry',
    file: STATECHART,
    edits: [
      [
        '  for (let i: i32 = 0; i < chosenCount; i++) {\n    fault = runActions(load32(frame.transitionAt(load32(scratch.chosen + (i << 2))) + layout.TRANSITION_ACTIONS));\n    if (fault < 0) return fault;\n  }\n  if (!entersAny()) return 0;',
        '  if (!entersAny()) {\n    for (let i: i32 = 0; i < chosenCount; i++) runActions(load32(frame.transitionAt(load32(scratch.chosen + (i << 2))) + layout.TRANSITION_ACTIONS));\n    return 0;\n  }',
      ],
      [
        '  fault = enterStates();\n  if (fault < 0) return fault;\n  return completeIfDone();\n}\n\nfunction emitTransitions',
        '  fault = enterStates();\n  if (fault < 0) return fault;\n  for (let i: i32 = 0; i < chosenCount; i++) runActions(load32(frame.transitionAt(load32(scratch.chosen + (i << 2))) + layout.TRANSITION_ACTIONS));\n  return completeIfDone();\n}\n\nfunction emitTransitions',
      ],
    ],
  },
  {
    name: 'states are entered in reverse document order',
    file: STATECHART,
    edits: [
      [
        'const state: i32 = (word << 5) + trailingZeros(bits);\n      bits = bits & (bits - 1);\n      if (!finals',
        'const state: i32 = (word << 5) + 31 - leadingZeros(bits);\n      bits = bits & ~(1 << (state & 31));\n      if (!finals',
      ],
    ],
  },
  {
    name: 'initial actions never run',
    file: STATECHART,
    edits: [['if (frame.hasBit(scratch.defaults, state)) {', 'if (frame.hasBit(scratch.defaults, state) && state < 0) {']],
  },
  { name: 'initial actions always run', file: STATECHART, edits: [['if (frame.hasBit(scratch.defaults, state)) {', 'if (state >= 0) {']] },
  {
    name: 'to be left and entered again is a change',
    file: STATECHART,
    edits: [
      [
        'if ((entering & ~load32(frame.configuration + (word << 2))) !== load32(scratch.exits + (word << 2))) changed = true;',
        'changed = true;',
      ],
    ],
  },
  {
    name: 'a move is no change',
    file: STATECHART,
    edits: [['if ((entering & ~load32(frame.configuration + (word << 2))) !== load32(scratch.exits + (word << 2))) changed = true;', '']],
  },
  {
    name: 'a state that stays and is entered again ticks once',
    file: STATECHART,
    edits: [['  if (frame.isActive(state)) {\n    const clock', '  if (frame.isActive(state) && state < 0) {\n    const clock']],
  },
  {
    name: 'the domain is found anew after the exit',
    file: ENTRY,
    edits: [['if (dynamicDomain(at) < 0) return fault;', 'domain = dynamicDomain(at);\n  if (fault !== 0) return fault;']],
  },
  {
    name: 'regions that were not left are entered',
    file: ENTRY,
    edits: [['if (!frame.isActive(child) && !frame.hasAny', 'if (!frame.hasAny']],
  },
  {
    name: 'a region on the way to a goal is entered by default as well',
    file: ENTRY,
    edits: [
      [
        'if (!frame.isActive(child) && !frame.hasAny(scratch.enters, child + 1, childEnd)) enterTarget(child);',
        'if (!frame.isActive(child)) enterTarget(child);',
      ],
    ],
  },
  {
    name: 'a transition to history leaves from the common ancestor always',
    file: ENTRY,
    edits: [['if (!reenter && lowest >= source && highest <= frame.endOf(source)) return source;', '']],
  },
  {
    name: 'a transition to history never reenters',
    file: ENTRY,
    edits: [['if (!reenter && lowest >= source && highest', 'if (lowest >= source && highest']],
  },
  {
    name: 'the default of a history is its parent’s initial state',
    file: ENTRY,
    edits: [['if (transition === layout.NONE16) {\n    const parent', 'if (transition !== -1) {\n    const parent']],
  },
  {
    name: 'a history that falls back on the initial state runs no initial actions',
    file: ENTRY,
    edits: [['if (byInitial) frame.setBit(scratch.defaults, parent);', '']],
  },
  {
    name: 'history restores no ancestors',
    file: ENTRY,
    edits: [
      [
        'state = nextBit(memory, state + 1))\n      addProperAncestors(state, parent);',
        'state = nextBit(memory, state + 1))\n      addProperAncestors(state, state);',
      ],
    ],
  },
  {
    name: 'what a target holds is not entered when history is near',
    file: ENTRY,
    edits: [
      [
        'if (source !== target || source !== domain || reenter) enterByDefault(target);\n    descend(target);',
        'if (source !== target || source !== domain || reenter) enterByDefault(target);',
      ],
    ],
  },

  // ── Completing ───────────────────────────────────────────────────────────────────────────────────────────────
  { name: 'a final state does not complete its parent', file: STATECHART, edits: [['fault = raiseDone(parent, done);\n      if', 'if']] },
  { name: 'parallels do not complete', file: STATECHART, edits: [['fault = raiseDone(ancestor, layout.HANDLE_DONE | ancestor);', '']] },
  {
    name: 'a parallel is complete when one region is',
    file: STATECHART,
    edits: [
      ['if (!isFinished(child)) return false;', 'if (isFinished(child)) return true;'],
      ['return kind === layout.KIND_PARALLEL;\n}', 'return false;\n}'],
    ],
  },
  { name: 'a parallel completes once for each region', file: STATECHART, edits: [['!frame.hasBit(scratch.completed, ancestor) &&\n', '']] },
  {
    name: 'a machine that is done runs no exit actions',
    file: STATECHART,
    edits: [
      [
        'if (load32(frame.instance + layout.INSTANCE_STATUS) !== layout.STATUS_DONE) return 0;\n  for',
        'if (frame.instance !== 0) return 0;\n  for',
      ],
    ],
  },
  {
    name: 'the done event does not carry the output',
    file: STATECHART,
    edits: [['made += 1;\n  return made;\n}\n\n/** The root', 'return layout.HANDLE_DONE | completed;\n}\n\n/** The root']],
  },

  // ── Actions ──────────────────────────────────────────────────────────────────────────────────────────────────
  {
    name: 'an assign is no change',
    file: STATECHART,
    edits: [['changed = true;\n    const fault: i32 = expression.assign(', 'const fault: i32 = expression.assign(']],
  },
  {
    name: 'effects see the external event',
    file: STATECHART,
    edits: [
      ['scratch.emit(layout.RECORD_EFFECT, argument, handle)', 'scratch.emit(layout.RECORD_EFFECT, argument, layout.HANDLE_EXTERNAL)'],
    ],
  },
  {
    name: 'a host that throws in an assign is ignored',
    file: STATECHART,
    edits: [['return fault < 0 ? fault : scratch.emit(layout.RECORD_ASSIGN', 'return scratch.emit(layout.RECORD_ASSIGN']],
  },

  // ── The short road, restoring, memory ────────────────────────────────────────────────────────────────────────
  { name: 'the short road leaves only the source', file: 'assembly/move.ts', edits: [['if (end > source) leaveBelow(source, end);', '']] },
  {
    name: 'the short road enters without a tick',
    file: 'assembly/move.ts',
    edits: [
      [
        'store32(word, load32(word) | (1 << (state & 31)));\n    tick(clocks + (state << 2));',
        'store32(word, load32(word) | (1 << (state & 31)));',
      ],
    ],
  },
  {
    name: 'what acts when it is left takes the short road',
    file: 'assembly/plan.ts',
    edits: [['tables.listLength(load32(at + layout.STATE_EXIT)) !== 0 ||', '']],
  },
  {
    name: 'what enters a final state takes the short road',
    file: 'assembly/plan.ts',
    edits: [['tables.kindOf(state) === layout.KIND_FINAL ||', '']],
  },
  {
    name: 'a compound with two active children is restored',
    file: 'assembly/settle.ts',
    edits: [['if (kind === layout.KIND_COMPOUND && active !== 1) return false;', '']],
  },
  {
    name: 'an image goes back to the list of a larger size',
    file: 'assembly/image.ts',
    edits: [['release(image, load32(image + layout.IMAGE_SIZE));', 'release(image, load32(image + layout.IMAGE_SIZE) + 8);']],
  },
];
