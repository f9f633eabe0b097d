/**
 * Pictures of the gallery, into tracker/shots: for every language and theme all states wide and as on a phone, and
 * some that are looked at most often alone. Chromium is $CHROMIUM or /usr/bin/chromium.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'vite';
import { launch } from '../test/chromium.mjs';

const shots = process.argv[2] ?? join(import.meta.dirname, '../shots');
mkdirSync(shots, { recursive: true });

const alone = [
  'in-transit',
  'slipped',
  'out-for-delivery',
  'failed-attempt',
  'delivered',
  'rto',
  'lost',
  'parcels',
  'list',
];
const widths = { wide: 720, phone: 360 };

const server = await createServer({ configFile: join(import.meta.dirname, '../vite.dev.config.ts') });
await server.listen(0);
const browser = await launch();
try {
  for (const lang of ['en', 'hi']) {
    for (const theme of ['light', 'dark']) {
      for (const [size, width] of Object.entries(widths)) {
        const context = await browser.newContext({
          viewport: { width, height: 900 },
          deviceScaleFactor: 2,
          reducedMotion: 'reduce',
          timezoneId: 'Asia/Kolkata',
        });
        const page = await context.newPage();
        await page.goto(`${server.resolvedUrls.local[0]}?lang=${lang}&theme=${theme}`);
        await page.locator('.waybill').first().waitFor();
        const name = (what) => join(shots, `${what}-${lang}-${theme}-${size}.png`);
        for (const state of alone) await page.locator(`#${state} .variant`).screenshot({ path: name(state) });
        await page.screenshot({ path: name('all'), fullPage: true });
        await context.close();
      }
    }
  }
} finally {
  await browser.close();
  await server.close();
}
