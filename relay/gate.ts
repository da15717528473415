// Who may knock: the Host and Origin headers of a request, judged before anything else is read of it. A page from somewhere else must
// not reach a relay through its visitor's browser, neither directly (Origin) nor by a name that was pointed at us (Host).

import { isIP } from 'node:net';
import { LockstepError } from '../core/errors.ts';

export interface GateOptions {
  /** What the server listens on: a name or an address. */
  readonly host: string;
  /** Origins that are welcome besides our own, e.g. `https://app.example`. */
  readonly origins?: readonly string[];
}

export interface KnockHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
}

export class Gate {
  readonly #host: string;
  readonly #isLocal: boolean;
  readonly #origins: ReadonlySet<string>;
  /** Host names that the configured origins bring with them. */
  readonly #names: ReadonlySet<string>;
  /** What was judged last: nearly all who knock say the same. */
  #judged: { readonly headers: KnockHeaders; readonly refusal: string | undefined } | undefined;

  /** @throws LockstepError BAD_PARAMS when one of `origins` is none. */
  constructor(options: GateOptions) {
    this.#host = options.host.toLowerCase();
    this.#isLocal = isLoopback(this.#host);
    const urls = (options.origins ?? []).map(originOf);
    this.#origins = new Set(urls.map((url) => url.origin));
    this.#names = new Set(urls.map((url) => bare(url.hostname)));
  }

  /** @returns why the request is refused, as a sentence; undefined when it may come in. */
  refusal({ host, origin }: KnockHeaders): string | undefined {
    const judged = this.#judged;
    if (judged !== undefined && judged.headers.host === host && judged.headers.origin === origin) return judged.refusal;
    const refusal = this.#judge({ host, origin });
    this.#judged = { headers: { host, origin }, refusal };
    return refusal;
  }

  #judge(headers: KnockHeaders): string | undefined {
    const name = hostName(headers.host);
    if (name === undefined) return `a request names its host, found ${headers.host ?? 'none'}`;
    if (!this.#isOurName(name)) return `host ${name} is not a name of this server; list it as an origin to allow it`;
    // Only browsers send an Origin; whoever is not a browser can reach us anyhow.
    if (headers.origin === undefined || this.#isWelcome(headers.origin, headers.host)) return undefined;
    return `origin ${headers.origin.slice(0, 100)} is not welcome here; list it as an origin to allow it`;
  }

  #isOurName(name: string): boolean {
    if (isLoopback(name) || name === this.#host || this.#names.has(name)) return true;
    // A number cannot be pointed at us by somebody else's name server; on loopback no other number can be ours.
    return !this.#isLocal && isIP(name) !== 0;
  }

  #isWelcome(origin: string, host: string | undefined): boolean {
    let url: URL;
    try {
      url = new URL(origin);
    } catch {
      return false; // `null`, or no URL: nobody we know.
    }
    if (this.#origins.has(url.origin) || url.host === host?.toLowerCase()) return true;
    return this.#isLocal && isLoopback(bare(url.hostname));
  }
}

function hostName(host: string | undefined): string | undefined {
  try {
    return host === undefined || host === '' ? undefined : bare(new URL(`http://${host}`).hostname);
  } catch {
    return undefined;
  }
}

/** An IPv6 address without its brackets. */
function bare(name: string): string {
  return name.replace(/^\[|\]$/g, '').toLowerCase();
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127\.\d+\.\d+\.\d+$/.test(name);
}

function originOf(text: string): URL {
  if (URL.canParse(text) && new URL(text).host !== '') return new URL(text);
  throw new LockstepError('BAD_PARAMS', `expected an origin like https://app.example, found "${text}"`);
}
