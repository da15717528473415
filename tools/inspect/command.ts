// `lockstep inspect`: attaches to a server as a tracer and speaks Stately's inspect protocol on a port, where any inspector of theirs and
// any plain XState program connects without change.

import { InspectIntake } from '../../peer/inspect/intake.ts';
import type { InspectMessage } from '../../peer/inspect/protocol.ts';
import type { Report } from '../../peer/log.ts';
import { nodeEnvironment } from '../../relay/environment.ts';
import { reasonOf } from '../../server/unreadable.ts';
import { type Command, readPort, readUrl, readWords, stopSignal, untilStopped, UsageError } from '../command.ts';
import { attach } from './attach.ts';
import { InspectRelay } from './relay.ts';

const DEFAULT_SERVER = 'ws://127.0.0.1:7400';
const DEFAULT_PORT = '8080';
const STATELY = 'https://stately.ai/inspect';

const USAGE = `lockstep inspect [URL] [options]

Attaches to the server at URL (${DEFAULT_SERVER} unless given) and tells what happens there to every client of its own port in the
protocol of Stately's inspector. What plain XState programs send to that port is told to the others, and shown at /trace of the server.

  --host HOST      what to listen on (127.0.0.1)
  --port PORT      0 lets the system choose (${DEFAULT_PORT}, where Stately's clients look)
  --origin ORIGIN  a page's origin that may connect besides this host's; may be repeated
  --inspector URL  what the page of that port shows (${STATELY})
`;

const OPTIONS = {
  host: { type: 'string' },
  port: { type: 'string' },
  origin: { type: 'string', multiple: true },
  inspector: { type: 'string' },
} as const;

export const command: Command = {
  name: 'inspect',
  summary: "shows a server's machines to Stately's inspector, and XState programs to the trace",
  usage: USAGE,
  run: async (args) => {
    const { values, positionals } = readWords(args, OPTIONS);
    const [url = DEFAULT_SERVER, ...rest] = positionals;
    if (rest.length > 0) throw new UsageError(`one URL is expected, found "${rest.join(' ')}" besides`);
    readUrl(url);
    const relay = new InspectRelay({
      host: values.host ?? '127.0.0.1',
      port: readPort(values.port ?? DEFAULT_PORT),
      inspector: readUrl(values.inspector ?? STATELY),
      ...(values.origin === undefined ? {} : { origins: values.origin }),
    });
    return run(url, relay);
  },
};

async function run(url: string, relay: InspectRelay): Promise<number> {
  const warn = (error: unknown): void => {
    process.stderr.write(`${reasonOf(error)}\n`);
  };
  const send = (message: InspectMessage): void => relay.send(message);
  // Not as a tool: viewers follow it, for what plain XState programs tell it.
  const report: Report = (_level, message, error) => warn(error === undefined ? message : `${message}: ${reasonOf(error)}`);
  const attached = await attach({ url, send, kind: 'node', failed: warn, report });
  const intake = new InspectIntake({
    environment: nodeEnvironment,
    tracer: attached.peer.tracer,
    report,
  });
  const address = await relay.start(intake).catch(async (error: unknown) => {
    // What it was about to do ends with it.
    attached.ready.catch(() => undefined);
    await attached.close();
    throw error;
  });
  const stop = stopSignal();
  process.stdout.write(`inspector at ${address} (${address.replace('http', 'ws')}), following ${url}\n`);
  const close = async (): Promise<void> => {
    await attached.close();
    await relay.close();
  };
  const refused = attached.ready.then(
    () => {
      process.stdout.write('attached\n');
      return new Promise<never>(() => undefined);
    },
    async (error: unknown) => {
      await close();
      throw error;
    },
  );
  return Promise.race([untilStopped(stop, close), refused]);
}
