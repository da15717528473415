// A page for the test in Chromium: one mirror, through our hooks and through the useSelector of @xstate/react, and watched without a framework.

import { useSelector as useXstateSelector } from '@xstate/react';
import { createElement, StrictMode, useState, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { connect, type MirrorOf, select } from '../../browser/index.ts';
import { useMirror, useSelector, useSnapshot, useStanding } from '../../browser/react.ts';
import { tally } from './mirror-machine.ts';

const peer = await connect();
let renders = 0;
const picked: string[] = [];

function Words({ mirror }: { readonly mirror: MirrorOf<typeof tally> }): ReactElement {
  renders++;
  // Made anew with each snapshot, and the same to React while they are equal.
  const words = useSelector(
    mirror,
    ({ context }) => ({ text: context.words.join(' ') }),
    (one, other) => one.text === other.text,
  );
  return createElement('p', { id: 'words' }, words.text);
}

function Shown({ mirror }: { readonly mirror: MirrorOf<typeof tally> }): ReactElement {
  const { value, context } = useSnapshot(mirror);
  const count = useXstateSelector(mirror, (snapshot) => snapshot.context.count);
  const standing = useStanding(mirror);
  const texts = [value, context.count, count, standing === 'predicted' ? 'confirmed' : standing];
  return createElement('p', { id: 'shown' }, JSON.stringify(texts));
}

function App(): ReactElement {
  const [instance, setInstance] = useState('front');
  const watched = useMirror(peer, instance, tally);
  Object.assign(globalThis, { setInstance });
  if (watched.status !== 'open') return createElement('p', { id: 'shown' }, watched.status);
  const { mirror } = watched;
  Object.assign(globalThis, {
    mirror,
    renders: () => renders,
    picked: () => picked,
    pick: () =>
      select(
        mirror,
        ({ context }) => context.count,
        (now, before) => picked.push(`${before}→${now}`),
      ),
  });
  return createElement('div', {}, createElement(Shown, { mirror }), createElement(Words, { mirror }), createElement(Filtered));
}

/** Another instance, of which it is told one state and nothing else. */
function Filtered(): ReactElement {
  const watched = useMirror(peer, 'filtered', undefined, { states: ['counting'], clocks: 'shallow', context: false });
  if (watched.status !== 'open') return createElement('p', { id: 'filtered' }, watched.status);
  return createElement(Counting, { mirror: watched.mirror });
}

function Counting({ mirror }: { readonly mirror: MirrorOf<undefined> }): ReactElement {
  const isCounting = useSelector(mirror, (snapshot) => snapshot.matches('counting'));
  const { context } = useSnapshot(mirror);
  Object.assign(globalThis, { filtered: mirror });
  return createElement('p', { id: 'filtered' }, JSON.stringify([isCounting, context]));
}

createRoot(document.getElementById('root')!).render(createElement(StrictMode, undefined, createElement(App)));
