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
