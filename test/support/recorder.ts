// Real steps without a network: instances run by the core, each step recorded as its authority would record it.

import { bind } from '../../core/bind.ts';
import { Instance } from '../../core/instance.ts';
import type { EventObject, Json } from '../../core/json.ts';
import { Machine } from '../../core/machine.ts';
import { DIGEST_EVERY, type Step } from '../../core/step.ts';
import { appended } from '../../core/relational/schema.ts';
import type { Core } from '../../core/wasm.ts';
import { compileMachine } from '../../compiler/index.ts';
import { encodeBase64 } from '../../peer/base64.ts';
import type { ImageDescription, InstanceDescription, TraceRecord } from '../../peer/wire.ts';

export interface Sender {
  readonly peer: string;
  readonly n: number;
}

export class Recorder {
  readonly records: TraceRecord[] = [];
  readonly machine: Machine;
  readonly #instance: Instance;
  readonly #names: { readonly instance: string; readonly peer: string; readonly epoch: number };

  /** Creates the instance: the first record is its step 1. Or goes on with a relational one, whose schema has grown: nothing is recorded of that. */
  constructor(
    core: Core,
    definition: unknown,
    names: {
      readonly instance: string;
      readonly peer: string;
      readonly epoch?: number;
      readonly at?: number;
      readonly input?: Json;
      readonly continues?: Recorder;
    },
  ) {
    const { bytes, symbols } = compileMachine(definition);
    this.machine = Machine.load(core, bytes, bind(symbols, definition));
    this.#names = { epoch: 1, ...names };
    this.#instance = Instance.create(this.machine);
    if (names.continues !== undefined) {
      const { seq, state } = names.continues.describe();
      this.#instance.load({ ...state, clocks: appended(names.continues.machine, this.machine, state.clocks) }, seq);
      return;
    }
    const event: EventObject = names.input === undefined ? { type: 'xstate.init' } : { type: 'xstate.init', input: names.input };
    this.#record(event, { peer: names.peer, n: 0 }, names.at ?? 1_000);
  }

  get image(): ImageDescription {
    return { image: this.machine.hash, bytes: encodeBase64(this.machine.bytes) };
  }

  get digest(): string {
    return this.#instance.digest();
  }

  /** Runs an event and records it. */
  step(event: EventObject, from: Sender, at: number): TraceRecord {
    return this.#record(event, from, at);
  }

  /** What the authority answers to `get` now. */
  describe(): InstanceDescription {
    const { instance, epoch } = this.#names;
    const { status, value } = this.#instance.snapshot();
    return {
      instance,
      machine: this.machine.symbols.id,
      image: this.machine.hash,
      epoch,
      seq: this.#instance.seq,
      status,
      value,
      state: this.#instance.save(),
      digest: this.#instance.digest(),
    };
  }

  #record(event: EventObject, { peer, n }: Sender, at: number): TraceRecord {
    const instance = this.#instance;
    const { instance: name, epoch, peer: authority } = this.#names;
    const seed = 7 * at + n;
    const stamp = { now: at, seed, salt: `${name}/${epoch}/${instance.seq + 1}` };
    const outcome = event.type === 'xstate.init' ? instance.start(event['input'] as Json | undefined, stamp) : instance.step(event, stamp);
    const { seq } = instance;
    const step: Step = {
      instance: name,
      epoch,
      seq,
      at,
      cause: { peer, n, event, seed },
      ...(outcome.taken ? {} : { ignored: true as const }),
      clocks: outcome.clocks,
      history: outcome.history,
      ...(outcome.status === undefined ? {} : { status: outcome.status }),
      ...(outcome.output === undefined ? {} : { output: outcome.output }),
      ...(outcome.error === undefined ? {} : { error: outcome.error }),
      patch: outcome.patch,
      host: outcome.host,
      timers: outcome.timers,
      effects: outcome.effects.map(({ fn, name: effect }) => ({ fn, name: effect })),
      ...(seq === 1 || seq % DIGEST_EVERY === 0 ? { digest: instance.digest() } : {}),
    };
    const record: TraceRecord = { kind: 'step', peer: authority, machine: this.machine.symbols.id, image: this.machine.hash, step };
    this.records.push(record);
    return record;
  }
}
