// The SharedWorker that holds the socket of all tabs of an origin. A tab is gone when its lock is free; the tabs learn from the worker's
// own lock that it is.                                                                                                   (TAB-1, TAB-4)

import { Exchange } from './exchange.ts';
import { dialSocket } from './socket.ts';
import { type FromWorker, tabLock, type ToWorker } from './tab-messages.ts';

const LOCK = `lockstep worker ${crypto.randomUUID()}`;
/** By the relay's URL. */
const exchanges = new Map<string, Exchange>();

const alive = new Promise<void>((held) => {
  void navigator.locks.request(LOCK, () => {
    held();
    return new Promise(() => undefined);
  });
});

globalThis.addEventListener('connect', (event) => {
  const [port] = (event as MessageEvent).ports;
  if (port === undefined) return;
  port.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    if (data.kind === 'join') welcome(port, data.tab, data.url);
  };
});

function welcome(port: MessagePort, tab: string, url: string): void {
  const exchange = exchangeOf(url);
  const post = (message: FromWorker): void => port.postMessage(message);
  exchange.join(tab, post);
  port.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    if (data.kind !== 'join') exchange.receive(tab, data);
  };
  void navigator.locks.request(tabLock(tab), { mode: 'shared' }, () => exchange.leave(tab));
  void alive.then(() => post({ kind: 'welcome', lock: LOCK }));
}

function exchangeOf(url: string): Exchange {
  let exchange = exchanges.get(url);
  if (exchange === undefined) {
    // There is one worker; a group of its own keeps an older one, of another build of these pages, out of its way.
    exchange = new Exchange({ dial: () => dialSocket(url), share: { group: crypto.randomUUID(), term: 1 } });
    exchanges.set(url, exchange);
  }
  return exchange;
}
