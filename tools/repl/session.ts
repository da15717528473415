// What the commands of the REPL do, against a peer: no terminal, no files. A session has a peer that it is attached to; names without an
// owner in front are that peer's. Commands run one at a time, in order; what happens by itself comes as notices.

import type { Subscription } from '../../core/actor.ts';
import { LockstepError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { diff } from '../../core/diff.ts';
import type { Machine } from '../../core/machine.ts';
import { isFields } from '../../core/fields.ts';
import type { Core } from '../../core/wasm.ts';
import type { Environment } from '../../peer/environment.ts';
import type { Mirror } from '../../peer/mirror.ts';
import type { Peer } from '../../peer/peer.ts';
import { LIMITS, type PeerId, type PeerInfo } from '../../peer/wire.ts';
import { detailOf } from './detail.ts';
import type { Names } from './complete.ts';
import { jsonOf, parseLine, stateOf, type Arguments, type ParsedCommand } from './parse.ts';
import { eventsOf, findPeer } from './names.ts';
import { mutate, when } from './relational.ts';
import type { Notice, Result } from './result.ts';
import { helpText, isCommand } from './table.ts';
import { StepTail } from './tail.ts';
import { timed } from './timed.ts';

/** Instances per page of a list. */
const LIST_PAGE = 500;

export interface SessionOptions {
  readonly peer: Peer;
  readonly core: Core;
  readonly environment: Environment;
  /** @throws LockstepError BAD_PARAMS when it cannot be read. */
  readonly readFile: (path: string) => Promise<string>;
  readonly notice: (notice: Notice) => void;
}

interface Watch {
  readonly mirror: Mirror;
  readonly subscription: Subscription;
}

export class ReplSession {
  readonly #options: SessionOptions;
  readonly #peer: Peer;
  readonly #watches = new Map<string, Watch>();
  readonly #tail: StepTail;
  /** Null: the server. */
  #attached: PeerId | null = null;
  /** Machines of instances met so far: what completion offers. */
  readonly #machines = new Map<string, Machine>();
  #known: { readonly instances: readonly string[]; readonly machines: readonly string[] } = { instances: [], machines: [] };

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#peer = options.peer;
    this.#tail = new StepTail({ peer: options.peer, core: options.core, notice: options.notice });
  }

  /** The peer that bare names belong to, for a prompt. */
  get attachedName(): string {
    const attached = this.#attached ?? this.#serverId();
    return this.#peer.peers().find(({ peer }) => peer === attached)?.name || (attached ?? 'no server');
  }

  /**
   * Runs one line.
   * @returns undefined for an empty one.
   * @throws LockstepError of the parser, of this side, or of the peer that refused; the session goes on.
   */
  async run(line: string): Promise<{ readonly command: ParsedCommand; readonly result: Result } | undefined> {
    const command = parseLine(line);
    return command === undefined ? undefined : { command, result: await this.#execute(command) };
  }

  async close(): Promise<void> {
    this.#tail.stop();
    for (const { mirror, subscription } of this.#watches.values()) {
      subscription.unsubscribe();
      mirror.stop();
    }
    this.#watches.clear();
    await this.#peer.close();
  }

  /** What completion may offer now. `refreshNames` brings it up to date. */
  get names(): Names {
    const machine = (instance: string): Machine | undefined => this.#machines.get(this.#qualified(instance));
    return {
      peers: this.#peer.peers().flatMap(({ peer, name }) => (name === '' || /\s/.test(name) ? [peer] : [name, peer])),
      instances: this.#known.instances.map((instance) => this.#short(instance)),
      machines: this.#known.machines,
      events: (instance) => {
        const known = machine(instance);
        return known === undefined ? [] : eventsOf(known);
      },
      states: (instance) =>
        machine(instance)
          ?.symbols.states.slice(1)
          .map(({ id }) => id) ?? [],
    };
  }

  async refreshNames(): Promise<void> {
    const { machines, instances } = await this.#list(this.#attached);
    this.#known = { machines: machines.map(({ machine }) => machine), instances: instances.map(({ instance }) => instance) };
  }

  // ── Commands ───────────────────────────────────────────────────────────────────────────────────────────────────

  #execute({ command, args }: ParsedCommand): Promise<Result> | Result {
    switch (command) {
      case 'help':
        return { kind: 'text', text: this.#help(args['COMMAND']) };
      case 'peers':
        return this.#peers();
      case 'use':
        return this.#use(args['PEER']!);
      case 'ls':
        return this.#ls(args['PEER']);
      case 'inspect':
        return this.#inspect(this.#qualified(args['INSTANCE']!));
      case 'send':
        return this.#send(args);
      case 'watch':
        return this.#watch(this.#qualified(args['INSTANCE']!));
      case 'unwatch':
        return this.#unwatch(this.#qualified(args['INSTANCE']!));
      case 'wait':
        return this.#wait(this.#qualified(args['INSTANCE']!), stateOf(args['STATE']!), args['TIMEOUT']);
      case 'add':
      case 'remove':
      case 'set':
      case 'toggle':
        return this.#mirrored(this.#qualified(args['INSTANCE']!), (mirror) =>
          this.#within(mutate(mirror, command, args['STATES']!, jsonOf(args['ARGS'])), mirror.id),
        );
      case 'when':
        return this.#mirrored(this.#qualified(args['INSTANCE']!), (mirror) =>
          timed(this.#options.environment, mirror, { timeout: args['TIMEOUT'], wanted: args['STATES']! }, (signal) =>
            when(mirror, args['STATES']!, signal),
          ),
        );
      case 'time':
        return this.#time(this.#qualified(args['INSTANCE']!), args['STATE']!);
      case 'create':
        return this.#create(args);
      case 'delete':
        return this.#delete(this.#qualified(args['INSTANCE']!));
      case 'define':
        return this.#define(args['NAME']!, args['FILE.json']!);
      case 'trace':
        return this.#trace(args['on|off']);
      case 'eval':
        return this.#evaluate(args['PEER']!, args['SOURCE']!);
      case 'quit':
        return { kind: 'bye' };
    }
  }

  #help(name: string | undefined): string {
    if (name === undefined) return helpText();
    if (!isCommand(name)) throw new LockstepError('UNKNOWN_METHOD', `no command "${name}"; try help`);
    return helpText(name);
  }

  async #peers(): Promise<Result> {
    await this.#within(this.#peer.ready, 'the relay');
    const attached = this.#attached ?? this.#serverId();
    const peers = this.#peer.peers().map((info) => ({ ...info, attached: info.peer === attached, self: info.peer === this.#peer.id }));
    return { kind: 'peers', peers };
  }

  async #use(reference: string): Promise<Result> {
    const { peer, name, kind } = await this.#find(reference);
    this.#attached = kind === 'server' ? null : peer;
    this.#tail.stop();
    await this.refreshNames().catch(() => undefined); // Only completion would have wanted them.
    return { kind: 'using', peer, name: name === '' ? peer : name };
  }

  async #ls(reference: string | undefined): Promise<Result> {
    const found = reference === undefined ? undefined : await this.#find(reference);
    const peer = found === undefined ? this.#attached : found.kind === 'server' ? null : found.peer;
    const { machines, instances } = await this.#list(peer);
    if (peer === this.#attached)
      this.#known = { machines: machines.map(({ machine }) => machine), instances: instances.map(({ instance }) => instance) };
    return { kind: 'listing', peer: peer ?? this.#serverId() ?? '', machines, instances };
  }

  async #inspect(instance: string): Promise<Result> {
    const described = await this.#within(this.#peer.get(instance), instance);
    if (!('state' in described)) throw new LockstepError('INTERNAL', `the authority of ${instance} described something else`);
    const machine = await this.machineOf(instance);
    return { kind: 'instance', detail: detailOf(described, machine) };
  }

  async #send(args: Arguments): Promise<Result> {
    const instance = this.#qualified(args['INSTANCE']!);
    const type = args['EVENT']!;
    const fields = jsonOf(args['JSON']);
    if (fields !== undefined && !isFields(fields))
      throw new LockstepError('BAD_PARAMS', `send: the fields of an event are an object, found ${JSON.stringify(fields)}`);
    return this.#mirrored(instance, async (mirror) => {
      if (mirror.machine.eventNumber(type) === 0)
        throw new LockstepError(
          'UNKNOWN_EVENT',
          `${instance} takes no event "${type}"; it takes ${eventsOf(mirror.machine).join(', ') || 'none'}`,
        );
      const { outcome, seq } = await this.#within(mirror.submit({ ...fields, type }), instance);
      return { kind: 'sent', instance, event: type, outcome, seq };
    });
  }

  async #watch(instance: string): Promise<Result> {
    const known = this.#watches.get(instance);
    const mirror = known?.mirror ?? (await this.#open(instance));
    const snapshot = mirror.getSnapshot();
    if (known === undefined) this.#watches.set(instance, { mirror, subscription: this.#tell(mirror) });
    return { kind: 'watching', instance, seq: mirror.seq, value: snapshot.value, context: snapshot.context };
  }

  /** What is confirmed, and nothing else: a prediction shows when it has its place in the order. */
  #tell(mirror: Mirror): Subscription {
    const { notice } = this.#options;
    let last = mirror.getSnapshot();
    const next = (): void => {
      const snapshot = mirror.getSnapshot();
      if (snapshot === last || mirror.standing === 'predicted') return;
      const before = last;
      last = snapshot;
      notice({
        kind: 'change',
        instance: mirror.id,
        seq: mirror.seq,
        before: before.value,
        value: snapshot.value,
        status: snapshot.status,
        patch: diff(before.context, snapshot.context),
      });
    };
    const ended = (reason: string): void => {
      if (this.#watches.delete(mirror.id)) notice({ kind: 'ended', instance: mirror.id, reason });
    };
    const confirmed = mirror.onStanding(next);
    const told = mirror.subscribe(
      next,
      (error) => ended(error instanceof Error ? error.message : String(error)),
      () => ended('it was closed'),
    );
    return {
      unsubscribe: () => {
        confirmed.unsubscribe();
        told.unsubscribe();
      },
    };
  }

  #unwatch(instance: string): Result {
    const watch = this.#watches.get(instance);
    if (watch === undefined) throw new LockstepError('BAD_PARAMS', `${instance} is not being watched`);
    this.#watches.delete(instance);
    watch.subscription.unsubscribe();
    watch.mirror.stop();
    return { kind: 'unwatched', instance };
  }

  #wait(instance: string, state: Json, timeout: string | undefined): Promise<Result> {
    return this.#mirrored(instance, (mirror) => {
      if (typeof state === 'string') mirror.machine.stateNumber(state);
      return timed(this.#options.environment, mirror, { timeout, wanted: JSON.stringify(state) }, async (signal) => {
        const snapshot = await mirror.when(state, { signal });
        return { kind: 'reached', instance, seq: mirror.seq, value: snapshot.value };
      });
    });
  }

  #time(instance: string, state: string): Promise<Result> {
    return this.#mirrored(instance, async (mirror) => {
      const ticks = mirror.tick(state);
      return { kind: 'time', instance, state, ticks, active: ticks % 2 === 1 };
    });
  }

  async #create(args: Arguments): Promise<Result> {
    const input = jsonOf(args['INPUT']);
    const name = args['NAME'];
    const options = {
      ...(name === undefined ? {} : { instance: name }),
      ...(input === undefined ? {} : { input }),
      ...(this.#attached === null ? {} : { peer: this.#attached }),
    };
    const { instance, seq } = await this.#within(this.#peer.create(args['MACHINE']!, options), args['MACHINE']!);
    return { kind: 'created', instance, seq };
  }

  async #delete(instance: string): Promise<Result> {
    await this.#within(this.#peer.delete(instance), instance);
    return { kind: 'deleted', instance };
  }

  async #define(name: string, file: string): Promise<Result> {
    const text = await this.#options.readFile(file);
    let definition: Json;
    try {
      definition = JSON.parse(text) as Json;
    } catch (error) {
      throw new LockstepError('BAD_DEFINITION', `${file} is not JSON: ${(error as SyntaxError).message}`);
    }
    const { machine, image } = await this.#within(this.#peer.define(name, { definition }, this.#attached ?? undefined), name);
    return { kind: 'defined', machine, image };
  }

  async #trace(wanted: string | undefined): Promise<Result> {
    if (wanted !== undefined && wanted !== 'on' && wanted !== 'off')
      throw new LockstepError('BAD_PARAMS', `trace takes on or off, found "${wanted}"`);
    const on = wanted === undefined ? !this.#tail.isOn : wanted === 'on';
    const peer = this.#attached ?? this.#serverId();
    if (peer === undefined) throw new LockstepError('UNREACHABLE', 'no server is connected to the relay');
    if (on) await this.#within(this.#tail.start(peer), peer);
    else this.#tail.stop();
    return { kind: 'tracing', peer, on };
  }

  async #evaluate(reference: string, source: string): Promise<Result> {
    const { peer } = await this.#find(reference);
    return { kind: 'evaluated', text: await this.#within(this.#peer.evaluate(peer, source), peer) };
  }

  // ── Names ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async #find(reference: string): Promise<PeerInfo> {
    await this.#within(this.#peer.ready, 'the relay');
    return findPeer(reference, this.#peer.peers());
  }

  #serverId(): PeerId | undefined {
    return this.#peer.peers().find(({ kind }) => kind === 'server')?.peer;
  }

  #qualified(instance: string): string {
    return this.#attached === null || instance.includes('/') ? instance : `${this.#attached}/${instance}`;
  }

  #short(instance: string): string {
    return this.#attached !== null && instance.startsWith(`${this.#attached}/`) ? instance.slice(this.#attached.length + 1) : instance;
  }

  // ── The peer ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Everything, page by page. */
  async #list(peer: PeerId | null): Promise<Extract<Result, { kind: 'listing' }>> {
    const instances = [];
    let after: string | undefined;
    for (;;) {
      const page = await this.#within(
        this.#peer.list({ limit: LIST_PAGE, ...(after === undefined ? {} : { after }) }, peer ?? undefined),
        peer ?? 'the server',
      );
      instances.push(...page.instances);
      after = page.instances.at(-1)?.instance;
      if (!page.more || after === undefined) return { kind: 'listing', peer: peer ?? '', machines: page.machines, instances };
    }
  }

  /** A mirror for as long as `use` takes; the watched one where there is one. */
  async #mirrored<T>(instance: string, use: (mirror: Mirror) => Promise<T>): Promise<T> {
    const watched = this.#watches.get(instance)?.mirror;
    if (watched !== undefined) return use(watched);
    const mirror = await this.#open(instance);
    try {
      return await use(mirror);
    } finally {
      mirror.stop();
    }
  }

  async #open(instance: string): Promise<Mirror> {
    const mirror = await this.#within(this.#peer.watch(instance), instance);
    this.#machines.set(instance, mirror.machine);
    return mirror;
  }

  /** Remembered, so that completion offers its events and states. */
  machineOf(instance: string): Promise<Machine> {
    return this.#mirrored(this.#qualified(instance), (mirror) => Promise.resolve(mirror.machine));
  }

  /** An answer that does not come ends in TIMEOUT, so that a script never hangs. */
  #within<T>(answer: Promise<T>, what: string): Promise<T> {
    const timeoutMs = LIMITS.requestTimeoutMs;
    return new Promise((resolve, reject) => {
      const cancel = this.#options.environment.timer(timeoutMs, () =>
        reject(new LockstepError('TIMEOUT', `no answer about ${what} within ${timeoutMs} ms`)),
      );
      answer.then(resolve, reject).finally(cancel);
    });
  }
}
