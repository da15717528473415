// Claims of secrets where a browser has no locks, as on pages of an insecure origin: tabs ask each other over a channel.

/** Milliseconds that another tab has to say that a secret is its own. */
const ANSWER_MS = 120;
const CHANNEL = 'lockstep.claims';

/** @returns how to let go; undefined when somebody alive has it. */
export function askAround(secret: string): Promise<(() => void) | undefined> {
  const channel = new BroadcastChannel(CHANNEL);
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      channel.onmessage = ({ data }: MessageEvent<unknown>) => {
        if (data === `claim ${secret}`) channel.postMessage(`taken ${secret}`);
      };
      resolve(() => channel.close());
    }, ANSWER_MS);
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (data !== `taken ${secret}`) return;
      clearTimeout(timer);
      channel.close();
      resolve(undefined);
    };
    channel.postMessage(`claim ${secret}`);
  });
}
