// Makes the pictures of the README from a running demo: node pictures.mjs
// BINARY FOLDER. What they show is what the demo shows; nothing is staged.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [binary, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

const demo = spawn(binary, ["demo", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
const pages = new Map();
const first = new Promise((resolve) => {
  createInterface({ input: demo.stdout }).on("line", (line) => {
    const [, title, url] = /^ {2}(.+?)\s+(http:\S+\/track\/\S+)$/.exec(line) ?? [];
    if (url) pages.set(title, url);
    if (pages.size >= 12) resolve();
  });
});
await first;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
});

async function picture(name, title, { width = 1000, height = 900, dark = false, language = "en-IN", says } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    deviceScaleFactor: 2,
    colorScheme: dark ? "dark" : "light",
    locale: language,
    timezoneId: "Asia/Kolkata",
    reducedMotion: "reduce", // nothing is half way in a picture
  });
  const page = await context.newPage();
  await page.goto(pages.get(title));
  await page.locator("[data-connection=live]").first().waitFor();
  if (says) await page.getByRole("heading", { name: says }).waitFor({ timeout: 240_000 });
  await page.screenshot({ path: `${folder}/${name}.png` });
  await context.close();
  console.log(`${folder}/${name}.png`);
}

try {
  await picture("tracking", "delivered at the third attempt", { says: "could not deliver" });
  await picture("tracking-dark", "nobody paid: turned round, back at the seller", { dark: true });
  await picture("tracking-phone", "delivered at the first attempt", { width: 390, height: 844 });
  await picture("tracking-hindi", "delivered at the first attempt", { width: 390, height: 844, language: "hi-IN" });
} finally {
  await browser.close();
  demo.kill("SIGINT");
}
