// A relay and peers in one process, over links in memory, with the test's own clock: the whole conversation, nothing of it faked.

import { assign, setup } from 'xstate';
import { machineCompiler } from '../../compiler/index.ts';
import type { Journal } from '../../peer/journal.ts';
import type { Link } from '../../peer/link.ts';
import type { Report } from '../../peer/log.ts';
import { Peer, type PeerOptions } from '../../peer/peer.ts';
import { binding } from '../../peer/binding.ts';
import { serving } from '../../peer/serving.ts';
import * as asking from '../../peer/asking.ts';
import * as sights from '../../peer/sight-replica.ts';
import { linkPair, TestEnvironment, TestNetwork } from '../../peer/testing.ts';
import { Hub, type HubOptions } from '../../relay/hub.ts';
import { testCore } from './core.ts';

export interface Ring {
  readonly at: string;
  readonly opened: number;
}

/** A door that counts, rings, closes by itself after five seconds, and takes names that are not empty. */
function doorMachine(rings: Ring[] = []) {
  return setup({
    types: {} as {
      context: { opened: number; names: string[]; note: unknown };
      events:
        | { type: 'OPEN' }
        | { type: 'CLOSE' }
        | { type: 'NAME'; name: string }
        | { type: 'NOTE'; note: unknown }
        | { type: 'BREAK' }
        | { type: 'FAIL' }
        | { type: 'END' };
    },
    guards: { isNamed: ({ event }) => event.type === 'NAME' && event.name !== '' },
    actions: {
      ring: ({ context, event }) => void rings.push({ at: event.type, opened: context.opened }),
      fail: () => {
        throw new Error('the bell is broken');
      },
    },
  }).createMachine({
    id: 'door',
    initial: 'closed',
    context: ({ input }) => ({ opened: (input as { opened?: number } | undefined)?.opened ?? 0, names: [], note: null }),
    states: {
      closed: { on: { OPEN: { target: 'open', actions: [assign({ opened: ({ context }) => context.opened + 1 }), 'ring'] } } },
      open: { on: { CLOSE: 'closed' }, after: { 5000: { target: 'closed', actions: 'ring' } } },
      gone: { type: 'final' },
    },
    on: {
      NAME: { guard: 'isNamed', actions: assign({ names: ({ context, event }) => [...context.names, event.name] }) },
      NOTE: { actions: assign({ note: ({ event }) => event.note }) },
      BREAK: {
        actions: assign(() => {
          throw new Error('the author slipped');
        }),
      },
      FAIL: { actions: ['fail', 'ring'] },
      END: '.gone',
    },
  });
}

export type Reported = [level: string, message: string, error?: unknown];

export class World {
  readonly environment: TestEnvironment;
  readonly hub: Hub;
  readonly rings: Ring[] = [];
  readonly door: ReturnType<typeof doorMachine>;
  readonly reported: Reported[] = [];
  readonly networks = new Map<string, TestNetwork>();
  readonly report: Report = (level, message, error) => void this.reported.push([level, message, error]);

  /** @param environment of another world beside this one, to share its time. @param relay what its relay is to do besides. */
  constructor(seed = 1, environment = new TestEnvironment({ seed }), relay: Partial<HubOptions> = {}) {
    this.environment = environment;
    this.hub = new Hub({ environment: this.environment, identify: (secret) => secret, key: 'key', ...relay });
    this.door = doorMachine(this.rings);
  }

  /** @param name the secret, which the relay of this world takes as the peer id. */
  async peer(name: string, options: Partial<PeerOptions> & { readonly record?: (line: string) => void } = {}): Promise<Peer> {
    const { record, ...rest } = options;
    const network = new TestNetwork({
      environment: this.environment,
      attach: (link) => this.hub.attach(link),
      ...(record === undefined ? {} : { record }),
    });
    this.networks.set(name, network);
    const peer = new Peer({
      environment: this.environment,
      dial: network.dial,
      core: await testCore(),
      serving,
      binding,
      sights: () => sights,
      asking: () => asking,
      secret: name,
      name,
      compile: machineCompiler(),
      report: this.report,
      ...rest,
    });
    await this.settle();
    return peer;
  }

  /** A server with the door machine. */
  server(options: Partial<PeerOptions> & { readonly record?: (line: string) => void } = {}): Promise<Peer> {
    return this.peer('secret-of-the-server', {
      kind: 'server',
      name: 'server',
      key: 'key',
      machines: { door: { definition: this.door } },
      ...options,
    });
  }

  network(name: string): TestNetwork {
    const network = this.networks.get(name);
    if (network === undefined) throw new Error(`no peer ${name} in this world`);
    return network;
  }

  settle(): Promise<void> {
    return this.environment.settle();
  }

  advance(ms: number): Promise<void> {
    return this.environment.advance(ms);
  }

  /** What a promise comes to while the world goes on. */
  async get<T>(promise: Promise<T>): Promise<T> {
    const outcome = promise.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    await this.settle();
    const settled = await Promise.race([outcome, Promise.resolve(undefined)]);
    if (settled === undefined) throw new Error('still pending after everything came to rest');
    if ('error' in settled) throw settled.error;
    return settled.value;
  }

  /** The code that a promise is refused with. */
  async refusal(promise: Promise<unknown>): Promise<string> {
    try {
      await this.get(promise);
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
    return 'nothing was refused';
  }
}

/** A journal whose writes wait until the test lets them through, or fails them. */
export class HeldJournal implements Journal {
  readonly survives = 'nothing';
  readonly #inner: Journal;
  #held: { go: () => void; fail: (error: Error) => void }[] = [];
  isHolding = false;
  writes = 0;

  constructor(inner: Journal) {
    this.#inner = inner;
  }

  async write(entries: Parameters<Journal['write']>[0]): Promise<void> {
    this.writes++;
    if (this.isHolding) await new Promise<void>((go, fail) => this.#held.push({ go, fail }));
    return this.#inner.write(entries);
  }

  /** Lets what is held through. */
  release(): void {
    this.isHolding = false;
    for (const { go } of this.#held.splice(0)) go();
  }

  failHeld(message = 'disk full'): void {
    this.isHolding = false;
    for (const { fail } of this.#held.splice(0)) fail(new Error(message));
  }

  read(...args: Parameters<Journal['read']>): ReturnType<Journal['read']> {
    return this.#inner.read(...args);
  }
  steps(...args: Parameters<Journal['steps']>): ReturnType<Journal['steps']> {
    return this.#inner.steps(...args);
  }
  list(...args: Parameters<Journal['list']>): ReturnType<Journal['list']> {
    return this.#inner.list(...args);
  }
  moved(): ReturnType<Journal['moved']> {
    return this.#inner.moved();
  }
  machines(): ReturnType<Journal['machines']> {
    return this.#inner.machines();
  }
  image(hash: string): ReturnType<Journal['image']> {
    return this.#inner.image(hash);
  }
  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** A socket that speaks plain JSON-RPC to the server, without headers: what anyone can write by hand. */
export class PlainSocket {
  readonly heard: unknown[] = [];
  readonly #link: Link;

  constructor(world: World) {
    const [near, far] = linkPair(world.environment);
    this.#link = near;
    near.open({
      frame: (frame) => this.heard.push(...[JSON.parse(String(frame)) as unknown].flat()),
      closed: (code, reason) => this.heard.push({ closed: code, reason }),
    });
    world.hub.attach(far);
  }

  say(message: unknown): void {
    this.#link.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Sends a request and takes out its answer: the result, or the code it was refused with. */
  async ask(world: World, method: string, params: unknown): Promise<unknown> {
    const id = `${method}-${this.heard.length}-${world.environment.now()}`;
    this.say({ jsonrpc: '2.0', id, method, params });
    await world.settle();
    const answer = this.heard.find((message) => (message as { id?: unknown }).id === id) as
      { result?: unknown; error?: { data: { code: string } } } | undefined;
    return answer === undefined ? undefined : (answer.result ?? answer.error?.data.code);
  }
}
