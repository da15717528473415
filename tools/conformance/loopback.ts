// The basic HTTP event processor without a network: what is sent to the location of a session of this process arrives there. Enough for the one
// scripted case of the W3C that sends to itself; form fields are `_scxmleventname` and the parameters, as appendix C.2 says.

import type { Json } from '../../core/json.ts';
import type { EventProcessor } from '../../compiler/scxml/system.ts';
import type { ScxmlSession } from '../../compiler/scxml/session.ts';

const TYPE = 'http://www.w3.org/TR/scxml/#BasicHTTPEventProcessor';
const BASE = 'http://sessions.invalid/';

export function loopbackProcessor(sessionOf: (id: string) => ScxmlSession | undefined): EventProcessor {
  return {
    types: [TYPE],
    name: 'basichttp',
    location: (sessionId) => BASE + encodeURIComponent(sessionId),
    send: ({ target, event }) => {
      const session = target.startsWith(BASE) ? sessionOf(decodeURIComponent(target.slice(BASE.length))) : undefined;
      if (session === undefined) throw new Error(`nothing listens at ${target}`);
      const data: Json | undefined = event.data;
      const name = event.type === '' ? 'HTTP.POST' : event.type;
      session.enqueue({ type: name, kind: 'external', origintype: TYPE, ...(data === undefined ? {} : { data }) });
    },
  };
}
