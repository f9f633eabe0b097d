/** Every state in a real browser: what axe finds, whether it fits, and whether it can be used by keyboard alone. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, launch } from './chromium.mjs';

const configFile = join(import.meta.dirname, '../vite.dev.config.ts');
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Axe cannot judge letters on a gradient or near a drawn line: here they stand on the strongest tint alone. */
const tinted = `
  .waybill, .waybill * { &::before, &::after { content: none !important } }
  .waybill { background: color-mix(in srgb, var(--tone) var(--wash), var(--surface)) !important }
`;

describe.skipIf(!hasChromium())('the gallery', () => {
  let browser;
  let server;

  beforeAll(async () => {
    await build({ configFile, logLevel: 'error' });
    server = await preview({ configFile, logLevel: 'error', preview: { host: '127.0.0.1', port: 0 } });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  async function open(query, options = {}) {
    const context = await browser.newContext({
      viewport: { width: 1000, height: 900 },
      reducedMotion: 'reduce',
      timezoneId: 'Asia/Kolkata',
      ...options,
    });
    const page = await context.newPage();
    await page.goto(`${server.resolvedUrls?.local[0]}?${query}`);
    await page.locator('.waybill').first().waitFor();
    return page;
  }

  /** What is off the screen has no connection, so each state of it is scrolled to. */
  async function everyConnection(page) {
    for (const state of ['connecting', 'live', 'reconnecting', 'offline']) {
      await page.locator(`#${state}`).scrollIntoViewIfNeeded();
      await page.locator(`#${state} [data-connection=${state}]`).first().waitFor();
    }
  }

  const close = (page) => page.context().close();
  const fits = (page) =>
    page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);

  const variants = ['en', 'hi'].flatMap((lang) =>
    ['light', 'dark'].map((theme) => `lang=${lang}&theme=${theme}`),
  );

  test.each(variants)('axe finds nothing in any state: %s', async (query) => {
    // Milestones have the colours of the states, so their words are enough, once in each language.
    const once = query === 'lang=en&theme=light' || query === 'lang=hi&theme=dark';
    for (const states of ['', ...(once ? ['&states=milestones'] : [])]) {
      const page = await open(query + states);
      if (!states) await everyConnection(page);
      await page.addStyleTag({ content: tinted });
      await page.evaluate(axeSource);
      const found = await page.evaluate(async () => {
        const { run } = window.axe;
        const { violations, incomplete } = await run({ resultTypes: ['violations', 'incomplete'] });
        // What axe cannot judge would pass unseen.
        const unjudged = incomplete.filter(({ id }) => id === 'color-contrast');
        return [...violations, ...unjudged].map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`,
        );
      });
      expect(found).toEqual([]);
      await close(page);
    }
  });

  test.each(variants)(
    'nothing scrolls sideways at 320 px, or with letters twice as large: %s',
    async (query) => {
      for (const states of ['', '&states=milestones', ...(query === variants[0] ? ['&dir=rtl'] : [])]) {
        const page = await open(query + states, { viewport: { width: 320, height: 800 } });
        expect(await fits(page)).toBe(true);
        await page.setViewportSize({ width: 640, height: 800 });
        await page.addStyleTag({ content: 'html { font-size: 200% }' });
        expect(await fits(page)).toBe(true);
        await close(page);
      }
    },
  );

  test('a timeline is opened and a number is copied by keyboard alone', async () => {
    const page = await open('lang=en&theme=light&states=in-transit', {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Show all 5 updates');
    const outline = await page.evaluate(
      () => document.activeElement && getComputedStyle(document.activeElement).outlineStyle,
    );
    expect(outline).toBe('solid');
    await page.keyboard.press('Enter');
    expect(await page.locator('time').count()).toBe(5);
    expect(await focused()).toBe('Show fewer updates');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('19041424751540');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);
    await close(page);
  });

  test('a long timeline that is closed again leaves its button on the screen', async () => {
    const page = await open('lang=hi&theme=light&states=long-history', {
      viewport: { width: 360, height: 640 },
    });
    // Not every browser keeps in place what is looked at when something above it shrinks.
    await page.addStyleTag({
      content: '* { overflow-anchor: none } main { padding-block-end: 3000px !important }',
    });
    const button = page.locator('#long-history .waybill-timeline .waybill-button');
    await button.click();
    await button.click();
    expect(await page.locator('#long-history time').count()).toBe(3);
    const { top, bottom } = await button.evaluate((each) => each.getBoundingClientRect());
    expect(top).toBeGreaterThanOrEqual(0);
    expect(bottom).toBeLessThanOrEqual(640);
    await close(page);
  });

  test('a number is copied where the page has no clipboard of its own, as in a frame', async () => {
    const page = await open('lang=en&theme=light&states=in-transit', {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
    });
    await page.getByRole('button', { name: 'Copy tracking number' }).press('Enter');
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('19041424751540');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Copied');
    await close(page);
  });

  test('no line begins with a dot, however narrow', async () => {
    const page = await open('lang=hi&theme=light&states=in-transit,failed-attempt,rto,list');
    for (let width = 240; width <= 560; width += 20) {
      await page.setViewportSize({ width, height: 900 });
      const seen = await page.locator('.waybill-dot').evaluateAll((dots) =>
        dots
          .filter((dot) => {
            const shown = dot.closest('.waybill-parts').getBoundingClientRect();
            const part = dot.parentElement;
            const { left } = dot.getBoundingClientRect();
            return left >= shown.left && part.offsetTop !== part.previousElementSibling.offsetTop;
          })
          .map((dot) => dot.parentElement.textContent),
      );
      expect(seen).toEqual([]);
    }
    await close(page);
  });

  test('the time of a line stands beside its title or right under it, however narrow', async () => {
    for (const query of ['lang=hi', 'lang=en', 'lang=en&dir=rtl']) {
      const page = await open(`${query}&theme=light&states=in-transit,long-history`);
      for (const width of [240, 320, 420, 520, 720]) {
        await page.setViewportSize({ width, height: 900 });
        const astray = await page.locator('.waybill-entry').evaluateAll((entries) =>
          entries
            .filter((entry) => {
              const [time, title, more] = ['.waybill-time', '.waybill-event-title', '.waybill-words'].map(
                (part) => entry.querySelector(part)?.getBoundingClientRect(),
              );
              const beside = Math.abs(time.top - title.top) < 8 && time.right <= title.left;
              const under =
                time.top >= title.bottom - 1 && time.top - title.bottom < 4 && time.left === title.left;
              return !(beside || under) || (more && more.top < time.top);
            })
            .map((entry) => entry.textContent),
        );
        expect(astray, `${query} ${width}`).toEqual([]);
      }
      await close(page);
    }
  });

  test('on a page that runs from right to left our words still run from left to right', async () => {
    const page = await open('lang=en&theme=light&dir=rtl&states=in-transit');
    const lefts = await page
      .locator('.waybill-latest .waybill-part')
      .evaluateAll((parts) => parts.map((part) => part.getBoundingClientRect().left));
    expect(lefts).toEqual(lefts.toSorted((a, b) => a - b));
    const [headline, time] = await page
      .locator('.waybill-headline, .waybill-time')
      .evaluateAll((them) => them.map((one) => one.getBoundingClientRect().left));
    expect(time).toBe(headline);
    await close(page);
  });

  test.each([
    'display: flex',
    'display: flex; flex-direction: column; align-items: center',
    'display: grid; justify-items: center',
    'display: inline-block',
    'float: left',
  ])('a shop may put it into a box with %s', async (style) => {
    for (const width of [320, 800]) {
      const page = await open('lang=en&theme=light&states=in-transit', { viewport: { width, height: 900 } });
      const box = page.locator('.variant');
      const room = await box.evaluate((place) => place.getBoundingClientRect().width);
      await box.evaluate((place, css) => place.setAttribute('style', css), `padding: 0; ${style}`);
      const wide = await page.locator('.waybill').evaluate((card) => card.getBoundingClientRect().width);
      const shrinks = !style.startsWith('display: flex') && !style.startsWith('display: grid');
      expect(wide, `${width}`).toBeGreaterThanOrEqual(shrinks ? 240 : Math.min(room, width) - 40);
      expect(await fits(page)).toBe(true);
      await close(page);
    }
  });

  test('on paper the steps keep their colours, and nothing is there to press', async () => {
    const page = await open('lang=en&theme=light&states=in-transit');
    await page.emulateMedia({ media: 'print' });
    expect(await page.getByRole('button').count()).toBe(0);
    const kept = await page
      .locator('.waybill-node')
      .first()
      .evaluate((node) => getComputedStyle(node).printColorAdjust);
    expect(kept).toBe('exact');
    await close(page);
  });

  test('on paper letters are dark, whatever the theme', async () => {
    for (const theme of ['dark', 'light']) {
      const page = await open(`lang=en&theme=${theme}&states=in-transit`, { colorScheme: 'dark' });
      await page.emulateMedia({ media: 'print' });
      const color = await page.locator('.waybill').evaluate((card) => getComputedStyle(card).color);
      expect(color).toBe('rgb(22, 24, 29)');
      await close(page);
    }
  });

  test('with forced colours the steps can still be told apart', async () => {
    const page = await open('lang=en&theme=light&states=in-transit', { forcedColors: 'active' });
    const borders = await page
      .locator('.waybill-node')
      .evaluateAll((nodes) => nodes.map((node) => getComputedStyle(node).borderTopColor));
    expect(new Set([borders[0], borders[4]]).size).toBe(2);
    await close(page);
  });

  test('nothing moves for who wants no motion', async () => {
    const page = await open('states=loading,live,in-transit');
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
    await close(page);
  });

  test('what is off the screen opens no socket until it is scrolled to', async () => {
    const page = await open('lang=en&theme=light', { viewport: { width: 400, height: 400 } });
    const live = page.locator('#live .waybill');
    expect(await live.getAttribute('data-connection')).toBe('connecting');
    await live.scrollIntoViewIfNeeded();
    await page.locator('#live .waybill[data-connection=live]').waitFor();
    await close(page);
  });
});
