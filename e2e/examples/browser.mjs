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
let sockets; // those that were opened, and those of them that are still open
let sight;

const commands = {
  async open({ url, width = 1100, height = 900, javaScript = true }) {
    await page?.context().close();
    const context = await browser.newContext({
      viewport: { width, height },
      javaScriptEnabled: javaScript,
      locale: "en-IN",
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
    return { status: (await page.goto(url)).status() };
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
  // How far the page is wider than the screen.
  async overflow() {
    return { count: await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth) };
  },
  // The first frame: how high it is, and how high what is in it.
  async frame() {
    const content = await page.frames()[1].evaluate(() => Math.ceil(document.body.getBoundingClientRect().height));
    return { height: (await page.locator("iframe").first().boundingBox()).height, content };
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
