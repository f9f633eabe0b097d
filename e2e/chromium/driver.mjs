// Opens a page in the system's Chromium. Commands come as JSON lines on standard
// input, answers go as JSON lines to standard output.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
});

const axeSource = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

// Axe cannot judge letters on a gradient: here they stand on its strongest tint alone.
const tinted = `
  .waybill::before { content: none !important }
  .waybill { background: color-mix(in srgb, var(--tone) var(--wash), var(--surface)) !important }
`;

const problems = [];
let page;
let sockets; // those that were opened, and those of them that are still open
let sight;

// Runs in the page, before anything of it: keeps in mind what was taken away, or moved, after it was drawn.
function watchMoves() {
  globalThis.moved = [];
  const watch = new MutationObserver((records) => {
    for (const { removedNodes } of records) globalThis.moved.push(...removedNodes);
  });
  watch.observe(document, { childList: true, subtree: true });
}

const commands = {
  async open({ url, width = 1100, height = 900, dark = false, javaScript = true, language = "en-IN", moves = false }) {
    await page?.context().close();
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? "dark" : "light",
      javaScriptEnabled: javaScript,
      locale: language,
      timezoneId: "Asia/Kolkata",
    });
    page = await context.newPage();
    sockets = { opened: 0, open: 0 };
    page.on("websocket", (socket) => {
      sockets.opened++;
      sockets.open++;
      socket.on("close", () => sockets.open--);
    });
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(String(error)));
    if (moves) await page.addInitScript(watchMoves);
    const response = await page.goto(url);
    return { status: response.status() };
  },
  async text({ selector = "body" }) {
    return { text: (await page.locator(selector).allInnerTexts()).join("\n") };
  },
  async count({ selector }) {
    return { count: await page.locator(selector).count() };
  },
  async waitFor({ selector, timeout = 20_000 }) {
    await page.locator(selector).first().waitFor({ state: "attached", timeout });
    return {};
  },
  async waitForText({ text, frame, timeout = 20_000 }) {
    const where = frame ? page.frameLocator("iframe") : page;
    await where.getByText(text).first().waitFor({ timeout });
    return {};
  },
  async click({ text }) {
    await page.getByRole("link", { name: text }).first().click();
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
  // Looks out for a text from now on; "seen" says when it was drawn.
  async lookOut({ text, frame }) {
    const where = frame ? page.frames()[1] : page.mainFrame();
    await where.evaluate((wanted) => {
      const shown = () => document.body.innerText.includes(wanted) || [...document.querySelectorAll("*")].some((e) => e.shadowRoot?.textContent.includes(wanted));
      if (shown()) throw new Error(`"${wanted}" is there already`);
      globalThis.seen = new Promise((resolve) => {
        const look = () => (shown() ? resolve(Date.now()) : requestAnimationFrame(look));
        look();
      });
    }, text);
    sight = where.evaluate(() => globalThis.seen);
    sight.catch(() => {});
    return {};
  },
  async seen({ timeout = 10_000 }) {
    const late = new Promise((_, reject) => setTimeout(reject, timeout, new Error("it was never seen")).unref());
    return { at: await Promise.race([sight, late]) };
  },
  async sockets() {
    return sockets;
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
  // What axe finds on the page as it is, and what it cannot judge of its colours.
  async axe() {
    await page.evaluate(axeSource);
    const found = await page.evaluate(async (css) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      document.adoptedStyleSheets = [sheet];
      const { violations, incomplete } = await globalThis.axe.run({ resultTypes: ["violations", "incomplete"] });
      document.adoptedStyleSheets = [];
      const unjudged = incomplete.filter(({ id }) => id === "color-contrast");
      return [...violations, ...unjudged].map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join("\n")}`);
    }, tinted);
    return { problems: found };
  },
  // How far the page is wider than the screen.
  async overflow() {
    return { count: await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth) };
  },
  // Whether the tracker still has the elements that the server drew. open has to be told to keep them in mind.
  async kept({ selector }) {
    return { problems: await page.evaluate((wanted) => globalThis.moved.filter((one) => one.matches?.(wanted)).map((one) => one.outerHTML), selector) };
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
