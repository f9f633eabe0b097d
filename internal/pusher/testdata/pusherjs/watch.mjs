// A watcher made of the real pusher-js. It does what it is told on standard
// input, one JSON object a line, and tells on standard output what happens:
//   node watch.mjs <build> <port> <key> <auth endpoint> [user]
// The build is node (as a server would import it), worker (the browser's
// transports, on the WebSocket it is given here) or encrypted (the same, with
// encryption). The endpoint is told the user, who is trusted to be who he says.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
const [build, port, key, endpoint, user] = process.argv.slice(2);

function load() {
  if (build === "node") return require("pusher-js");
  globalThis.self = globalThis;
  globalThis.WebSocket = require("ws");
  globalThis.addEventListener ??= () => {};
  const loaded = require(build === "encrypted" ? "pusher-js/worker/with-encryption" : "pusher-js/worker");
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
  channelAuthorization: { endpoint, transport: "ajax", params: { user } },
  userAuthentication: { endpoint: `${endpoint}/user`, transport: "ajax", params: { user } },
});

pusher.connection.bind("state_change", ({ current }) =>
  tell({ state: current, socketId: pusher.connection.socket_id }),
);
pusher.connection.bind("error", (e) => tell({ error: e?.data?.code ?? e?.error?.data?.code ?? null }));
pusher.bind_global((event, data) => {
  if (event.startsWith("pusher:") && !event.startsWith("pusher:subscription_")) return;
  tell({ event, data });
});

// What happens to the user is told as on a channel of that name.
const about = (channel) => (event, data) => tell({ channel, event, data });
pusher.user.bind_global(about("user"));
pusher.user.watchlist.bind_global(about("watchlist"));

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { subscribe, unsubscribe, trigger, signin } = JSON.parse(line);
    if (subscribe) {
      const channel = pusher.subscribe(subscribe);
      channel.bind_global(about(subscribe));
      // Only handlers of an event by its name are told who it is from.
      channel.bind("client-hello", (_, metadata) =>
        tell({ channel: subscribe, event: "from", data: metadata?.user_id }),
      );
    }
    if (trigger) pusher.channel(trigger).trigger("client-hello", { from: user });
    if (signin) pusher.signin();
    if (unsubscribe) pusher.unsubscribe(unsubscribe);
  })
  .on("close", () => process.exit(0));
