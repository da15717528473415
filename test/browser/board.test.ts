// The boards as people use them: two of them at once, by keyboard, one without a network; and the page as an app that opens by itself.

import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { screenshot } from './screenshots.ts';
import { ServerProcess } from './server-process.ts';
import { openChromium, patiently, Tab } from './tab.ts';
import { Wire } from './wire.ts';

const BOARD = 'board:team';
let browser: Browser;
let server: ServerProcess;

beforeAll(async () => {
  browser = await openChromium();
  server = await new ServerProcess().start();
});
afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

interface Seat {
  readonly context: BrowserContext;
  readonly tab: Tab;
}

async function sit(name: string, url: string): Promise<Seat> {
  const context = await browser.newContext({ viewport: { width: 1180, height: 860 } });
  await context.addInitScript((me) => localStorage.setItem('lockstep.board.name', me), name);
  return { context, tab: await Tab.open(context, `${url}/board/`) };
}

/** The texts of a column's cards, as the page shows them. */
const cards = (seat: Seat, column: string): Promise<string[]> =>
  seat.tab.page.locator(`[data-column="${column}"] .task-text`).allInnerTexts();

async function add(seat: Seat, column: string, text: string): Promise<void> {
  await seat.tab.page.fill(`[data-column="${column}"] .new-task`, text);
  await seat.tab.page.press(`[data-column="${column}"] .new-task`, 'Enter');
}

const card = (seat: Seat, text: string): ReturnType<Seat['tab']['page']['locator']> => seat.tab.page.locator('.task', { hasText: text });

/** What is wider than its place: cards in their columns, the page in its window. */
const sticksOut = ({ tab: { page } }: Seat): Promise<string[]> =>
  page.evaluate(() => {
    const isWider = (part: Element, place: Element): boolean => part.getBoundingClientRect().right > place.getBoundingClientRect().right;
    const cards = [...document.querySelectorAll<HTMLElement>('.task')].filter((each) => isWider(each, each.closest('.column')!));
    return [...cards.map(({ innerText }) => innerText), ...(document.documentElement.scrollWidth > innerWidth ? ['the page'] : [])];
  });

/** In the page: whether what it shows is in its store. */
async function isKept(board: string): Promise<boolean> {
  const mirror = globalThis.lockstep.mirrors[board]!;
  const state = await new Promise<{ readonly seq: number } | undefined>((resolve, reject) => {
    const request = indexedDB.open('lockstep.offline');
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      const get = database
        .transaction('states')
        .objectStore('states')
        .get([`ws://${location.host}/`, board]);
      get.onsuccess = () => {
        database.close();
        resolve(get.result as { readonly seq: number } | undefined);
      };
    };
  });
  return mirror.standing === 'confirmed' && state?.seq === mirror.seq;
}

test('[WEB-13] two people on one board, by keyboard: what shows is the same for both, and who is here is seen', async () => {
  const [ann, bob] = [await sit('Ann Lee', server.url), await sit('Bob', server.url)];
  for (const text of ['Plan the week', 'Write the release notes', 'Call the printer']) await add(ann, 'todo', text);
  await expect.poll(() => cards(bob, 'todo'), patiently).toEqual(['Plan the week', 'Write the release notes', 'Call the printer']);
  await expect.poll(() => bob.tab.page.locator('#people').innerText(), patiently).toContain('AL');
  const page = bob.tab.page;
  await card(bob, 'Write the release notes').focus();
  // What one has in hand shows at the other.
  await expect.poll(() => card(ann, 'Write the release notes').locator('.task-held').innerText(), patiently).toBe('Bob');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Enter');
  await page.keyboard.type(' (1.2)');
  await page.keyboard.press('Enter');
  await expect.poll(() => cards(ann, 'done'), patiently).toEqual(['Write the release notes (1.2)']);
  // The card that moved keeps the focus; the arrows go from card to card.
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toContain('Write the release notes (1.2), Done');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await card(bob, 'Call the printer').focus();
  await page.keyboard.press('Shift+ArrowUp');
  await expect.poll(() => cards(ann, 'todo'), patiently).toEqual(['Call the printer', 'Plan the week']);
  await page.keyboard.press('Delete');
  await expect.poll(() => cards(ann, 'todo'), patiently).toEqual(['Plan the week']);
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toContain('Plan the week');
  // Every control has a name.
  expect(
    await page
      .locator('button:visible, input:visible')
      .evaluateAll((all) => all.filter((each) => ((each as HTMLElement).innerText || each.getAttribute('aria-label') || '') === '').length),
  ).toBe(0);
  expect([...ann.tab.complaints, ...bob.tab.complaints]).toEqual([]);
  await Promise.all([ann.context.close(), bob.context.close()]);
});

test('[WEB-14] the page is an app: it opens without a network with what was done in it, merges when it is back, and says what came too late', async () => {
  const wire = await Wire.lay(server.url);
  const [ann, bob] = [await sit('Ann Lee', wire.url), await sit('Bob', server.url)];
  const manifest = (await (await fetch(`${server.url}/board/manifest.webmanifest`)).json()) as {
    readonly icons: readonly { readonly src: string }[];
    readonly display: string;
  };
  expect(manifest.display).toBe('standalone');
  for (const { src } of manifest.icons) expect((await fetch(`${server.url}${src}`)).headers.get('content-type')).toBe('image/png');
  for (const text of ['Order chairs', 'Book the hall', 'Print badges']) await add(bob, 'todo', text);
  await expect.poll(() => cards(ann, 'todo'), patiently).toContain('Print badges');
  await ann.tab.page.evaluate(() => navigator.serviceWorker.ready);
  await expect.poll(() => ann.tab.standing(BOARD), patiently).toEqual({ standing: 'confirmed', unconfirmed: 0 });
  await ann.tab.page.reload();
  await ann.tab.ready();
  await expect.poll(() => ann.tab.page.evaluate(isKept, BOARD), patiently).toBe(true);
  await expect.poll(() => ann.tab.page.evaluate(() => navigator.serviceWorker.controller !== null), patiently).toBe(true);

  wire.cut();
  await ann.tab.page.reload();
  await ann.tab.ready();
  await expect.poll(() => ann.tab.page.innerText('#standing'), patiently).toContain('offline');
  expect(await cards(ann, 'todo')).toContain('Book the hall');
  await add(ann, 'todo', 'Thank the helpers');
  await card(ann, 'Order chairs').focus();
  await ann.tab.page.keyboard.press('Shift+ArrowRight');
  await card(ann, 'Print badges').focus();
  await ann.tab.page.keyboard.press('Enter');
  await ann.tab.page.keyboard.type(', in colour');
  await ann.tab.page.keyboard.press('Enter');
  await expect.poll(() => ann.tab.page.innerText('#standing'), patiently).toBe('offline · 3 changes kept');
  expect(await sticksOut(ann)).toEqual([]);
  await screenshot(ann.tab.page, 'board-offline');
  // Meanwhile, elsewhere.
  await card(bob, 'Order chairs').focus();
  for (let i = 0; i < 2; i++) await bob.tab.page.keyboard.press('Shift+ArrowRight');
  await card(bob, 'Print badges').focus();
  await bob.tab.page.keyboard.press('Enter');
  await bob.tab.page.keyboard.type(' for 40');
  await bob.tab.page.keyboard.press('Enter');
  await expect.poll(() => cards(bob, 'done'), patiently).toContain('Order chairs');

  await ann.tab.page.reload();
  await ann.tab.ready();
  expect(await cards(ann, 'doing')).toContain('Order chairs');
  // What the page before this one did is not sent yet either.
  await expect.poll(() => ann.tab.page.locator('.task[data-waiting]').count(), patiently).toBe(3);
  wire.mend();
  await expect.poll(() => cards(bob, 'todo'), patiently).toContain('Thank the helpers');
  await expect.poll(() => ann.tab.page.locator('.conflict').count(), patiently).toBe(2);
  const said = await ann.tab.page.innerText('#tray');
  expect(said).toContain('“Order chairs” was not moved to Doing: Bob had moved it to Done first.');
  expect(said).toContain('“Print badges” was not rewritten: Bob had made it “Print badges for 40” first.');
  await screenshot(ann.tab.page, 'board-conflict');
  await ann.tab.page.setViewportSize({ width: 390, height: 844 });
  expect(await sticksOut(ann)).toEqual([]);
  await screenshot(ann.tab.page, 'board-phone');
  await ann.tab.page.locator('.conflict', { hasText: 'Order chairs' }).getByRole('button', { name: 'Do it all the same' }).click();
  await ann.tab.page.locator('.conflict', { hasText: 'Print badges' }).getByRole('button', { name: 'Leave it so' }).click();
  await expect.poll(() => cards(bob, 'doing'), patiently).toContain('Order chairs');
  expect(await cards(bob, 'todo')).toContain('Print badges for 40');
  expect(await ann.tab.page.locator('#tray').isHidden()).toBe(true);
  expect(await ann.tab.page.locator('.task[data-waiting]').count()).toBe(0);
  await expect.poll(() => ann.tab.standing(BOARD), patiently).toEqual({ standing: 'confirmed', unconfirmed: 0 });
  expect([...ann.tab.complaints, ...bob.tab.complaints]).toEqual([]);
  wire.remove();
  await Promise.all([ann.context.close(), bob.context.close()]);
});

test('[WEB-13] a second board is made, and both are found again', async () => {
  const { tab, context } = await sit('Cleo', server.url);
  await tab.page.click('#boards .more');
  await tab.page.fill('#new-name', 'Summer party');
  await tab.page.press('#new-name', 'Enter');
  await tab.shows('#title', 'Summer party');
  await tab.page.fill('[data-column="todo"] .new-task', 'Lights');
  await tab.page.press('[data-column="todo"] .new-task', 'Enter');
  await screenshot(tab.page, 'board-new');
  await tab.page.click('#boards a:has-text("Team")');
  await tab.shows('#title', 'Team');
  await tab.page.reload();
  await tab.ready();
  await tab.shows('#boards', 'Summer party');
  expect(tab.complaints).toEqual([]);
  await context.close();
});

test('[WEB-13] what is typed before a board is there stays where it was typed', async () => {
  const context = await browser.newContext();
  await context.addInitScript(() => {
    localStorage.setItem('lockstep.board.name', 'Eve');
    // As soon as there is a field at all: what is watched is asked for by then, and not yet there.
    const seen = new MutationObserver(() => {
      const field = document.querySelector<HTMLInputElement>('[data-column="todo"] .new-task');
      if (field === null) return;
      seen.disconnect();
      field.value = 'too early';
      field.form!.requestSubmit();
      document.documentElement.dataset['early'] = field.value;
    });
    seen.observe(document, { childList: true, subtree: true });
  });
  const { page } = await Tab.open(context, `${server.url}/board/`);
  const field = page.locator('[data-column="todo"] .new-task');
  await expect.poll(() => field.inputValue(), patiently).toBe('too early');
  expect(await page.evaluate(() => document.documentElement.dataset['early'])).toBe('too early');
  await field.press('Enter');
  await expect.poll(() => page.locator('[data-column="todo"] .task-text').allInnerTexts(), patiently).toContain('too early');
  expect(await field.inputValue()).toBe('');
  await context.close();
});

test('[WEB-13] what is being written goes on when somebody else moves the card, and is offered back when they remove it', async () => {
  const [ann, bob] = [await sit('Ann Lee', server.url), await sit('Bob', server.url)];
  const page = ann.tab.page;
  await add(ann, 'todo', 'Mend the gate');
  await card(bob, 'Mend the gate').focus();
  await card(ann, 'Mend the gate').dblclick();
  await page.keyboard.type(', and');
  await bob.tab.page.keyboard.press('Shift+ArrowRight');
  await expect.poll(() => page.locator('[data-column="doing"] textarea').count(), patiently).toBe(1);
  await page.keyboard.type(' paint it');
  await page.keyboard.press('Enter');
  await expect.poll(() => cards(bob, 'doing'), patiently).toContain('Mend the gate, and paint it');

  await card(ann, 'Mend the gate').dblclick();
  await page.keyboard.type(' green');
  await bob.tab.page.keyboard.press('Delete');
  await ann.tab.shows('#tray', 'Bob had removed it first.');
  await ann.tab.shows('#tray blockquote', 'Mend the gate, and paint it green');
  await page.getByRole('button', { name: 'Put it back' }).click();
  await expect.poll(() => cards(bob, 'doing'), patiently).toContain('Mend the gate, and paint it green');

  // A button that is of no more use gives the focus to its card.
  await card(ann, 'paint it green').getByRole('button', { name: 'Move left' }).focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => cards(bob, 'todo'), patiently).toContain('Mend the gate, and paint it green');
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toContain('paint it green, To do');
  expect([...ann.tab.complaints, ...bob.tab.complaints]).toEqual([]);
  await Promise.all([ann.context.close(), bob.context.close()]);
});

test('[WEB-13] Escape leaves a question unanswered: no board, no name', async () => {
  const context = await browser.newContext();
  const { page } = await Tab.open(context, `${server.url}/board/`);
  await page.fill('#who-name', 'Nobody');
  await page.keyboard.press('Escape');
  await page.click('#boards .more');
  await page.fill('#new-name', 'Never made');
  await page.keyboard.press('Escape');
  await page.click('#boards .more');
  await page.fill('#new-name', ' ');
  await page.keyboard.press('Enter');
  expect(await page.locator('#new').isVisible()).toBe(true);
  await page.fill('#new-name', 'Made');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.innerText('#title'), patiently).toBe('Made');
  expect(await page.innerText('#boards')).not.toContain('Never made');
  expect(await page.innerText('#name')).toBe('Somebody');
  await context.close();
});

test('[WEB-19] the board opens and works where storage is refused, on an insecure origin, and at an address that names nothing', async () => {
  const context = await browser.newContext();
  await context.addInitScript(() => {
    const refuse = (): never => {
      throw new DOMException('refused', 'SecurityError');
    };
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB'])
      Object.defineProperty(globalThis, name, { configurable: true, get: refuse });
    Reflect.deleteProperty(Crypto.prototype, 'randomUUID');
    for (const name of ['locks', 'serviceWorker']) Reflect.deleteProperty(Navigator.prototype, name);
  });
  const tab = await Tab.open(context, `${server.url}/board/#%E0%A4%A`);
  await tab.shows('#title', 'Team');
  await tab.page.fill('[data-column="doing"] .new-task', 'From a phone');
  await tab.page.press('[data-column="doing"] .new-task', 'Enter');
  await expect.poll(() => tab.page.innerText('#standing'), patiently).toBe('saved');
  expect(await tab.page.locator('[data-column="doing"] .task-text').allInnerTexts()).toContain('From a phone');
  expect(await tab.page.locator('#name').isDisabled()).toBe(true);
  expect(tab.complaints).toEqual([]);
  await context.close();
});

test('[WEB-19] an address of a board that is no more says so, and another one shows', async () => {
  const context = await browser.newContext();
  const tab = await Tab.open(context, `${server.url}/board/#board:gone`);
  await tab.shows('#title', 'Team');
  await expect.poll(() => tab.page.innerText('#toast'), patiently).toContain('There is no board “board:gone” here.');
  await tab.page.evaluate(() => (location.hash = 'front'));
  await expect.poll(() => tab.page.innerText('#toast'), patiently).toContain('There is no board “front” here.');
  expect(tab.complaints).toEqual([]);
  await context.close();
});

test('[WEB-19] a board that is made without a network is said to come, and comes', async () => {
  const wire = await Wire.lay(server.url);
  const ann = await sit('Ann Lee', wire.url);
  wire.cut();
  await expect.poll(() => ann.tab.page.innerText('#standing'), patiently).toBe('offline');
  await ann.tab.page.click('#boards .more');
  await ann.tab.page.fill('#new-name', 'Winter'.padEnd(40, 'r'));
  await ann.tab.page.keyboard.press('Enter');
  await ann.tab.shows('#toast', 'r” is made as soon as the server is back');
  wire.mend();
  await ann.tab.shows('#title', 'Winterrr');
  await ann.tab.page.setViewportSize({ width: 360, height: 740 });
  expect(await sticksOut(ann)).toEqual([]);
  wire.remove();
  await ann.context.close();
});

test('[WEB-13] a board that somebody makes comes to the others, and one that is removed goes', async () => {
  const [ann, bob] = [await sit('Ann Lee', server.url), await sit('Bob', server.url)];
  const lookAgain = (): Promise<boolean> => bob.tab.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await ann.tab.page.click('#boards .more');
  await ann.tab.page.fill('#new-name', 'Short-lived');
  await ann.tab.page.press('#new-name', 'Enter');
  await ann.tab.shows('#title', 'Short-lived');
  await lookAgain();
  await bob.tab.shows('#boards', 'Short-lived');
  await bob.tab.page.click('#boards a:has-text("Short-lived")');
  await bob.tab.shows('#title', 'Short-lived');
  await ann.tab.page.evaluate(() => globalThis.lockstep.peer.delete(decodeURIComponent(location.hash.slice(1))));
  for (const { tab } of [ann, bob]) {
    await tab.shows('#toast', 'The board “Short-lived” was removed.');
    await tab.shows('#title', 'Team');
    expect(await tab.page.innerText('#boards')).not.toContain('Short-lived');
    expect(tab.complaints).toEqual([]);
  }
  await Promise.all([ann.context.close(), bob.context.close()]);
});

test('[WEB-13] what was removed is put back where it was, by key or button; a card goes where it is dragged', async () => {
  const { tab, context } = await sit('Dora', server.url);
  const { page } = tab;
  await page.click('#boards a:has-text("Garden")');
  await tab.shows('#title', 'Garden');
  const seat = { tab, context };
  for (const text of ['Dig', 'Sow', 'Water']) await add(seat, 'todo', text);
  await card(seat, 'Dig').focus();
  await page.keyboard.press('Delete');
  await tab.shows('#toast', '“Dig” was removed.');
  await page.keyboard.press('Control+z');
  await expect.poll(() => cards(seat, 'todo'), patiently).toEqual(['Dig', 'Sow', 'Water']);
  expect(await page.locator('#toast').isVisible()).toBe(false);
  await card(seat, 'Water').focus();
  await page.keyboard.press('Delete');
  await page.getByRole('button', { name: 'Put it back' }).click();
  await expect.poll(() => cards(seat, 'todo'), patiently).toEqual(['Dig', 'Sow', 'Water']);
  await page.keyboard.press('Control+z');

  // However many cards there are, one Tab key leads to the buttons of one card, and on.
  await card(seat, 'Sow').focus();
  const walked: (string | null)[] = [];
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press('Tab');
    walked.push(await page.evaluate(() => document.activeElement!.getAttribute('aria-label')));
  }
  expect(walked).toEqual(['Move right', 'Edit', 'Remove', 'Add a task to To do', 'Add to To do']);

  await card(seat, 'Water').dragTo(card(seat, 'Dig'), { targetPosition: { x: 40, y: 5 } });
  await expect.poll(() => cards(seat, 'todo'), patiently).toEqual(['Water', 'Dig', 'Sow']);
  await card(seat, 'Dig').dragTo(page.locator('[data-column="done"]'));
  await expect.poll(() => cards(seat, 'done'), patiently).toEqual(['Dig']);
  expect(await page.locator('[data-drop]').count()).toBe(0);
  expect(tab.complaints).toEqual([]);
  await context.close();
});
