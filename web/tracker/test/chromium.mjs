/** The system's Chromium, as scripts/chromium finds it; null where there is none, which CI does not put up with. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Whether there is a browser to test in. Throws in CI when there is not. */
export function hasChromium() {
  if (existsSync(executablePath)) return true;
  if (process.env.CI) throw new Error('Chromium is missing: run scripts/chromium');
  return false;
}

export function launch() {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}
