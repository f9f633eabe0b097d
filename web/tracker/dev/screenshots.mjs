/**
 * Pictures of every state, into tracker/shots: wide and as on a phone of 320 px, light and dark.
 * `node dev/screenshots.mjs [language]`; Chromium is $CHROMIUM or /usr/bin/chromium.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';

const language = process.argv[2] ?? 'en';
const shots = join(import.meta.dirname, '..', 'shots');
mkdirSync(shots, { recursive: true });

const server = await createServer({ configFile: join(import.meta.dirname, '..', 'vite.dev.config.ts') });
await server.listen(0);
const base = server.resolvedUrls.local[0];
const profile = mkdtempSync(join(tmpdir(), 'waybill-shots-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--headless=new',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
  ],
  timezoneId: 'Asia/Kolkata',
});
try {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(error));
  await page.clock.setFixedTime('2026-11-23T09:30:00Z');
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const column of [640, 296]) {
      for (const sheet of ['states', 'milestones']) {
        await page.setViewportSize({ width: 3 * (column + 20), height: 900 });
        await page.goto(`${base}?lang=${language}&column=${column}px&${sheet}`);
        await page.locator('.waybill').first().waitFor();
        await page.waitForTimeout(300);
        const path = join(shots, `${sheet}-${language}-${colorScheme}-${column}.png`);
        await page.screenshot({ path, fullPage: true });
        await page.setViewportSize({ width: 320, height: 900 });
        if (await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)) {
          console.error(`${sheet} scroll sideways at 320 px`);
          process.exitCode = 1;
        }
      }
    }
  }
} finally {
  await browser.close();
  await server.close();
  rmSync(profile, { recursive: true, force: true });
}
