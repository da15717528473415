// A board of tasks in three columns. What a person saw when they acted travels with the event (`from`, `was`): when somebody else was
// faster, the board has nothing to do with the late one, its sender is told, and nobody's work is overwritten.

import { assign, setup } from 'xstate';

export const COLUMNS = ['todo', 'doing', 'done'] as const;
export type Column = (typeof COLUMNS)[number];
/** As people call them. */
export const COLUMN_NAMES: Readonly<Record<Column, string>> = { todo: 'To do', doing: 'Doing', done: 'Done' };

export interface Task {
  readonly id: string;
  readonly text: string;
  readonly column: Column;
  /** Who did the last thing to it. */
  readonly by: string;
}

export interface BoardContext {
  readonly title: string;
  /** In the order in which their columns show them. */
  readonly tasks: readonly Task[];
  /** The newest that were removed, so that whoever was working on one can be told by whom. */
  readonly gone: readonly Task[];
}

export type BoardEvent =
  | { readonly type: 'add'; readonly id: string; readonly text: string; readonly column: Column; readonly by: string }
  /** `before`: the task in front of which it goes; at the end of its column when that one is not there. */
  | {
      readonly type: 'move';
      readonly id: string;
      readonly from: Column;
      readonly to: Column;
      readonly before: string | null;
      readonly by: string;
    }
  | { readonly type: 'edit'; readonly id: string; readonly was: string; readonly text: string; readonly by: string }
  | { readonly type: 'remove'; readonly id: string; readonly was: string; readonly by: string };

export const TEXT_MAX = 280;
const TASKS_MAX = 400;
const GONE_MAX = 20;

type Given<T extends BoardEvent['type']> = { readonly context: BoardContext; readonly event: Extract<BoardEvent, { type: T }> };

const taskOf = (context: BoardContext, id: string): Task | undefined => context.tasks.find((task) => task.id === id);
const isText = (text: string): boolean => text.trim() !== '' && text.length <= TEXT_MAX;

const isNew = ({ context, event }: Given<'add'>): boolean =>
  isText(event.text) && context.tasks.length < TASKS_MAX && taskOf(context, event.id) === undefined;
const isWhereSeen = ({ context, event }: Given<'move'>): boolean => taskOf(context, event.id)?.column === event.from;
const isAsRead = ({ context, event }: Given<'edit' | 'remove'>): boolean =>
  taskOf(context, event.id)?.text === event.was && (event.type === 'remove' || isText(event.text));

function moved({ context, event }: Given<'move'>): Partial<BoardContext> {
  const task = { ...taskOf(context, event.id)!, column: event.to, by: event.by };
  const others = context.tasks.filter(({ id }) => id !== event.id);
  const place = others.findIndex(({ id }) => id === event.before);
  return { tasks: place < 0 ? [...others, task] : [...others.slice(0, place), task, ...others.slice(place)] };
}

function removed({ context, event }: Given<'remove'>): Partial<BoardContext> {
  const task = { ...taskOf(context, event.id)!, by: event.by };
  return { tasks: context.tasks.filter(({ id }) => id !== event.id), gone: [task, ...context.gone].slice(0, GONE_MAX) };
}

export const board = setup({
  types: { context: {} as BoardContext, events: {} as BoardEvent, input: {} as { readonly title?: string } | undefined },
}).createMachine({
  id: 'board',
  context: ({ input }) => ({ title: input?.title ?? 'Tasks', tasks: [], gone: [] }),
  initial: 'open',
  states: {
    open: {
      on: {
        add: {
          guard: isNew,
          actions: assign({
            tasks: ({ context, event: { id, text, column, by } }) => [...context.tasks, { id, text: text.trim(), column, by }],
          }),
        },
        move: { guard: isWhereSeen, actions: assign(moved) },
        edit: {
          guard: isAsRead,
          actions: assign({
            tasks: ({ context, event }) =>
              context.tasks.map((task) => (task.id === event.id ? { ...task, text: event.text.trim(), by: event.by } : task)),
          }),
        },
        remove: { guard: isAsRead, actions: assign(removed) },
      },
    },
  },
});
