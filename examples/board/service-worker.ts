// Keeps the page of the boards in the browser, so that it opens without a network. What has a hash in its name never changes and is served
// from here; the page itself is asked for first, and served from here when nobody answers.

interface Working {
  readonly registration: { readonly scope: string };
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
}
interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetched extends Extendable {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

/** Made by the build: every file that the page can come to load, and a name that changes with them. */
declare const FILES: { readonly version: string; readonly paths: readonly string[] };

const worker = globalThis as unknown as Working;
const PREFIX = 'lockstep.board ';
const CACHE = `${PREFIX}${FILES.version}`;
const PAGE = '/board/';

globalThis.addEventListener('install', (event) => (event as Extendable).waitUntil(install()));
globalThis.addEventListener('activate', (event) => (event as Extendable).waitUntil(tidy()));
globalThis.addEventListener('fetch', (event) => {
  const { request } = event as Fetched;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (FILES.paths.includes(pathname)) (event as Fetched).respondWith(pathname === PAGE ? newest(request) : kept(request));
});

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll([...FILES.paths]);
  await worker.skipWaiting();
}

/** Files of earlier builds go. */
async function tidy(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  await worker.clients.claim();
}

async function kept(request: Request): Promise<Response> {
  return (await caches.match(request, { ignoreSearch: true })) ?? fetch(request);
}

async function newest(request: Request): Promise<Response> {
  try {
    const response = await fetch(request);
    if (response.ok) await (await caches.open(CACHE)).put(PAGE, response.clone());
    return response;
  } catch (error) {
    const page = await caches.match(PAGE);
    if (page === undefined) throw error;
    return page;
  }
}
