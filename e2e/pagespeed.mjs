// Measures the first paint of pages on a slow phone: node pagespeed.mjs URL…
// The processor is slowed down four times, the network is what Lighthouse calls
// slow 4G; the cache is empty each time. Prints the median of RUNS (5) as a table.
import { chromium } from "playwright-core";

const urls = process.argv.slice(2);
const runs = Number(process.env.RUNS ?? 5);
const slow4G = { offline: false, latency: 150, downloadThroughput: (1.6e6 / 8) * 0.9, uploadThroughput: (750e3 / 8) * 0.9 };

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
});

// Runs in the page, before anything of it.
function observe() {
  globalThis.paint = { fcp: 0, lcp: 0, cls: 0, blocked: 0 };
  const watch = (type, see) => new PerformanceObserver((list) => list.getEntries().forEach(see)).observe({ type, buffered: true });
  watch("paint", ({ name, startTime }) => name === "first-contentful-paint" && (globalThis.paint.fcp = startTime));
  watch("largest-contentful-paint", ({ startTime }) => (globalThis.paint.lcp = startTime));
  watch("layout-shift", ({ value, hadRecentInput }) => hadRecentInput || (globalThis.paint.cls += value));
  watch("longtask", ({ duration }) => (globalThis.paint.blocked += Math.max(0, duration - 50)));
}

async function visit(url) {
  const context = await browser.newContext({ viewport: { width: 412, height: 823 }, deviceScaleFactor: 1.75, isMobile: true, hasTouch: true, locale: "en-IN", timezoneId: "Asia/Kolkata" });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  let bytes = 0;
  let requests = 0;
  devtools.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  devtools.on("Network.requestWillBeSent", ({ request }) => (requests += request.url.startsWith("http") ? 1 : 0));
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", slow4G);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.addInitScript(observe);
  const began = Date.now();
  const answer = await page.goto(url, { waitUntil: "load" });
  if (answer.status() !== 200) throw new Error(`${url}: status ${answer.status()}`);
  await page.locator("[data-connection=live]").first().waitFor();
  const live = Date.now() - began;
  const paint = await page.evaluate(() => new Promise((resolve) => setTimeout(() => resolve(globalThis.paint), 1000))); // shifts come late
  await context.close();
  return { ...paint, live, bytes, requests };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

try {
  const table = [];
  for (const url of urls) {
    const seen = [];
    for (let run = 0; run < runs; run++) seen.push(await visit(url));
    const of = (name) => median(seen.map((one) => one[name]));
    table.push({
      page: new URL(url).pathname.replace(/[a-z0-9]{20,}/, "{id}"),
      "FCP ms": Math.round(of("fcp")),
      "LCP ms": Math.round(of("lcp")),
      CLS: Number(of("cls").toFixed(3)),
      "blocked ms": Math.round(of("blocked")),
      "live ms": of("live"),
      KB: Number((of("bytes") / 1000).toFixed(1)),
      requests: of("requests"),
    });
  }
  console.table(table);
} finally {
  await browser.close();
}
