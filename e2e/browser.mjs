// Opens a page in the system's Chromium. Commands come as JSON lines on standard
// input, answers go as JSON lines to standard output.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
});

const problems = [];
let page;

const commands = {
  async open({ url, width = 1100, height = 900, dark = false, javaScript = true, language = "en-IN" }) {
    await page?.context().close();
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? "dark" : "light",
      javaScriptEnabled: javaScript,
      locale: language,
      timezoneId: "Asia/Kolkata",
    });
    page = await context.newPage();
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(String(error)));
    const response = await page.goto(url);
    return { status: response.status() };
  },
  async text({ selector = "body" }) {
    return { text: await page.locator(selector).first().innerText() };
  },
  async waitForText({ text, timeout = 10_000 }) {
    await page.getByText(text).first().waitFor({ timeout });
    return {};
  },
  // A key such as "Tab"; what begins with "=" is typed.
  async press({ keys }) {
    for (const key of keys) {
      if (key.startsWith("=")) await page.keyboard.type(key.slice(1));
      else await page.keyboard.press(key);
    }
    return {};
  },
  async focused() {
    return { text: await page.evaluate(() => `${document.activeElement.tagName} ${document.activeElement.id}`) };
  },
  async location() {
    return { text: page.url() };
  },
  async resize({ width, height = 900 }) {
    await page.setViewportSize({ width, height });
    return {};
  },
  // The first frame: how high it is, and what is in it.
  async frame() {
    const element = page.locator("iframe").first();
    const inside = await (await element.elementHandle()).contentFrame();
    const content = await inside.evaluate(() => ({
      text: document.body.innerText,
      content: Math.ceil(document.body.getBoundingClientRect().height),
      scrolls: document.documentElement.scrollHeight > document.documentElement.clientHeight,
    }));
    return { ...content, height: (await element.boundingBox()).height };
  },
  // All that a page can leave behind in a browser.
  async traces() {
    const kept = await page.evaluate(async () => [
      ...Object.keys(localStorage).map((key) => `localStorage ${key}`),
      ...Object.keys(sessionStorage).map((key) => `sessionStorage ${key}`),
      ...(await indexedDB.databases()).map(({ name }) => `database ${name}`),
      ...(await caches.keys()).map((name) => `cache ${name}`),
      ...(await navigator.serviceWorker.getRegistrations()).map(({ scope }) => `service worker ${scope}`),
    ]);
    const cookies = await page.context().cookies();
    return { problems: [...kept, ...cookies.map(({ name }) => `cookie ${name}`)] };
  },
  async screenshot({ path, full = false }) {
    await page.screenshot({ path, fullPage: full });
    return {};
  },
  async problems() {
    return { problems: problems.splice(0) };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...args } = JSON.parse(line);
  let answer;
  try {
    answer = await commands[command](args);
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
