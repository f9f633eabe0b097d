// Watches a channel with unmodified pusher-js, set up the way front ends for
// Soketi are: NEXT_PUBLIC_SOKETI_KEY, _HOST, _PORT. Prints one JSON line for
// each thing that happens.
import Pusher from "pusher-js";

const [channelName] = process.argv.slice(2);
const env = process.env;
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const pusher = new Pusher(env.NEXT_PUBLIC_SOKETI_KEY, {
  wsHost: env.NEXT_PUBLIC_SOKETI_HOST,
  wsPort: Number(env.NEXT_PUBLIC_SOKETI_PORT),
  wssPort: Number(env.NEXT_PUBLIC_SOKETI_PORT),
  forceTLS: false,
  enabledTransports: ["ws", "wss"],
  cluster: "",
  disableStats: true,
});
pusher.connection.bind("state_change", ({ current }) => say({ state: current }));
pusher.connection.bind("error", (error) => say({ error }));
const channel = pusher.subscribe(channelName);
channel.bind("pusher:subscription_succeeded", () => say({ subscribed: channelName }));
channel.bind("pusher:subscription_error", (error) => say({ refused: error }));
channel.bind_global((event, data) => {
  if (!event.startsWith("pusher:")) say({ event, data });
});
process.stdin.on("end", () => process.exit(0)).resume();
