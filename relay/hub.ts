// The hub of a relay: links come in, say who they are, and their frames go where the header says. It reads headers and what is
// addressed to itself, never a body; it stamps every frame with its sender; it knows no socket and no clock of its own.
// What must always hold: one link per peer, the newest; a room is heard only by those whom its authority admitted; news of who is
// here reaches an observer before any frame of the one the news is about. docs/spec/server.md has the rules.

import { LockstepError } from '../core/errors.ts';
import { encodeNotice, encodeRefusal, type RequestId } from '../peer/codec-json.ts';
import type { Environment } from '../peer/environment.ts';
import { CLOSE_GOING_AWAY, CLOSE_PROTOCOL, CLOSE_REPLACED } from '../peer/link.ts';
import type { Frame, Link } from '../peer/link.ts';
import { isTrunkFrame, Trunk } from '../peer/trunk.ts';
import { LIMITS } from '../peer/wire.ts';
import type { Encoding, HelloParams, Limits, PeerId, PeerInfo } from '../peer/wire.ts';
import { Allowance } from './allowance.ts';
import { headless, readControl } from './control.ts';
import type { Control } from './control.ts';
import { Deadlines } from './deadlines.ts';
import { joinFrame, readFrame } from '../peer/frame.ts';
import { Greeting } from './greeting.ts';
import { type Authenticate, encodingOf, identified, introductionOf } from './introduction.ts';
import { Laggards } from './laggards.ts';
import { Neighbour } from './neighbour.ts';
import type { BufferLimits, SharedFrame, Standing } from './neighbour.ts';
import { News } from './news.ts';
import { Patience } from './patience.ts';
import { Rests } from './rest.ts';
import { Rooms } from './rooms.ts';
import { Trunks } from './trunks.ts';

/** The plain name that the holder of the relay's key may take: unqualified instances live there. */
export const SERVER: PeerId = 'server';

export interface HubOptions {
  readonly environment: Environment;
  /** The first 16 characters of base64url(sha-256(secret)). */
  readonly identify: (secret: string) => PeerId;
  /** Whoever presents it may be the server. Without one nobody can. */
  readonly key?: string;
  /** Says who a peer is, to the server and nobody else. @throws what it throws refuses the peer. */
  readonly authenticate?: Authenticate;
  readonly limits?: Partial<Limits>;
  readonly buffers?: Partial<BufferLimits>;
}

/** Milliseconds that a new link may stay silent: long enough for a slow phone, short enough that idle sockets do not pile up. */
const HELLO_TIMEOUT_MS = 10_000;
/** The address of a room of the sender's own. */
const ROOM = /^#\d{1,16}$/;
type Open = Extract<Standing, { readonly state: 'open' }>;
const BUFFERS: BufferLimits = { lagBytes: 524_288, closeBytes: 4_194_304 };

export class Hub {
  readonly #environment: Environment;
  readonly #identify: (secret: string) => PeerId;
  readonly #key: string | undefined;
  readonly #authenticate: Authenticate | undefined;
  readonly #limits: Limits;
  readonly #buffers: BufferLimits;
  readonly #neighbours = new Set<Neighbour>();
  /** Links that have not said hello. */
  readonly #silent: Deadlines<Neighbour>;
  /** Open peers and plain sockets, by the name they are addressed by. */
  readonly #peers = new Map<PeerId, Neighbour>();
  readonly #rooms = new Rooms<Neighbour>();
  readonly #rests: Rests;
  readonly #news = new News();
  /** Those who asked to hear of everyone. */
  readonly #observers = new Set<Neighbour>();
  readonly #laggards: Laggards;
  readonly #patience: Patience;
  readonly #trunks = new Trunks();
  readonly #greeting: Greeting;
  /** What those said of whom observers were not told yet: they are told once of all who came in a turn, or in a crowd. */
  #early: { readonly neighbour: Neighbour; readonly frame: Frame }[] = [];
  #session = 0;

  constructor(options: HubOptions) {
    this.#environment = options.environment;
    this.#laggards = new Laggards(options.environment);
    this.#patience = new Patience(options.environment);
    this.#rests = new Rests(options.environment);
    this.#identify = options.identify;
    this.#key = options.key;
    this.#authenticate = options.authenticate;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#buffers = { ...BUFFERS, ...options.buffers };
    this.#greeting = new Greeting(this.#limits);
    this.#silent = new Deadlines(options.environment, HELLO_TIMEOUT_MS, ({ link }) =>
      link.close(CLOSE_PROTOCOL, `TIMEOUT: no hello within ${HELLO_TIMEOUT_MS} ms`),
    );
  }

  /** Takes the link over: it is the hub's to close from now on. */
  attach(link: Link): void {
    this.#attach(link, true);
  }

  /** @param mayShare whether it may turn out to be a trunk: a line of one may not. */
  #attach(link: Link, mayShare: boolean): void {
    const now = this.#environment.now();
    const allowed = { frames: new Allowance(this.#limits.frameRate, now), characters: new Allowance(this.#limits.byteRate, now) };
    const neighbour = new Neighbour(link, { state: 'greeting' }, this.#buffers, allowed);
    this.#neighbours.add(neighbour);
    this.#silent.add(neighbour);
    link.open({
      frame: (frame) => {
        if (!neighbour.mayHand(frame, this.#environment.now())) return;
        if (neighbour.standing.state === 'trunk') neighbour.standing.trunk.receive(frame);
        else if (mayShare && neighbour.standing.state === 'greeting' && isTrunkFrame(frame)) this.#share(neighbour).receive(frame);
        else this.#receive(neighbour, frame);
      },
      closed: (code, reason) => {
        if (neighbour.standing.state === 'trunk') neighbour.standing.trunk.ended(code, reason);
        this.#detach(neighbour);
      },
    });
  }

  /** Several peers behind one link: each of its lines is a link like any other.                            (TAB-1, TAB-2) */
  #share(neighbour: Neighbour): Trunk {
    this.#silent.delete(neighbour);
    const trunk = new Trunk(neighbour.bounded, {
      begun: (line) => this.#attach(line, false),
      shared: (share) => this.#trunks.claim(trunk, share),
    });
    neighbour.standing = { state: 'trunk', trunk };
    return trunk;
  }

  /** Everyone here, plain sockets included. */
  peers(): readonly PeerInfo[] {
    const infos: PeerInfo[] = [];
    for (const { standing } of this.#peers.values()) {
      if (standing.state === 'open' || standing.state === 'plain') infos.push(standing.info);
    }
    return infos;
  }

  /** Closes every link with CLOSE_GOING_AWAY: peers come back when there is somebody to come back to. */
  close(reason = 'the relay is closing'): void {
    for (const neighbour of [...this.#neighbours]) neighbour.link.close(CLOSE_GOING_AWAY, reason);
  }

  /** Throws when the hub's own books disagree: for tests and the simulator. */
  check(): void {
    this.#rooms.check();
  }

  // ── Frames ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #receive(neighbour: Neighbour, frame: Frame): void {
    const { standing } = neighbour;
    if (standing.state === 'closed') return;
    if (frame.length > this.#limits.frameSize) {
      const sentence = `TOO_LARGE: a frame has at most ${this.#limits.frameSize} characters, found ${frame.length}`;
      neighbour.link.close(CLOSE_PROTOCOL, sentence);
      return;
    }
    const read = readFrame(frame);
    if (read.kind === 'plain') this.#receivePlain(neighbour, read.body);
    else if (read.kind === 'bad') this.#refuse(neighbour, null, headless(frame));
    else if (standing.state === 'open' && this.#news.isJoining(standing.info.peer)) this.#early.push({ neighbour, frame });
    else if (read.address === '') this.#receiveControl(neighbour, read.body);
    else if (standing.state === 'open') this.#route(neighbour, standing.info.peer, read.address, read.body);
    else {
      const refusal = neighbour.keep(frame, read.address, this.#limits.frameSize);
      if (refusal !== undefined) this.#refuse(neighbour, null, refusal);
    }
  }

  #route(sender: Neighbour, from: PeerId, address: string, body: Frame): void {
    if (this.#news.isOf(from)) this.#tellNews();
    if (address.startsWith('#')) {
      if (ROOM.test(address)) this.#sendRoom(from, Number(address.slice(1)), body);
      else
        this.#refuse(
          sender,
          null,
          new LockstepError('MALFORMED', `a room is # and its number, found ${JSON.stringify(address.slice(0, 40))}`),
        );
      return;
    }
    // About a room of the other's: it is stamped with the room as well.
    const hash = address.indexOf('#');
    const [name, stamp] = hash < 0 ? [address, from] : [address.slice(0, hash), `${from}${address.slice(hash)}`];
    const target = this.#peers.get(name);
    if (target === undefined) return sender.send(joinFrame('', encodeNotice('undeliverable', [name])));
    const refusal = target.refusal(body, { name, isServers: from === SERVER });
    if (refusal === undefined) target.send(target.isPlain ? body : joinFrame(stamp, body));
    else this.#refuse(sender, null, refusal);
  }

  /** The same bytes to every member; what a socket makes of them is made once. */
  #sendRoom(authority: PeerId, room: number, body: Frame): void {
    const members = this.#rooms.members(authority, room);
    if (members === undefined) return;
    const address = `#${authority}/${room}`;
    const rest = this.#rests.of(members);
    const headed: SharedFrame = { frame: joinFrame(address, body), rest };
    let plain: SharedFrame | undefined;
    const mayLose = this.#rooms.mayLose(authority, room);
    const now = this.#environment.now();
    members.forEach((neighbour) => {
      if (typeof body !== 'string' && !neighbour.isPacked) return;
      // Nobody asks for what is lost here: the next one says it all.                                                    (TOPO-11)
      if (mayLose && neighbour.isBehind) return;
      const shared = neighbour.isPlain ? (plain ??= { frame: body, rest }) : headed;
      if (!neighbour.sendRoom(address, shared, now)) this.#laggards.add(neighbour);
    });
  }

  /** A frame without a header: the whole of it is for the server. The first one makes the link a plain one. */
  #receivePlain(neighbour: Neighbour, body: Frame): void {
    if (neighbour.standing.state === 'open') {
      this.#refuse(neighbour, null, new LockstepError('MALFORMED', 'after hello every frame has a header line'));
      return;
    }
    if (neighbour.standing.state === 'greeting') this.#welcomePlain(neighbour);
    if (neighbour.standing.state !== 'plain') return;
    const server = this.#peers.get(SERVER);
    if (server === undefined) neighbour.send(encodeRefusal(null, new LockstepError('UNREACHABLE', 'no server is connected to this relay')));
    else this.#route(neighbour, neighbour.standing.info.peer, SERVER, body);
  }

  #welcomePlain(neighbour: Neighbour): void {
    this.#silent.delete(neighbour);
    const peer = this.#identify(`plain/${this.#environment.random()}/${this.#environment.random()}`);
    this.#welcome(neighbour, { state: 'plain', info: { peer, name: 'plain', kind: 'tool', hosts: false, eval: false } });
  }

  // ── Messages to the relay itself ───────────────────────────────────────────────────────────────────────────────

  #receiveControl(neighbour: Neighbour, body: Frame): void {
    if (typeof body !== 'string') {
      this.#refuse(neighbour, null, new LockstepError('MALFORMED', 'a frame to the relay is text'));
      return;
    }
    for (const control of readControl(body)) this.#obey(neighbour, control);
  }

  #obey(neighbour: Neighbour, control: Control): void {
    const { standing } = neighbour;
    if (standing.state === 'closed') return;
    if (control.kind === 'nothing') return;
    if (control.kind === 'refused') {
      this.#refuse(neighbour, control.id, control.error);
    } else if (control.kind === 'hello') {
      this.#greet(neighbour, control.id, control.params);
    } else if (standing.state === 'open') {
      const { peer, kind } = standing.info;
      const { memberMax } = this.#limits;
      if (control.kind === 'expel') this.#rooms.expel(peer, control.room, control.peer);
      else if (kind === 'server' || this.#rooms.placesOf(peer) < memberMax) this.#admit(peer, control);
      else this.#refuse(neighbour, null, new LockstepError('TOO_MANY', `a peer gives at most ${memberMax} places in its rooms`));
    } else {
      this.#refuse(neighbour, null, new LockstepError('BAD_REQUEST', `the first frame of a peer is hello, found ${control.kind}`));
    }
  }

  /** Whoever left meanwhile is not admitted; presence tells the authority. A plain socket hears rooms of the server alone. */
  #admit(authority: PeerId, { room, peer, mayLose }: Extract<Control, { kind: 'admit' | 'expel' }>): void {
    const neighbour = this.#peers.get(peer);
    if (neighbour?.standing.state !== 'open' && (neighbour?.standing.state !== 'plain' || authority !== SERVER)) return;
    this.#rooms.admit(authority, room, peer, neighbour, mayLose);
  }

  #greet(neighbour: Neighbour, id: RequestId, hello: HelloParams): void {
    const { standing } = neighbour;
    if (standing.state !== 'greeting' || standing.waiting !== undefined) {
      this.#refuse(neighbour, id, new LockstepError('BAD_REQUEST', 'this link has said hello already'));
      return;
    }
    try {
      const info = identified(hello, { key: this.#key, identify: this.#identify, server: SERVER });
      const encoding = encodingOf(hello);
      const auth = info.kind === 'server' ? undefined : this.#authenticate?.(introductionOf(hello, info.peer));
      if (!(auth instanceof Promise)) return this.#open(neighbour, id, hello, { info, encoding, auth });
      standing.waiting = [];
      auth.then(
        (found) => this.#open(neighbour, id, hello, { info, encoding, auth: found }),
        (error: unknown) => this.#reject(neighbour, id, error),
      );
    } catch (error) {
      this.#reject(neighbour, id, error);
    }
  }

  /** The code that `authenticate` chose, or none of its words: they may tell how tokens are judged. */
  #reject(neighbour: Neighbour, id: RequestId, error: unknown): void {
    if (neighbour.standing.state !== 'greeting') return;
    const known = error instanceof LockstepError ? error : new LockstepError('FORBIDDEN', 'this relay does not take this peer');
    this.#refuse(neighbour, id, known);
  }

  #open(neighbour: Neighbour, id: RequestId, hello: HelloParams, found: Pick<Open, 'info' | 'encoding' | 'auth'>): void {
    if (neighbour.standing.state !== 'greeting') return;
    const { info, encoding } = found;
    if (hello.yields === true && this.#peers.has(info.peer))
      return this.#reject(neighbour, id, new LockstepError('FENCED', `somebody else with the same secret is connected as ${info.peer}`));
    const { waiting = [] } = neighbour.standing;
    this.#silent.delete(neighbour);
    this.#welcome(neighbour, { ...found, state: 'open', presence: hello.presence });
    const answer = joinFrame('', this.#helloAnswer(id, info, hello, encoding));
    if (hello.resumes === true) this.#patience.hold(neighbour, answer);
    else neighbour.send(answer);
    for (const frame of waiting) this.#receive(neighbour, frame);
  }

  #helloAnswer(id: RequestId, { peer }: PeerInfo, hello: HelloParams, encoding: Encoding): string {
    const standing = this.#peers.get(SERVER)?.standing;
    const server = standing?.state === 'open' ? standing.info : undefined;
    const own = { encoding, peer, session: this.#session, now: this.#environment.now() };
    if (!hello.presence) return this.#greeting.answer(id, own, server);
    const peers = this.peers().map((each) => this.#toldTo(peer, each));
    return this.#greeting.observer(id, own, server, peers);
  }

  // ── Coming and going ───────────────────────────────────────────────────────────────────────────────────────────

  #welcome(neighbour: Neighbour, standing: Extract<Neighbour['standing'], { info: PeerInfo }>): void {
    const { peer } = standing.info;
    const older = this.#peers.get(peer);
    if (older !== undefined) {
      this.#forget(older);
      older.link.close(CLOSE_REPLACED, 'a newer link of the same peer took over');
    }
    // Others hear what happened so far; the newcomer has it in its answer instead.
    const isObserving = standing.state === 'open' && standing.presence;
    if (isObserving || this.#news.isOf(SERVER)) this.#tellNews();
    this.#session += 1;
    const info = { ...standing.info, session: this.#session };
    neighbour.standing = { ...standing, info };
    this.#peers.set(peer, neighbour);
    if (isObserving) this.#observers.add(neighbour);
    this.#news.joined(info);
    this.#tellNewsSoon();
  }

  #detach(neighbour: Neighbour): void {
    this.#silent.delete(neighbour);
    if (neighbour.standing.state === 'trunk') this.#trunks.forget(neighbour.standing.trunk);
    this.#neighbours.delete(neighbour);
    this.#forget(neighbour);
  }

  /** The peer is gone from every book; its link may still be closing. */
  #forget(neighbour: Neighbour): void {
    const { standing } = neighbour;
    neighbour.standing = { state: 'closed' };
    this.#laggards.delete(neighbour);
    this.#observers.delete(neighbour);
    if (standing.state !== 'open' && standing.state !== 'plain') return;
    const { peer } = standing.info;
    this.#peers.delete(peer);
    this.#rooms.leave(peer);
    this.#news.left(peer);
    this.#tellNewsSoon();
  }

  #tellNewsSoon(): void {
    this.#news.plan(this.#environment, () => this.#tellNews());
  }

  /** Those who asked hear everything; everyone hears of the server, because unqualified instances live there. */
  #tellNews(): void {
    if (this.#news.isEmpty) return;
    const news = this.#news.take(this.#environment.now());
    const early = this.#early;
    this.#early = [];
    // A crowd that comes back at once would otherwise ask itself for each of its members.
    for (const neighbour of news.isOf(SERVER) ? this.#peers.values() : this.#observers) {
      const { standing } = neighbour;
      if (standing.state !== 'open') continue;
      const own = news.for(standing.info.peer, standing.presence ? undefined : SERVER);
      if (own === undefined) continue;
      const joined = own.joined.map((each) => this.#toldTo(standing.info.peer, each));
      neighbour.send(joinFrame('', encodeNotice('presence', { ...own, joined })));
    }
    for (const { neighbour, frame } of early) this.#receive(neighbour, frame);
  }

  /** Only the server hears who somebody is. */
  #toldTo(observer: PeerId, info: PeerInfo): PeerInfo {
    const standing = observer === SERVER ? this.#peers.get(info.peer)?.standing : undefined;
    return standing?.state === 'open' && standing.auth !== undefined ? { ...info, auth: standing.auth } : info;
  }

  // ── Refusals ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** A broken frame of an open peer costs that frame; before hello it costs the link. */
  #refuse(neighbour: Neighbour, id: RequestId | null, error: LockstepError): void {
    const message = encodeRefusal(id, error);
    neighbour.send(neighbour.standing.state === 'plain' ? message : joinFrame('', message));
    if (neighbour.standing.state === 'greeting') neighbour.link.close(CLOSE_PROTOCOL, `${error.code}: ${error.message}`);
  }
}
