// A shop's server on the official SDK for Node: what it is asked to do over HTTP
// it does with the SDK, which is all that is tried here. It ends with its
// standard input.
import { createServer } from "node:http";
import Pusher from "pusher";

const pusher = new Pusher({ ...JSON.parse(process.argv[2]), host: "127.0.0.1", useTLS: false });
const webhooks = [];
let forged = 0;

const read = async (promise) => (await promise).json();
const get = (path, params) => read(pusher.get({ path, params: Object.fromEntries(Object.entries(params).filter(([, value]) => value)) }));
const calls = {
  trigger: ({ channels, event, data, except, info }) => read(pusher.trigger(channels, event, data, { socket_id: except, info })),
  batch: (events) => read(pusher.triggerBatch(events)),
  send: ({ user, event, data }) => read(pusher.sendToUser(user, event, data)),
  channels: ({ prefix, info }) => get("/channels", { filter_by_prefix: prefix, info }),
  channel: ({ channel, info }) => get(`/channels/${channel}`, { info }),
  users: ({ channel }) => get(`/channels/${channel}/users`, {}),
  terminate: ({ user }) => read(pusher.terminateUserConnections(user)),
  webhooks: () => ({ events: webhooks, forged }),
};

function authorize({ socket_id, channel_name, user }) {
  const member = channel_name.startsWith("presence-") ? { user_id: user, user_info: { name: user } } : undefined;
  return pusher.authorizeChannel(socket_id, channel_name, member);
}

async function answer(path, headers, rawBody) {
  switch (path) {
    case "auth":
      return authorize(Object.fromEntries(new URLSearchParams(rawBody)));
    case "user-auth": {
      const { socket_id, user } = Object.fromEntries(new URLSearchParams(rawBody));
      return pusher.authenticateUser(socket_id, { id: user });
    }
    case "webhook": {
      const webhook = pusher.webhook({ headers, rawBody });
      if (webhook.isValid()) webhooks.push(...webhook.getEvents());
      else forged++;
      return {};
    }
    default:
      return calls[path](JSON.parse(rawBody));
  }
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  try {
    response.end(JSON.stringify(await answer(request.url.slice(1), request.headers, body)));
  } catch (error) {
    response.statusCode = 502;
    response.end(JSON.stringify({ error: `${error} ${error.status ?? ""} ${error.body ?? ""}` }));
  }
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
