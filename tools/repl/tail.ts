// The steps of one peer as they happen, with the states they left and entered: the trace model, kept short, told aloud.

import { isMutation, type Mutation } from '../../core/mutation.ts';
import type { LockstepError } from '../../core/errors.ts';
import type { Core } from '../../core/wasm.ts';
import type { Peer } from '../../peer/peer.ts';
import type { PeerId } from '../../peer/wire.ts';
import { Collector } from '../trace/collector.ts';
import type { Entry } from '../trace/entry.ts';
import { TRACE_LIMITS, TraceModel, type View } from '../trace/model.ts';
import type { Notice } from './result.ts';

/** Steps that are kept to fold later ones from. */
const KEPT_MAX = 2_000;

export interface StepTailOptions {
  readonly peer: Peer;
  readonly core: Core;
  readonly notice: (notice: Notice) => void;
}

export class StepTail {
  readonly #options: StepTailOptions;
  #collector: Collector | undefined;
  #told = new WeakSet<object>();

  constructor(options: StepTailOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#collector !== undefined;
  }

  /** Tells every step of the peer from now on. */
  async start(remote: PeerId): Promise<void> {
    this.stop();
    const model = new TraceModel(this.#options.core, { ...TRACE_LIMITS, stepMax: KEPT_MAX });
    let failure: LockstepError | undefined;
    const collector = new Collector({
      peer: this.#options.peer,
      model,
      follows: ({ peer }) => peer === remote,
      changed: () => {
        if (this.#collector === collector) this.#tell(model);
      },
      failed: (error) => (failure ??= error),
    });
    await collector.start();
    await collector.settled();
    if (failure !== undefined) {
      collector.stop();
      throw failure;
    }
    for (const entry of model.timeline) this.#told.add(entry);
    for (const record of [...model.divergences, ...model.impurities]) this.#told.add(record);
    this.#collector = collector;
  }

  stop(): void {
    this.#collector?.stop();
    this.#collector = undefined;
  }

  /** Each step once, when its image is here. */
  #tell(model: TraceModel): void {
    for (const entry of model.timeline.filter((each) => !this.#told.has(each))) {
      if (!model.hasImage(entry.record.image)) return;
      this.#told.add(entry);
      this.#options.notice(noticeOf(model, entry));
    }
    for (const record of model.impurities.filter((each) => !this.#told.has(each))) {
      this.#told.add(record);
      const { machine, path, uses } = record.impurity;
      this.#options.notice({ kind: 'impurity', peer: model.peerName(record.peer), machine, path, uses });
    }
    for (const record of model.divergences.filter((each) => !this.#told.has(each))) {
      this.#told.add(record);
      const { peer, instance, seq, ours, theirs } = record;
      this.#options.notice({ kind: 'divergence', peer: model.peerName(peer), instance, seq, ours, theirs });
    }
  }
}

function noticeOf(model: TraceModel, entry: Entry): Notice {
  const { peer, step } = entry.record;
  const view = tryView(model, entry);
  const moved = (parity: number): string[] =>
    view === undefined
      ? []
      : view.clocks
          .filter(([, before, after]) => before !== after && after % 2 === parity && before % 2 !== parity)
          .map(([state]) => view.chart.path(state));
  return {
    kind: 'step',
    peer: model.peerName(peer),
    instance: step.instance,
    seq: step.seq,
    at: step.at,
    event: step.cause.event.type,
    ...(isMutation(step.cause.event.type) ? { states: (step.cause.event as Mutation).states } : {}),
    from: model.peerName(step.cause.peer),
    n: step.cause.n,
    ignored: step.ignored === true,
    entered: moved(1),
    left: moved(0),
    patch: step.patch,
    effects: step.effects.map(({ name }) => name),
  };
}

/** A step whose beginning is not known is told without the states it moved. */
function tryView(model: TraceModel, entry: Entry): View | undefined {
  try {
    return model.view(entry);
  } catch {
    return undefined;
  }
}
