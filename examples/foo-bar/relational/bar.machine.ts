// bar lives in a browser tab, one in each. What is submitted becomes a message of its own; Msg stays active, so that each one moves its clock by
// two.

import type { RelationalConfig } from '../../../compiler/dialects/relational.ts';
import type { HandlerEvent } from '../../../core/handlers.ts';
import type { RelationalSelf } from '../../../core/relational/owner.ts';
import { saysSomething } from '../message.ts';
import type { MsgArgs } from './foo.machine.ts';
import { BAR } from './states.ts';

export const bar = {
  dialect: 'relational',
  id: 'relational-bar',
  states: BAR,
  handlers: {
    SubmitMsgEnter: ({ args }: HandlerEvent<MsgArgs | null>) => saysSomething(args?.text),
    MsgEnter: ({ args }: HandlerEvent<MsgArgs | null>) => saysSomething(args?.text),
    SubmitMsgState: ({ args, machine }: HandlerEvent<MsgArgs, RelationalSelf>) => machine.add('Msg', { from: 'bar', text: args.text }),
  },
} as const satisfies RelationalConfig;

export default bar;
