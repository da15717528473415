// The schemas of foo and bar as relational machines, put together as asyncmachine's example does: what every machine has, what both have, and
// what each has of its own. Msg is the one state whose args others may see.

import { inherit, type Schema } from '../../../compiler/relational/schema.ts';

/** What every machine has. */
const BASIC = {
  Exception: { multi: true },
  ErrNetwork: { multi: true, add: 'Exception', require: 'Exception' },
  ErrHandlerTimeout: { multi: true, add: 'Exception', require: 'Exception' },
  Start: {},
  Ready: { require: 'Start' },
  Healthcheck: { multi: true },
  Heartbeat: {},
} as const satisfies Schema;

/** What both have: a message, and errors that happened where a mirror is. */
const SHARED = inherit(BASIC, { ErrOnClient: { require: 'Exception' }, Msg: { multi: true, publicArgs: ['text', 'from'] } });

export const FOO = inherit(SHARED, { Bored: {}, Msg: { remove: 'Bored' } });
export const BAR = inherit(SHARED, { SubmitMsg: { multi: true } });
