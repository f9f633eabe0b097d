// A watcher made of the real pusher-js. It does what it is told on standard
// input, one JSON object a line, and tells on standard output what happens:
//   node watch.mjs <build> <port> <key> <auth endpoint>
// The build is node (as a server would import it) or worker (the browser's
// transports, on the WebSocket it is given here).
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
const [build, port, key, endpoint] = process.argv.slice(2);

function load() {
  if (build === "node") return require("pusher-js");
  globalThis.self = globalThis;
  globalThis.WebSocket = require("ws");
  globalThis.addEventListener ??= () => {};
  const loaded = require("pusher-js/worker");
  return loaded.default ?? loaded;
}

const tell = (what) => console.log(JSON.stringify(what));

const Pusher = load();
const pusher = new Pusher(key, {
  wsHost: "127.0.0.1",
  wsPort: Number(port),
  forceTLS: false,
  enabledTransports: ["ws"],
  disableStats: true,
  cluster: "",
  channelAuthorization: { endpoint, transport: "ajax" },
});

pusher.connection.bind("state_change", ({ current }) =>
  tell({ state: current, socketId: pusher.connection.socket_id }),
);
pusher.connection.bind("error", (e) => tell({ error: e?.data?.code ?? e?.error?.data?.code ?? null }));
pusher.bind_global((event, data) => {
  if (event.startsWith("pusher:") && !event.startsWith("pusher:subscription_")) return;
  tell({ event, data });
});

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { subscribe, unsubscribe } = JSON.parse(line);
    if (subscribe) {
      pusher.subscribe(subscribe).bind_global((event, data) => tell({ channel: subscribe, event, data }));
    }
    if (unsubscribe) pusher.unsubscribe(unsubscribe);
  })
  .on("close", () => process.exit(0));
