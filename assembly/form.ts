// Where a step with COVER ended, for its host: of a large chart few states are active at a time, and only words that are not zero are told.

import { end as roomEnd, form } from './cover.ts';
import * as frame from './frame.ts';
import * as layout from './layout.ts';
import { isZeroPair, load32, store32 } from './prim.ts';

/** Writes where the instance of the frame is: how many words follow, then {place, word} for each that is not zero. */
export function writeForm(): void {
  const historyWords: i32 = load32(frame.image + layout.IMAGE_HISTORY_COUNT) * frame.words;
  const from: i32 = form + 4;
  if (from + ((frame.words + historyWords) << 3) > roomEnd) return;
  const end: i32 = gather(frame.memories, historyWords, frame.words, gather(frame.configuration, frame.words, 0, from));
  store32(form, (end - from) >>> 2);
}

/** What is there has an even number of words; one more than `count` is zero. @returns the end of what was written. */
function gather(from: i32, count: i32, firstPlace: i32, to: i32): i32 {
  let end: i32 = to;
  for (let i: i32 = 0; i < count; i++) {
    const at: i32 = from + (i << 2);
    if (isZeroPair(at)) {
      i += 1;
      continue;
    }
    const word: i32 = load32(at);
    if (word === 0) continue;
    store32(end, firstPlace + i);
    store32(end + 4, word);
    end += 8;
  }
  return end;
}
