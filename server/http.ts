// What a server says over plain HTTP: its health, and the pages that were built with it. Everything else is a 404 or a 405 with a
// sentence. Nothing outside the pages directory is reachable, and no request of a foreign host is answered.

import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import type { Json } from '../core/json.ts';
import type { Gate } from '../relay/gate.ts';

export interface HttpOptions {
  readonly gate: Gate;
  /** What `GET /health` answers. */
  readonly health: () => Promise<Json>;
  /** Directory of built pages; without it all paths but `/health` are 404. */
  readonly pages?: string;
  /** Whether sockets connect here, and not at a relay elsewhere. */
  readonly hasSockets: boolean;
}

/** Pages come from here, run no inline script, and may compile the core; sockets go back to where they came from, over either scheme. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self' ws: wss:",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

/** Milliseconds that a request may take to arrive. */
const REQUEST_TIMEOUT_MS = 10_000;

export function createHttp(options: HttpOptions): Server {
  const server = createServer((request, response) => {
    answer(options, request, response).catch(() => {
      // A file that vanished under our hands, or a client that left: nothing of ours is in doubt.
      if (!response.headersSent) say(response, 500, 'INTERNAL', 'the answer could not be made');
      else response.destroy();
    });
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  return server;
}

async function answer(options: HttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  // An Origin on a plain request is no danger: answers carry no permission to read them elsewhere.
  const refusal = options.gate.refusal({ host: request.headers.host });
  if (refusal !== undefined) {
    say(response, 403, 'FORBIDDEN', refusal);
    return;
  }
  const path = readPath(request.url ?? '/');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    say(response, 405, 'NOT_ALLOWED', `${path ?? 'this path'} takes GET, found ${request.method ?? 'nothing'}`);
  } else if (path === undefined) {
    say(response, 404, 'NOT_FOUND', 'the path is not readable');
  } else if (path === '/health') {
    response.setHeader('Cache-Control', 'no-store');
    sayJson(response, 200, await options.health());
  } else {
    await sendPage(options, path, request, response);
  }
}

/** The decoded path, or undefined when it is not one: bad escapes, or bytes that no file name has. */
function readPath(url: string): string | undefined {
  try {
    const path = decodeURIComponent(new URL(url, 'http://host').pathname);
    return path.includes('\0') || path.includes('\\') ? undefined : path;
  } catch {
    return undefined;
  }
}

async function sendPage(
  { pages, hasSockets }: HttpOptions,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const file = pages === undefined ? undefined : await findPage(pages, path);
  if (file === undefined) {
    const sockets = hasSockets ? 'WebSockets connect at any path' : 'WebSockets connect at the relay that this server joins';
    say(response, 404, 'NOT_FOUND', `nothing is at ${path}; GET /health answers, and ${sockets}`);
    return;
  }
  response.setHeader('Content-Type', TYPES[extname(file.path)] ?? 'application/octet-stream');
  response.setHeader('Content-Length', file.size);
  // Names under /assets/ carry a hash of what is in them; everything else may change with the next build.
  response.setHeader('Cache-Control', path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await new Promise<void>((resolve, reject) => {
    response.on('close', resolve);
    createReadStream(file.path).on('error', reject).pipe(response);
  });
}

/** `/` is index.html, and a page is found with or without its ending. Links that lead out of the directory lead nowhere. */
async function findPage(pages: string, path: string): Promise<{ readonly path: string; readonly size: number } | undefined> {
  const root = await resolved(pages);
  if (root === undefined) return undefined;
  const wanted = join(root, path);
  for (const candidate of [wanted, `${wanted}.html`, join(wanted, 'index.html')]) {
    const real = await resolved(candidate);
    if (real === undefined || !real.startsWith(root + sep)) continue;
    const found = await stat(real);
    if (found.isFile()) return { path: real, size: found.size };
  }
  return undefined;
}

async function resolved(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch {
    return undefined; // It does not exist, or not for us.
  }
}

function say(response: ServerResponse, status: number, code: string, message: string): void {
  sayJson(response, status, { error: { code, message } });
}

function sayJson(response: ServerResponse, status: number, value: Json): void {
  const body = `${JSON.stringify(value)}\n`;
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(body) });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
