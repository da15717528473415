// The wire as it is: scenes between real peers, frame by frame, kept in test/transcripts and quoted by docs/PROTOCOL.md. A change of the
// protocol shows here first. `UPDATE=1 npx vitest run test/unit/peer-transcripts.test.ts` writes them anew, files and page.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assign, createMachine } from 'xstate';
import { compileMachine } from '../../compiler/index.ts';
import { CODES } from '../../core/errors.ts';
import { CLOSE_FLOOD, CLOSE_GOING_AWAY, CLOSE_NORMAL, CLOSE_PROTOCOL, CLOSE_REPLACED, CLOSE_SLOW, type Link } from '../../peer/link.ts';
import type { Json } from '../../core/json.ts';
import type { Peer, PeerOptions } from '../../peer/peer.ts';
import type { Policy } from '../../peer/policy.ts';
import { Presence } from '../../peer/presence.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import { linkPair } from '../../peer/testing.ts';
import { LIMITS } from '../../peer/wire.ts';
import { Hub } from '../../relay/hub.ts';
import { meanings } from '../support/codes.ts';
import { PlainSocket, World } from '../support/world.ts';

const FOLDER = new URL('../transcripts/', import.meta.url);
const PAGE = new URL('../../docs/PROTOCOL.md', import.meta.url);
const UPDATE = process.env['UPDATE'] === '1';

/** Hashes and digests change with the machine and the core; a transcript is about neither. */
function steady(line: string): string {
  return line
    .replace(/"bytes":"[^"]+"/g, '"bytes":"<base64>"')
    .replace(/"image":"[0-9a-f]{16}"/g, '"image":"<image>"')
    .replace(/"(digest|ours|theirs)":"[0-9a-f]{16}"/g, '"$1":"<digest>"')
    .replace(/(\],)"[0-9a-f]{16}"/g, '$1"<digest>"')
    .replace(/"limits":\{[^}]*\}/g, '"limits":{…}');
}

/** Every function of it can be lowered. */
const till = createMachine({
  id: 'till',
  initial: 'open',
  context: { total: 0 },
  states: {
    open: {
      on: {
        ADD: { actions: assign({ total: ({ context, event }) => context.total + event['price'] * 1 }) },
        NOTE: {},
        PAUSE: 'paused',
      },
    },
    paused: { after: { 1000: 'open' } },
  },
});

class Scene {
  readonly world = new World();
  readonly lines: string[] = [];
  #isOn = true;

  recorder(name: string): (line: string) => void {
    return (line) => {
      if (this.#isOn) this.lines.push(steady(`${name} ${line}`));
    };
  }

  peer(name: string, options: Partial<PeerOptions> = {}): Promise<Peer> {
    return this.world.peer(name, { mode: 'steps', record: this.recorder(name), ...options });
  }

  /** What happens in here is not part of the scene. */
  async offstage<T>(act: () => Promise<T>): Promise<T> {
    this.#isOn = false;
    const result = await act();
    await this.world.settle();
    this.#isOn = true;
    return result;
  }

  say(comment: string): void {
    this.lines.push(`# ${comment}`);
  }
}

const SCENES: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  async hello(scene) {
    const { world } = scene;
    await scene.offstage(() => world.server());
    await scene.peer('alice');
    scene.say('another peer comes and goes');
    const bob = await world.peer('bob');
    await world.get(bob.close());
  },

  async views(scene) {
    const { world } = scene;
    const policy: Policy = {
      allowRead: ({ context, authContext }) => !(context as { names: Json[] }).names.includes((authContext as { peer: string }).peer),
      allowWrite: ({ type }) => type === 'event',
      views: { opened: ({ value, context }) => ({ value, context: { opened: (context as { opened: number }).opened } }) },
    };
    const server = await scene.offstage(() => world.server({ machines: { door: { definition: world.door, policy } } }));
    await scene.offstage(() => world.get(server.create('door', { instance: 'front' })));
    const [alice, bob] = [await scene.offstage(() => scene.peer('alice')), await scene.offstage(() => scene.peer('bob'))];
    const mirror = await world.get(alice.watch('front', undefined, { view: 'opened' }));
    await scene.offstage(() => world.get(bob.watch('front', undefined, { view: 'opened' })));
    await world.get(mirror.submit({ type: 'OPEN' }));
    await world.get(mirror.submit({ type: 'NOTE', note: 'for nobody' }));
    scene.say('bob may not see it from here on');
    await world.get(mirror.submit({ type: 'NAME', name: 'bob' }));
    await world.advance(200);
  },

  async filter(scene) {
    const { world } = scene;
    const server = await scene.offstage(() => world.server({ machines: { till: { definition: till } } }));
    await scene.offstage(() => world.get(server.create('till', { instance: 'front' })));
    const alice = await scene.offstage(() => scene.peer('alice', { mode: 'brief' }));
    const bob = await scene.offstage(() => scene.peer('bob', { mode: 'brief' }));
    const own = await scene.offstage(() => world.get(server.watch('front', till)));
    scene.say('alice wants one state, without the context, and only whether it is active; bob wants all of it, every second');
    await world.get(alice.watch('front', undefined, { states: ['paused'], clocks: 'shallow', context: false }));
    await world.get(bob.watch('front', undefined, { every: 1_000 }));
    own.send({ type: 'ADD', price: 3 });
    await world.settle();
    own.send({ type: 'ADD', price: 4 });
    own.send({ type: 'PAUSE' });
    await world.settle();
    scene.say('the second is over for bob; the timer of the state is due as well');
    await world.advance(1_000);
    await world.advance(1_000);
  },

  async instances(scene) {
    const { world } = scene;
    await scene.offstage(() => world.server());
    const alice = await scene.offstage(() => scene.peer('alice'));
    await world.get(alice.create('door', { instance: 'front', input: { opened: 3 } }));
    await world.get(alice.list({ limit: 10 }));
    await world.get(alice.get('front'));
    await world.get(alice.delete('front'));
  },

  async define(scene) {
    const { world } = scene;
    await scene.offstage(() => world.server({ acceptsDefinitions: true }));
    const alice = await scene.offstage(() => scene.peer('alice'));
    await world.get(
      alice.define('lamp', {
        definition: { id: 'lamp', initial: 'off', states: { off: { on: { SWITCH: 'on' } }, on: { on: { SWITCH: 'off' } } } },
      }),
    );
  },

  async grow(scene) {
    const { world } = scene;
    const schema = { dialect: 'relational', id: 'lamp', states: { On: {} } } as const;
    await scene.offstage(() => world.server({ acceptsDefinitions: true }));
    const alice = await scene.offstage(() => scene.peer('alice'));
    await scene.offstage(() => world.get(alice.define('lamp', { definition: schema })));
    await scene.offstage(() => world.get(alice.create('lamp', { instance: 'desk' })));
    const face = new RelationalMirror(await scene.offstage(() => world.get(alice.watch('desk'))));
    await scene.offstage(() => world.get(face.add('On')));
    const definition = { ...schema, states: { On: {}, Dim: { require: 'On' } }, names: ['Exception', 'On', 'Dim'] };
    await world.get(alice.define('lamp', { definition }));
    await world.get(face.setSchema());
  },

  async road(scene) {
    const { world } = scene;
    await scene.offstage(() => world.server({ record: scene.recorder('server') }));
    const alice = await scene.offstage(() => scene.peer('alice'));
    await scene.offstage(() => world.get(alice.create('door', { instance: 'front' })));
    scene.say('alice watches: the image comes by its hash, once');
    const a = await world.get(alice.watch('front', world.door));
    scene.say('alice sends two events in one turn: her mirror shows both at once');
    a.send({ type: 'OPEN' });
    a.send({ type: 'OPEN' });
    await world.settle();
    scene.say('100 ms without a step: the room hears what everyone should have by now');
    await world.advance(100);
    scene.say('the timer of the state is due: a step of the authority');
    await world.advance(4_900);
    scene.say('alice has seen enough');
    a.stop();
    await world.settle();
  },

  async refusals(scene) {
    const { world } = scene;
    await scene.offstage(() => world.server());
    const socket = new PlainSocket(world);
    await scene.offstage(() => socket.ask(world, 'create', { machine: 'door', instance: 'front' }));
    const say = async (message: string): Promise<void> => {
      socket.heard.length = 0;
      socket.say(message);
      await world.settle();
      scene.lines.push(`socket > ${message}`, ...socket.heard.map((heard) => steady(`socket < ${JSON.stringify(heard)}`)));
    };
    scene.say('a socket without headers: plain JSON-RPC to the server');
    await say('{"jsonrpc":"2.0","id":1,"method":"send","params":["front",1,{"type":"OPEN"}]}');
    await say('{"jsonrpc":"2.0","id":2,"method":"send","params":["front",1,{"type":"OPEN"}]}');
    await say('{"jsonrpc":"2.0","id":3,"method":"send","params":["front",2,{"type":"FLY"}]}');
    await say('{"jsonrpc":"2.0","id":4,"method":"send","params":["front",2,{"type":"CLOSE"},{"seq":1}]}');
    await say('{"jsonrpc":"2.0","id":5,"method":"send","params":["back",1,{"type":"OPEN"}]}');
    await say('{"jsonrpc":"2.0","id":6,"method":"send","params":["front"]}');
    await say('{"jsonrpc":"2.0","id":7,"method":"jump"}');
    await say('{"jsonrpc":"2.0","id":8,');
  },

  async resume(scene) {
    const { world } = scene;
    await scene.offstage(() => world.server());
    const alice = await scene.offstage(() => scene.peer('alice'));
    const bob = await world.peer('bob');
    await scene.offstage(() => world.get(alice.create('door', { instance: 'front' })));
    const a = await scene.offstage(() => world.get(alice.watch('front', world.door)));
    const b = await world.get(bob.watch('front', world.door));
    scene.say('alice sends, and her network fails before the answer comes back');
    a.send({ type: 'OPEN' });
    await world.environment.turn();
    await world.environment.turn();
    world.network('alice').cut();
    await world.settle();
    scene.say('meanwhile bob sends, and alice sends into the void');
    b.send({ type: 'NAME', name: 'Bob' });
    a.send({ type: 'NAME', name: 'Ada' });
    await world.settle();
    world.network('alice').mend();
    alice.reconnectNow();
    await world.settle();
  },

  async moved(scene) {
    const { world } = scene;
    const server = await scene.offstage(() => world.server());
    const alice = await scene.offstage(() => scene.peer('alice'));
    await scene.offstage(() => world.get(alice.create('door', { instance: 'front' })));
    await scene.offstage(() => world.get(alice.watch('front', world.door)));
    await world.get(server.delete('front'));
  },

  async tree(scene) {
    const { world } = scene;
    await scene.offstage(() => world.server({ trusts: () => true }));
    const middle = await scene.offstage(() => scene.peer('middle'));
    await scene.offstage(() => world.get(middle.create('door', { instance: 'front' })));
    const mirror = await scene.offstage(() => world.get(middle.watch('front', world.door)));
    await scene.offstage(() => world.get(middle.offer(mirror)));
    const leaf = await scene.offstage(() => world.peer('leaf', { mode: 'steps', machines: { door: { definition: world.door } } }));
    scene.say('leaf watches at middle, which speaks for it at its own source');
    const behind = await world.get(leaf.watch('front', world.door, { sources: ['middle'] }));
    scene.say('an event of leaf goes up, and its step comes down');
    behind.send({ type: 'NAME', name: 'Ada' });
    await world.settle();
    await scene.offstage(() => world.advance(200));
    scene.say('middle is closed');
    await world.get(middle.close());
  },

  async brief(scene) {
    const { world } = scene;
    await scene.offstage(() =>
      world.server({ machines: { till: { definition: till, image: compileMachine(till, { lower: true }).bytes } } }),
    );
    const alice = await scene.offstage(() => world.peer('alice', { record: scene.recorder('alice') }));
    await scene.offstage(() => world.get(alice.create('till', { instance: 'front' })));
    scene.say('alice watches, and can be told briefly');
    const mirror = await world.get(alice.watch('front', till));
    scene.say('an event that is shorter than what it changes, and one that is not');
    mirror.send({ type: 'ADD', price: 3 });
    mirror.send({ type: 'NOTE', text: 'a long text that nobody keeps, and that only an event would have' });
    await world.settle();
    scene.say('a timer begins: the step depends on the time; then it is due');
    mirror.send({ type: 'PAUSE' });
    await world.settle();
    await world.advance(1_000);
    scene.say('a refusal');
    mirror.send({ type: 'ADD', price: 'much' });
    await world.settle();
  },

  async presence(scene) {
    const { world } = scene;
    await scene.offstage(() => world.server());
    const alice = await scene.offstage(() => scene.peer('alice'));
    const bob = await scene.offstage(() => world.peer('bob', { mode: 'steps' }));
    await scene.offstage(() => world.get(alice.create('door', { instance: 'front' })));
    const mirror = await scene.offstage(() => world.get(alice.watch('front', world.door)));
    const there = await scene.offstage(() => world.get(bob.watch('front', world.door)));
    const own = new Presence(mirror);
    await world.settle();
    scene.say('alice says where she is, then bob does');
    own.set({ at: 1 });
    await world.advance(60);
    const other = new Presence(there);
    other.set({ at: 7 });
    await world.advance(60);
    scene.say('bob leaves');
    await world.get(bob.close());
    await world.advance(60);
  },

  async handover(scene) {
    const { world } = scene;
    const options = { machines: { door: { definition: world.door } }, trusts: () => true };
    const alice = await scene.offstage(() => scene.peer('alice', options));
    const bob = await scene.offstage(() => world.peer('bob', { ...options, mode: 'steps' }));
    await scene.offstage(() => world.get(alice.host('desk', 'door')));
    const mirror = await scene.offstage(() => world.get(bob.watch('alice/desk')));
    scene.say('bob stands by, and sends an event');
    await world.get(bob.standBy(mirror));
    mirror.send({ type: 'OPEN' });
    await world.settle();
    await scene.offstage(() => world.advance(200));
    scene.say('alice hands over to bob, and watches there');
    await world.get(alice.handOver('alice/desk', 'bob'));
    await world.settle();
  },

  async trace(scene) {
    const { world } = scene;
    const server = await scene.offstage(() => world.server());
    await scene.offstage(() => world.get(server.create('door', { instance: 'front' })));
    const alice = await scene.offstage(() => scene.peer('alice'));
    const tracing = await world.get(alice.trace('server', () => undefined, 1));
    const own = await scene.offstage(() => world.get(server.watch('front')));
    own.send({ type: 'OPEN' });
    await world.settle();
    tracing.unsubscribe();
    await world.settle();
  },

  async eval(scene) {
    const { world } = scene;
    await scene.offstage(() => world.server({ evaluate: (source) => `you said ${source}` }));
    const alice = await scene.offstage(() => scene.peer('alice'));
    await world.get(alice.evaluate('server', 'instances()'));
  },

  async undeliverable(scene) {
    const { world } = scene;
    const alice = await scene.peer('alice');
    scene.lines.length = 0;
    await world.refusal(alice.watch('nobody/door'));
  },

  async lagging(scene) {
    const { environment } = scene.world;
    const hub = new Hub({ environment, identify: (secret) => secret, buffers: { lagBytes: 1_000 } });
    let bufferedBytes = 0;
    const attach = (name: string, isSlow: boolean): Link => {
      const [near, far] = linkPair(environment);
      const slow: Link = {
        open: (events) => far.open(events),
        send: (frame) => far.send(frame),
        close: (code, reason) => far.close(code, reason),
        get bufferedBytes() {
          return bufferedBytes;
        },
      };
      hub.attach(isSlow ? slow : far);
      near.open({
        frame: (frame) => isSlow && scene.recorder(name)(`< from ${String(frame).replace('\n', ': ').replace(/^: /, 'the relay: ')}`),
        closed: () => undefined,
      });
      near.send(
        `\n{"jsonrpc":"2.0","id":1,"method":"hello","params":{"versions":[1],"encodings":["json"],"secret":"${name}","name":"","kind":"node","hosts":true,"eval":false,"presence":false}}`,
      );
      return near;
    };
    const owner = attach('owner', false);
    await scene.offstage(async () => attach('alice', true));
    owner.send('\n{"jsonrpc":"2.0","method":"admit","params":[1,"alice"]}');
    owner.send('#1\n{"jsonrpc":"2.0","method":"step","params":[1,[[2,0,0,[1,1,2,1],[]]]]}');
    await scene.world.settle();
    bufferedBytes = 2_000;
    scene.say('the link of alice is full: this frame of the room is dropped');
    owner.send('#1\n{"jsonrpc":"2.0","method":"step","params":[1,[[3,0,0,[1,1,2,1],[]]]]}');
    await scene.world.settle();
    scene.say('it has drained');
    bufferedBytes = 0;
    await scene.world.advance(60);
  },
};

describe('transcripts', () => {
  for (const [name, play] of Object.entries(SCENES)) {
    test(`[SYNC-26] ${name}: the frames are those of the transcript, and the page quotes them`, async () => {
      const scene = new Scene();
      await play(scene);
      const text = `${scene.lines.join('\n')}\n`;
      const file = new URL(`${name}.txt`, FOLDER);
      if (UPDATE) update(name, file, text);
      expect(text).toBe(readFileSync(file, 'utf8'));
      expect(quoted(name)).toBe(text);
    });
  }

  test('[SYNC-26] there is a scene for every transcript, and a transcript for every quotation', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(
      Object.keys(SCENES)
        .map((name) => `${name}.txt`)
        .sort(),
    );
    const names = [...readFileSync(PAGE, 'utf8').matchAll(/<!-- transcript: (\w+) -->/g)].map(([, name]) => name);
    expect(names.sort()).toEqual(Object.keys(SCENES).sort());
  });
});

function quotation(name: string): RegExp {
  return new RegExp(`(<!-- transcript: ${name} -->\n\`\`\`text\n)([^]*?)(\`\`\`\n)`);
}

function quoted(name: string): string | undefined {
  return quotation(name).exec(readFileSync(PAGE, 'utf8'))?.[2];
}

function update(name: string, file: URL, text: string): void {
  if (!existsSync(FOLDER)) mkdirSync(FOLDER);
  writeFileSync(file, text);
  writeFileSync(
    PAGE,
    readFileSync(PAGE, 'utf8').replace(quotation(name), (_, head: string, __: string, tail: string) => head + text + tail),
  );
}

describe('the page and the code', () => {
  const page = (): string => readFileSync(PAGE, 'utf8');
  const table = (name: string): string[][] => {
    const body = new RegExp(`<!-- ${name} -->\n([^]*?)<!-- /${name} -->`).exec(page())?.[1] ?? '';
    return body
      .trim()
      .split('\n')
      .slice(2)
      .map((row) =>
        row
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
  };

  test('[SYNC-26] the table of codes is the one in the code', () => {
    expect(table('codes')).toEqual(
      Object.entries(CODES).map(([code, { rpc, retryable }]) => [
        `\`${code}\``,
        String(rpc),
        retryable ? 'yes' : 'no',
        meanings().get(code),
      ]),
    );
  });

  test('[SYNC-26] the table of limits is the one in the code', () => {
    expect(table('limits').map(([name, value]) => [name, value])).toEqual(
      Object.entries(LIMITS).map(([name, value]) => [`\`${name}\``, value.toLocaleString('en-US')]),
    );
  });

  test('[SYNC-26] the table of close codes is the one in the code', () => {
    expect(table('closes').map(([code]) => Number(code))).toEqual([
      CLOSE_NORMAL,
      CLOSE_GOING_AWAY,
      CLOSE_PROTOCOL,
      CLOSE_REPLACED,
      CLOSE_SLOW,
      CLOSE_FLOOD,
    ]);
  });
});
