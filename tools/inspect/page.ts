// The page of an inspector relay: shows an inspector in a frame and hands it what comes through the socket, from the moment when it says
// that it is there. The script is one of this page alone, and may be no other.

import { createHash } from 'node:crypto';

const SCRIPT = `
const frame = document.querySelector('iframe');
let waiting = [];
const tell = (message) => frame.contentWindow.postMessage(message, '*');
addEventListener('message', (event) => {
  if (event.source !== frame.contentWindow || event.data?.type !== '@statelyai.connected') return;
  const messages = waiting ?? [];
  waiting = undefined;
  messages.forEach(tell);
});
const dial = () => {
  const socket = new WebSocket(location.origin.replace('http', 'ws'));
  socket.onmessage = ({ data }) => (waiting === undefined ? tell(JSON.parse(data)) : waiting.push(JSON.parse(data)));
  socket.onclose = () => setTimeout(dial, 2000);
};
dial();
`;

export interface BridgePage {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** @param inspector its URL; it is given the messages, and nothing else of this page. */
export function bridgePage(inspector: string): BridgePage {
  const url = new URL(inspector);
  const hash = createHash('sha256').update(SCRIPT).digest('base64');
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${hash}'`,
    "style-src 'unsafe-inline'",
    'connect-src ws: wss:',
    `frame-src ${url.origin}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Inspector · Lockstep</title>
    <style>html, body, iframe { margin: 0; width: 100%; height: 100%; border: 0; display: block; }</style>
  </head>
  <body>
    <iframe title="Inspector" src="${url.href.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"></iframe>
    <script>${SCRIPT}</script>
  </body>
</html>
`;
  return {
    html,
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff' },
  };
}
