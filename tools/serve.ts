// `lockstep serve`: relay, authority, journal and pages in one process; the machines come from the user's module, or are the examples.

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LockstepError } from '../core/errors.ts';
import * as examples from '../examples/machines.ts';
import type { Report } from '../peer/log.ts';
import { nodeEnvironment } from '../relay/environment.ts';
import { dial } from '../relay/socket.ts';
import { BUILD_DIRECTORIES } from '../server/core-file.ts';
import { serve } from '../server/index.ts';
import type { ServeOptions, Server } from '../server/index.ts';
import { loadProgram, startPrograms } from '../server/program.ts';
import type { Program } from '../server/program.ts';
import { gatherModules } from '../server/texts.ts';
import { VERSION } from '../server/version.ts';
import { readOptions, readPort, readUrl, stopSignal, untilStopped, UsageError } from './command.ts';
import type { Command } from './command.ts';
import { attach } from './inspect/attach.ts';
import { Forwarder } from './inspect/forwarder.ts';

const USAGE = `lockstep serve [options]

Runs machines whose instances survive it, and lets peers watch and change them.

  --machines FILE  a module that exports machines, or JSON with one; may be repeated. Without it the examples run
  --examples       the examples as well
  --data DIR       where the journal is (DATA; ./data)
  --host HOST      what to listen on (HOST; 127.0.0.1)
  --port PORT      0 lets the system choose (PORT; 7400)
  --origin ORIGIN  a page's origin that may connect besides this host's; may be repeated
  --pages DIR      pages to serve; those of this build unless given
  --no-lower       runs all functions of machines in JavaScript, also those that the core could run
  --define         lets other peers define machines here
  --relay URL      joins a relay elsewhere instead of being one
  --key KEY        of that relay (LOCKSTEP_KEY)
  --inspect URL    tells what happens here to an inspector's relay, e.g. ws://localhost:8080
`;

const OPTIONS = {
  machines: { type: 'string', multiple: true },
  examples: { type: 'boolean' },
  data: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
  origin: { type: 'string', multiple: true },
  pages: { type: 'string' },
  define: { type: 'boolean' },
  'no-lower': { type: 'boolean' },
  relay: { type: 'string' },
  key: { type: 'string' },
  inspect: { type: 'string' },
} as const;

export const command: Command = {
  name: 'serve',
  summary: 'runs machines: relay, authority, journal and pages in one process',
  usage: USAGE,
  run: async (args) => {
    const values = readOptions(args, OPTIONS);
    const { HOST, PORT, DATA, LOCKSTEP_KEY } = process.env;
    if (values.inspect !== undefined) readUrl(values.inspect);
    const relay = remoteRelay(values.relay, values.key ?? LOCKSTEP_KEY);
    const files = values.machines ?? [];
    const programs = await Promise.all(files.map(loadProgram));
    if (files.length === 0 || values.examples === true) programs.push(examples);
    const data = values.data ?? DATA ?? 'data';
    const pages = values.pages === undefined ? builtPages() : readFolder(values.pages);
    const server = await serve({
      machines: gather(programs),
      data,
      host: values.host ?? HOST ?? '127.0.0.1',
      port: readPort(values.port ?? PORT ?? '7400'),
      acceptsDefinitions: values.define === true,
      lower: values['no-lower'] === true ? false : { modules: gatherModules(programs.flatMap(({ outside }) => outside ?? [])) },
      report,
      ...(values.origin === undefined ? {} : { origins: values.origin }),
      ...(pages === undefined ? {} : { pages }),
      ...relay,
    });
    const stop = stopSignal();
    process.stdout.write(
      greeting(server, { data, programs, hasPages: pages !== undefined && values.relay === undefined, relay: values.relay }),
    );
    const part = takePart(server, programs, values.relay !== undefined).catch(async (error: unknown) => {
      // The relay refused the key, or an instance cannot be made: a server that goes on listening would hide it.
      await server.close();
      throw error;
    });
    // A relay that never answers keeps nobody from ending it.
    const end = await Promise.race([part, stop.then(() => (): void => undefined)]);
    const endInspection = values.inspect === undefined ? undefined : inspect(server, values.inspect, values.relay);
    return untilStopped(stop, async () => {
      end();
      await endInspection?.();
      await server.close();
    });
  },
};

/** Tells an inspector's relay what happens on this server and on all that are connected to it. @returns what ends that. */
function inspect(server: Server, inspector: string, relay: string | undefined): () => Promise<void> {
  const forwarder = new Forwarder({ environment: nodeEnvironment, dial: dial(inspector, { isPlain: true }) });
  const failed = (error: unknown): void => report('warn', `telling ${inspector} what happens here`, error);
  const attached = attach({ url: relay ?? server.url, send: (message) => forwarder.send(message), failed });
  attached.then(({ ready }) => ready).catch(failed);
  return async () => {
    await attached.then(({ close }) => close(), failed);
    forwarder.close();
  };
}

/** Over a relay elsewhere the programs start when the server is known there, which may take its time; in one process it is at once. */
async function takePart(server: Server, programs: readonly Program[], isRemote: boolean): Promise<() => void> {
  if (!isRemote) return startPrograms(server, programs);
  await server.peer.ready;
  process.stdout.write('joined the relay\n');
  return startPrograms(server, programs);
}

function gather(programs: readonly Program[]): Readonly<Record<string, unknown>> {
  const machines: Record<string, unknown> = {};
  for (const program of programs) {
    for (const [name, machine] of Object.entries(program.machines)) {
      if (Object.hasOwn(machines, name))
        throw new LockstepError('BAD_DEFINITION', `two modules define a machine "${name}"; each name has one`);
      machines[name] = machine;
    }
  }
  return machines;
}

function remoteRelay(url: string | undefined, key: string | undefined): Pick<ServeOptions, 'relay'> {
  if (url === undefined) return {};
  if (key === undefined) throw new UsageError('--relay needs the key that the relay printed: --key KEY');
  return { relay: { url: readUrl(url), key } };
}

/** @throws UsageError when there is none. */
function readFolder(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw new UsageError(`"${path}" is no folder`);
  return path;
}

function builtPages(): string | undefined {
  return BUILD_DIRECTORIES.map((directory) => join(directory, 'pages')).find(existsSync);
}

interface Greeting {
  readonly data: string;
  readonly programs: readonly Program[];
  readonly hasPages: boolean;
  readonly relay: string | undefined;
}

function greeting(server: Server, { data, programs, hasPages, relay }: Greeting): string {
  const machines = programs.flatMap((program) => Object.keys(program.machines));
  const survives = { nothing: 'nothing', process: 'the end of this process', power: 'a power cut' }[server.survives];
  const lines = [
    `lockstep ${VERSION} at ${server.url}`,
    `  machines  ${machines.join(', ')}`,
    `  journal   ${join(data, 'journal.sqlite')}; what was answered survives ${survives}`,
    ...(relay === undefined ? [] : [`  relay     ${relay}`]),
    'try',
    ...(hasPages ? [`  open ${server.url}/ in two tabs`] : []),
    `  npx lockstep repl ${relay ?? server.url}`,
    `  curl ${server.url}/health`,
  ];
  return `${lines.join('\n')}\n`;
}

const report: Report = (level, message, error) => {
  const reason = error === undefined ? '' : `: ${error instanceof Error ? error.message : JSON.stringify(error)}`;
  process.stderr.write(`${new Date().toISOString()} ${level} ${message}${reason}\n`);
};
