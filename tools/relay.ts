// `lockstep relay`: a relay by itself, for peers that cannot listen and a server that runs elsewhere.

import { relay } from '../relay/index.ts';
import { readOptions, readPort, stopSignal, untilStopped } from './command.ts';
import type { Command } from './command.ts';

const USAGE = `lockstep relay [options]

Connects peers to each other and to a server that runs elsewhere.

  --host HOST      what to listen on (HOST; 127.0.0.1)
  --port PORT      0 lets the system choose (PORT; 7400)
  --key KEY        what the server presents (LOCKSTEP_KEY; made up and printed unless given)
  --origin ORIGIN  a page's origin that may connect besides this host's; may be repeated
`;

const OPTIONS = {
  host: { type: 'string' },
  port: { type: 'string' },
  key: { type: 'string' },
  origin: { type: 'string', multiple: true },
} as const;

export const command: Command = {
  name: 'relay',
  summary: 'connects peers; a server elsewhere joins with --relay and --key',
  usage: USAGE,
  run: async (args) => {
    const values = readOptions(args, OPTIONS);
    const { HOST, PORT, LOCKSTEP_KEY } = process.env;
    const key = values.key ?? LOCKSTEP_KEY;
    const running = await relay({
      host: values.host ?? HOST ?? '127.0.0.1',
      port: readPort(values.port ?? PORT ?? '7400'),
      ...(key === undefined ? {} : { key }),
      ...(values.origin === undefined ? {} : { origins: values.origin }),
    });
    const stop = stopSignal();
    process.stdout.write(`relay at ${running.url}\ntry: lockstep serve --port 0 --relay ${running.url} --key ${running.key}\n`);
    return untilStopped(stop, () => running.close());
  },
};
