// What an SCXML document says, as plain data: names resolved as far as the text alone allows, executable content as trees. read.ts and
// read-content.ts make it, dialects/scxml.ts compiles its structure, interpreter.ts runs its content. Sections: W3C SCXML 1.0 (2015).

import type { XmlElement } from './xml.ts';

/** Where an element stands, for refusals and for the data of error events. */
export interface Place {
  readonly tag: string;
  readonly line: number;
  readonly column: number;
}

export interface ScxmlDocument {
  /** `name` of the document, also the id of the machine; absent in a document without a name. */
  readonly name: string | undefined;
  /** As written; undefined = whatever evaluator is passed in. */
  readonly datamodel: string | undefined;
  /** Late: a state's data get their values when it is first entered. */
  readonly binding: 'early' | 'late';
  /** Run when the document is loaded, after early data have their values. */
  readonly scripts: readonly Content[];
  readonly root: ScxmlState;
}

export interface ScxmlState {
  readonly kind: 'scxml' | 'state' | 'parallel' | 'final';
  /** Its own, or one made from its place. */
  readonly id: string;
  readonly path: string;
  readonly children: readonly (ScxmlState | ScxmlHistory)[];
  /** What is entered by default; undefined = the first child in document order, or nothing for a leaf. */
  readonly initial: ScxmlInitial | undefined;
  /** One block for each `<onentry>`: an error ends its own block only. */
  readonly entry: readonly Block[];
  readonly exit: readonly Block[];
  readonly transitions: readonly ScxmlTransition[];
  readonly data: readonly Data[];
  readonly invokes: readonly Invoke[];
  readonly doneData: DoneData | undefined;
}

export interface ScxmlInitial {
  readonly path: string;
  readonly targets: readonly string[];
  readonly content: Block;
}

export interface ScxmlHistory {
  readonly kind: 'history';
  readonly id: string;
  readonly path: string;
  readonly deep: boolean;
  /** Undefined = what the parent enters by default. */
  readonly initial: ScxmlInitial | undefined;
}

export interface ScxmlTransition {
  readonly path: string;
  readonly place: Place;
  /** Empty = eventless. */
  readonly events: readonly string[];
  readonly condition: string | undefined;
  readonly targets: readonly string[];
  readonly internal: boolean;
  readonly content: Block;
}

export interface Block {
  readonly path: string;
  readonly content: readonly Content[];
}

export interface Data {
  readonly id: string;
  readonly place: Place;
  readonly value: Value | undefined;
}

/** How a value is given: by an expression, by the text or element inside, or by a resource. */
export type Value =
  | { readonly kind: 'expression'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'element'; readonly element: XmlElement }
  | { readonly kind: 'resource'; readonly uri: string };

/** A word of the document, or the expression that gives it. */
export type Word = { readonly text: string } | { readonly expression: string };

export interface Parameter {
  readonly name: string;
  readonly expression: string;
  /** Given as a location, which an empty `<finalize>` may write to. */
  readonly isLocation: boolean;
  readonly place: Place;
}

/** What an event or an invocation carries. `namelist` and `parameters` make an object, `content` is the whole. */
export interface Payload {
  readonly namelist: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly content: Value | undefined;
}

export interface DoneData {
  readonly path: string;
  readonly place: Place;
  readonly payload: Payload;
}

export interface Send extends Payload {
  readonly kind: 'send';
  readonly place: Place;
  readonly event: Word | undefined;
  readonly target: Word | undefined;
  readonly type: Word | undefined;
  readonly delay: Word | undefined;
  readonly id: string | undefined;
  readonly idLocation: string | undefined;
}

export interface Invoke extends Payload {
  readonly place: Place;
  readonly path: string;
  readonly type: Word | undefined;
  readonly source: Word | undefined;
  readonly id: string | undefined;
  readonly idLocation: string | undefined;
  readonly autoforward: boolean;
  readonly finalize: readonly Content[] | undefined;
}

export type Content =
  | { readonly kind: 'raise'; readonly place: Place; readonly event: string }
  | { readonly kind: 'if'; readonly place: Place; readonly branches: readonly Branch[] }
  | {
      readonly kind: 'foreach';
      readonly place: Place;
      readonly array: string;
      readonly item: string;
      readonly index: string | undefined;
      readonly content: readonly Content[];
    }
  | { readonly kind: 'log'; readonly place: Place; readonly label: string; readonly expression: string | undefined }
  | { readonly kind: 'assign'; readonly place: Place; readonly location: string; readonly value: Value }
  | { readonly kind: 'script'; readonly place: Place; readonly source: string }
  | { readonly kind: 'cancel'; readonly place: Place; readonly id: Word }
  | Send;

/** The last branch has no condition when there is an `<else>`. */
export interface Branch {
  readonly condition: string | undefined;
  readonly content: readonly Content[];
}
