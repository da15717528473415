// SCXML in one import: documents to images, sessions that run them, the ECMAScript data model. For authorities; see docs/scxml.md.

export { compile, type CompileOptions, type Image } from '../compile.ts';
export { fromScxml, type ScxmlOptions } from '../dialects/scxml.ts';
export { bindScxml } from './bind.ts';
export type { ScxmlDocument } from './document.ts';
export { EvaluationError, type DataEnvironment, type DataSession, type EventFields, type Evaluator } from './evaluator.ts';
export type { ScxmlEvent } from './events.ts';
export { Interpreter } from './interpreter.ts';
export type { SessionView } from './session-view.ts';
export { plainEvaluator } from './plain-evaluator.ts';
export { quickJsEvaluator, QUICKJS_LIMITS, type QuickJsLimits } from './quickjs.ts';
export type { Resources } from './read-content.ts';
export { readScxml } from './read.ts';
export type { ScxmlSession } from './session.ts';
export { ScxmlSystem, type EventProcessor, type ScxmlEnvironment } from './system.ts';
