// foo lives on the server. A message ends its boredom; Msg is removed again, so that its clock counts messages: two ticks each.

import type { RelationalConfig } from '../../../compiler/dialects/relational.ts';
import type { HandlerEvent } from '../../../core/handlers.ts';
import type { RelationalSelf } from '../../../core/relational/owner.ts';
import { saysSomething } from '../message.ts';
import { FOO } from './states.ts';

export interface MsgArgs {
  readonly from: string;
  readonly text: string;
}

export const foo = {
  dialect: 'relational',
  id: 'relational-foo',
  states: FOO,
  handlers: {
    MsgEnter: ({ args }: HandlerEvent<MsgArgs | null>) => saysSomething(args?.text),
    MsgState: ({ machine }: HandlerEvent<MsgArgs, RelationalSelf>) => machine.remove('Msg'),
    /** An effect: whoever runs foo gets to know the bar that reports. */
    HealthcheckState: (): unknown => undefined,
  },
} as const satisfies RelationalConfig;

export default foo;
