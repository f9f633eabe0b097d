// pusher-js in Chromium, a tab for each client. The tab stands on the site of the
// auth endpoint, as a shop's would.
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
});
// One for all tabs; the certificates are those of a test.
const context = await browser.newContext({ ignoreHTTPSErrors: true });

export async function open(tell, { site, encryption }) {
  const page = await context.newPage();
  await page.exposeFunction("tell", tell);
  page.on("pageerror", (error) => tell({ failed: String(error) }));
  await page.goto(`${site}/page`);
  await page.addScriptTag({ path: file(`node_modules/pusher-js/dist/web/pusher${encryption ? "-with-encryption" : ""}.min.js`) });
  await page.addScriptTag({ path: file("watcher.js") });
  await page.evaluate(() => {
    globalThis.commands = globalThis.watcher(globalThis.Pusher, globalThis.tell);
  });
  return (command, args) =>
    command === "close" ? page.close() : page.evaluate(([name, given]) => globalThis.commands[name](given), [command, args]);
}

export const close = () => browser.close();
