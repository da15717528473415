// The page of docs/browser.md: a mirror of the server's door, and a bar of which this tab is the authority.

import { connect } from 'lockstep/browser';
import { door } from '../door/door.machine.ts';
import { bar } from '../foo-bar/bar.machine.ts';
import image from '../foo-bar/bar.machine.ts?image';

const peer = await connect({ name: 'a tab', machines: { bar: { image: image.bytes, definition: bar } } });

const front = await peer.watch('front', door, { isPatient: true });
const show = (): void => {
  const { value } = front.getSnapshot();
  document.body.textContent = `${String(value)} (${front.standing})`;
};
front.subscribe(show);
front.onStanding(show);
front.onRefused(({ event, error }) => console.warn(event.type, error.code, error.message));
show();

front.send({ type: 'open', by: 'me' });
const { outcome, seq } = await front.submit({ type: 'close', by: 'me' });
console.log(outcome, seq);

const own = await peer.host('bar', 'bar');
own.send({ type: 'say', text: 'hello' });
