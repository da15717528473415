// Mistakes that the simulation must find: each swaps one behaviour of the product from the outside and gives it back afterwards. A plant
// that no seed finds means that a checker is blind, or that the world never gets there.

import { runEffect } from '../../core/local.ts';
import { Instance } from '../../core/instance.ts';
import type { EventObject, Json } from '../../core/json.ts';
import { Exchange } from '../../browser/exchange.ts';
import { Lines } from '../../browser/lines.ts';
import { Authority } from '../../peer/authority.ts';
import { Branch } from '../../peer/branch.ts';
import { Doubts } from '../../peer/doubts.ts';
import { Readers } from '../../peer/readers.ts';
import { Succession } from '../../peer/succession.ts';
import { Backlog } from '../../peer/backlog.ts';
import { Committer } from '../../peer/commit.ts';
import { HandlerFaults } from '../../peer/handler-faults.ts';
import { Host } from '../../peer/host.ts';
import { Outbox } from '../../peer/outbox.ts';
import type { InstanceRecord } from '../../peer/journal.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import { Replica, type Taken } from '../../peer/replica.ts';
import { Room } from '../../peer/room.ts';
import { SeenEvents } from '../../peer/seen.ts';
import { Sender } from '../../peer/sender.ts';
import { Tenure } from '../../peer/tenure.ts';
import { LIMITS, type StepDifference, type StepEvent, type ToldStep } from '../../peer/wire.ts';
import { Untold } from '../../peer/untold.ts';
import { type Look, Warden } from '../../peer/warden.ts';
import { UnconfirmedEvents } from '../../peer/unconfirmed.ts';
import { TABS } from './cast.ts';

/** Replaces a method until the returned function is called. `make` gets what was there. */
function swap<T extends object, K extends keyof T>(prototype: T, name: K, make: (original: T[K]) => T[K]): () => void {
  const original = prototype[name];
  prototype[name] = make(original);
  return () => {
    prototype[name] = original;
  };
}

function both(...restores: readonly (() => void)[]): () => void {
  return () => {
    for (const restore of restores) restore();
  };
}

/** Sets a limit until the returned function is called. */
function replaced<K extends string>(of: { [key in K]: number }, name: K, value: number): () => void {
  const original = of[name];
  of[name] = value as (typeof of)[K];
  return () => {
    of[name] = original;
  };
}

const OWNER = (id: string): Parameters<typeof runEffect>[2] => ({ self: { id, send: () => undefined }, system: { get: () => undefined } });

/** Has every look at an instance changed before it is used. */
function looksAre(change: (look: Look, record: InstanceRecord) => Partial<Look>): () => void {
  return swap(
    Warden.prototype,
    'look',
    (original) =>
      function (this: Warden, record, peer, view) {
        const look = original.call(this, record, peer, view);
        return { ...look, ...change(look, record) };
      },
  );
}

/** Has every step that is told by its event applied in another way. */
function appliedEvents(change: (apply: (step: ToldStep) => Taken, step: StepEvent) => Taken): () => void {
  return swap(
    Replica.prototype,
    'apply',
    (original) =>
      function (this: Replica, step, salt) {
        const apply = (told: ToldStep): Taken => original.call(this, told, salt);
        return Array.isArray(step[3]) ? apply(step) : change(apply, step as StepEvent);
      },
  );
}

/** Each makes one mistake and returns what undoes it. */
export const PLANTS: Readonly<Record<string, () => () => void>> = {
  /** A resend is applied again. */
  'no-dedup': () => swap(SeenEvents.prototype, 'find', () => () => undefined),

  /** What was seen is forgotten by a restart. */
  'dedup-not-recovered': () => {
    const { load } = SeenEvents;
    SeenEvents.load = () => {
      const seen = new SeenEvents();
      seen.add = () => undefined;
      queueMicrotask(() => {
        seen.add = SeenEvents.prototype.add;
      });
      return seen;
    };
    return () => {
      SeenEvents.load = load;
    };
  },

  /** A tab that orders an instance which outlives it does not bring it back. */
  'tab-begins-anew': () =>
    swap(
      Host.prototype,
      'begin',
      (original) =>
        function (this: Host, self) {
          original.call(this, self);
          if (TABS.includes(self)) this.authorities.clear();
        },
    ),

  /** A reader that comes back is not told its newest number. */
  'last-number-lost': () => swap(SeenEvents.prototype, 'lastUpTo', () => () => 0),

  'ack-before-durable': () =>
    swap(
      Authority.prototype,
      'submit',
      (original) =>
        function (this: Authority, asker, id, peer, params) {
          let isSettled = false;
          const settle = (act: () => void): void => {
            if (!isSettled) act();
            isSettled = true;
          };
          const once = {
            answer: (of: typeof id, result: unknown) => settle(() => asker.answer(of, result)),
            refuse: (of: typeof id, error: Parameters<typeof asker.refuse>[1]) => settle(() => asker.refuse(of, error)),
          };
          const before = this.tenure.instance?.seq ?? 0;
          original.call(this, Object.assign(Object.create(asker) as typeof asker, once), id, peer, params);
          if ((this.tenure.instance?.seq ?? 0) > before) once.answer(id, ['stepped', this.seq]);
        },
    ),

  /** Everyone is told, and effects run, before the disk has it. */
  'all-before-durable': () =>
    swap(
      Committer.prototype,
      'add',
      (original) =>
        function (this: Committer, commit) {
          commit.durable();
          original.call(this, { entries: commit.entries, durable: () => undefined, failed: (error) => commit.failed(error) });
        },
    ),

  'effect-before-durable': () => {
    let isAuthority = false;
    return both(
      swap(
        Authority.prototype,
        'submit',
        (original) =>
          function (this: Authority, ...args) {
            isAuthority = true;
            try {
              original.apply(this, args);
            } finally {
              isAuthority = false;
            }
          },
      ),
      swap(
        Instance.prototype,
        'step',
        (original) =>
          function (this: Instance, ...args) {
            const outcome = original.apply(this, args);
            if (isAuthority && this.machine.symbols.id === 'desk')
              for (const effect of outcome.effects) if (effect.request === undefined) runEffect(this.machine, effect, OWNER('front'));
            return outcome;
          },
      ),
    );
  },

  /** A mirror runs the effects of what it predicts. */
  'effect-of-prediction': () =>
    swap(
      Replica.prototype,
      'predict',
      () =>
        function (this: Replica, event, stamp) {
          try {
            const { predicted } = this;
            if (!(predicted instanceof Instance)) return predicted.run(event, stamp);
            const outcome = predicted.step(event, stamp);
            for (const effect of outcome.effects) if (effect.request === undefined) runEffect(this.machine, effect, OWNER('front'));
            return outcome.taken;
          } catch {
            return false; // As the original.
          }
        },
    ),

  'rebase-in-wrong-order': () =>
    swap(
      Replica.prototype,
      'rebase',
      (original) =>
        function (this: Replica, pending, shown) {
          original.call(this, [...pending].reverse(), shown);
        },
    ),

  'rebase-forgets-pending': () =>
    swap(
      Replica.prototype,
      'rebase',
      (original) =>
        function (this: Replica, _pending, shown) {
          original.call(this, [], shown);
        },
    ),

  'gap-ignored': () =>
    swap(
      Replica.prototype,
      'apply',
      (original) =>
        function (this: Replica, step, salt) {
          const [, ...rest] = step;
          return original.call(this, [this.seq + 1, ...rest] as unknown as StepDifference, salt);
        },
    ),

  'digest-of-prediction': () =>
    swap(
      Replica.prototype,
      'digest',
      () =>
        function (this: Replica) {
          return this.shown.digest();
        },
    ),

  'lost-resend': () =>
    swap(
      Sender.prototype,
      'sendAgain',
      () =>
        function (this: Sender) {
          this.pump();
        },
    ),

  /** What is sent again gets a new number. */
  'resend-with-new-number': () =>
    swap(
      UnconfirmedEvents.prototype,
      'inFlight',
      (original) =>
        function (this: UnconfirmedEvents) {
          const events = original.call(this);
          if (new Error().stack?.includes('sendAgain') !== true) return events;
          for (const event of events) event.n = 0;
          return [];
        },
    ),

  /** A refused event stays among those that wait. */
  'refused-kept': () => swap(UnconfirmedEvents.prototype, 'remove', () => () => undefined),

  'failed-commit-not-rolled-back': () =>
    swap(
      Committer.prototype,
      'add',
      (original) =>
        function (this: Committer, commit) {
          const { entries } = commit;
          original.call(this, entries.length === 0 ? commit : { entries, durable: () => commit.durable(), failed: () => undefined });
        },
    ),

  /** What a timer did is done once more. */
  'timer-twice': () => {
    let fired: { readonly event: EventObject; readonly machine: Instance['machine'] } | undefined;
    return both(
      swap(
        Instance.prototype,
        'step',
        (original) =>
          function (this: Instance, ...args) {
            if (args[2]?.timer !== undefined) fired = { event: args[0], machine: this.machine };
            return original.apply(this, args);
          },
      ),
      swap(
        Authority.prototype,
        'afterBatch',
        (original) =>
          function (this: Authority) {
            original.call(this);
            if (fired?.machine !== this.machine) return;
            const { event } = fired;
            fired = undefined;
            this.tell(event);
          },
      ),
    );
  },

  /** What is posted behind an admission joins a frame that was begun before it. */
  'watch-without-barrier': () => swap(Outbox.prototype, 'barrier', () => () => undefined),

  /** Who comes back misses the first step. */
  'resume-skips-one': () =>
    swap(
      Backlog.prototype,
      'after',
      (original) =>
        function (this: Backlog, ...args) {
          return original.apply(this, args)?.slice(1);
        },
    ),

  /** A tab goes on as before when another one holds the socket. */
  'lines-live-on': () => swap(Lines.prototype, 'end', () => () => undefined),

  /** Whoever holds the socket drops a frame of a tab now and then. */
  'exchange-loses': () => {
    let count = 0;
    return swap(
      Exchange.prototype,
      'receive',
      (original) =>
        function (this: Exchange, from, message) {
          if (message.kind !== 'frame' || ++count % 7 > 0) original.call(this, from, message);
        },
    );
  },

  /** A mirror of an earlier history gets the steps of the new one. */
  'stale-epoch': () =>
    swap(
      Readers.prototype,
      'watch',
      (original) =>
        function (this: Readers, session, id, asked) {
          const { from } = asked;
          if (from === undefined) return original.call(this, session, id, asked);
          let known = from;
          try {
            const { epoch, seq, digest } = this.describe(session.remote, asked.view);
            known = { ...from, epoch, digest: from.seq === seq ? digest : from.digest };
          } catch {
            // It cannot be read now: it says so, or asks again.
          }
          original.call(this, session, id, { ...asked, from: known });
        },
    ),

  /** What was handed over is ordered before whoever handed it over has said so. */
  'handed-over-untold': () =>
    swap(
      Doubts.prototype,
      'add',
      (original) =>
        function (this: Doubts, doubt) {
          original.call(this, doubt);
          this.told(doubt.giver, { instance: doubt.record.instance, epoch: doubt.recovered.epoch });
        },
    ),

  /** Whoever handed an instance over is not asked whether it went. */
  'handed-over-unasked': () => swap(Doubts.prototype, 'add', () => () => undefined),

  /** The next authority does not know what the one before has seen. */
  'seen-not-handed-over': () => swap(Readers.prototype, 'seenUpTo', () => () => []),

  /** What effects sent while their instance was handed over is not taken by the next authority. */
  'untold-dropped': () => swap(Authority.prototype, 'takeUp', () => () => undefined),

  /** It is taken by the next authority, and sent on as well. */
  'untold-doubled': () =>
    swap(
      Untold.prototype,
      'hand',
      (original) =>
        function (this: Untold) {
          const handed = original.call(this);
          for (const from of this.take()) this.add(from);
          return handed;
        },
    ),

  /** What effects send when their instance has gone is lost. */
  'late-echo-dropped': () => swap(Untold.prototype, 'late', () => () => undefined),

  /** An authority goes on although another one has a higher epoch. */
  'old-epoch-goes-on': () =>
    swap(
      Tenure.prototype,
      'halt',
      () =>
        function (this: Tenure) {
          throw new Error('it does not give way');
        },
    ),

  /** Whoever gives way says nothing of the steps that the other history does not have. */
  'lost-steps-unsaid': () =>
    swap(
      Succession.prototype,
      'lineage',
      () =>
        function (this: Succession) {
          return [[0, 1]];
        },
    ),

  /** A source tells its own predictions as if they were confirmed. */
  'source-tells-predictions': () =>
    swap(
      Replica.prototype,
      'save',
      () =>
        function (this: Replica) {
          return this.shown.save();
        },
    ),

  /** A source sends what those behind it send under its own name. */
  'source-sends-as-itself': () =>
    swap(
      Branch.prototype,
      'submit',
      (original) =>
        function (this: Branch, asker, id, _peer, params) {
          original.call(this, asker, id, 'tess', params);
        },
    ),

  /** A source that hears another history goes on telling it to those who know the one before. */
  'source-keeps-readers': () => swap(Branch.prototype, 'renewed', () => () => undefined),

  /** Of the events that a replica is to run, one in five is passed over. */
  'event-not-run': () => {
    let count = 0;
    return appliedEvents((apply, [seq, who, n, ...rest]) =>
      ++count % 5 === 0 ? apply([seq, who, n, [], []]) : apply([seq, who, n, ...rest] as StepEvent),
    );
  },

  /** One in five is run twice. */
  'event-run-twice': () => {
    let count = 0;
    return appliedEvents((apply, step) => {
      const [seq, ...rest] = step;
      const taken = apply(step);
      return ++count % 5 === 0 ? apply([seq + 1, ...rest] as unknown as StepEvent) : taken;
    });
  },

  /** They are run by the clock of whoever runs them. */
  'event-run-at-another-time': () =>
    appliedEvents((apply, [seq, who, n, named, fields, now, ...rest]) =>
      apply((now === undefined ? [seq, who, n, named, fields] : [seq, who, n, named, fields, now + 1, ...rest]) as StepEvent),
    ),

  /** Nobody hears that a final handler threw. */
  'exception-untold': () => swap(HandlerFaults.prototype, 'failed', () => () => undefined),

  /** What ends at one end of a pipe goes on at the other. */
  'pipe-only-adds': () => swap(RelationalMirror.prototype, 'remove', () => () => Promise.resolve(0)),

  /** Whoever does not watch any more is not put out. */
  'left-and-kept': () => swap(Room.prototype, 'leave', () => () => undefined),

  /** Steps are kept for ever. */
  'backlog-grows': () => replaced(Backlog as { keptMin: number }, 'keptMin', Infinity),

  /** And the numbers of events. */
  'seen-grows': () => replaced(LIMITS as { seenWindow: number }, 'seenWindow', 1e6),

  /** The frames of one turn in 500 stay behind. */
  'outbox-keeps': () => {
    const turns = new WeakMap<Outbox, number>();
    return swap(
      Outbox.prototype,
      'flush',
      (original) =>
        function (this: Outbox) {
          const turn = (turns.get(this) ?? 0) + 1;
          turns.set(this, turn);
          if (turn % 500 !== 0) original.call(this);
        },
    );
  },

  /** A partial view shows the whole context. */
  'view-widened': () =>
    looksAre((look) => ({ sight: (moment) => ({ ...look.sight(moment), ...(look.isWhole ? {} : { context: moment.snapshot.context }) }) })),

  /** Where it is is told beside what the view shows. */
  'view-tells-where': () =>
    looksAre((look) => ({
      sight: (moment) => ({ ...look.sight(moment), ...(look.isWhole ? {} : { value: moment.snapshot.value as Json }) }),
    })),

  /** Readers of a view that is made for each of them are in one room. */
  'view-of-another': () => looksAre(({ view }) => ({ view: view.replace(/ .*$/, '') })),

  /** Once in, always in. */
  'revocation-ignored': () => swap(Room.prototype, 'recheck', () => () => undefined),

  /** Who may not write any more, or never might, writes. */
  'anyone-writes': () => swap(Warden.prototype, 'maySend', () => () => true),
};
