// Just enough of a Pusher server on plain ws: the handshake, ping, subscribe,
// and an HTTP POST that publishes. What it leaves out stands in ../README.md.
import { randomInt } from "node:crypto";
import http from "node:http";
import { WebSocketServer } from "ws";

const { PORT, HOST = "127.0.0.1", APP_ID, APP_KEY } = process.env;

const channels = new Map(); // name → set of sockets

function subscribe(socket, name) {
  if (!channels.has(name)) {
    channels.set(name, new Set());
  }
  channels.get(name).add(socket);
  socket.channels.add(name);
  socket.send(JSON.stringify({ event: "pusher_internal:subscription_succeeded", channel: name, data: "{}" }));
}

function unsubscribe(socket, name) {
  const watchers = channels.get(name);
  watchers?.delete(socket);
  if (watchers?.size === 0) {
    channels.delete(name);
  }
  socket.channels.delete(name);
}

function publish(name, names, data) {
  for (const channel of names) {
    const message = JSON.stringify({ event: name, channel, data });
    for (const socket of channels.get(channel) ?? []) {
      socket.send(message);
    }
  }
}

const server = http.createServer((req, res) => {
  if (req.url === "/readyz") {
    return res.end("ok");
  }
  const [path] = req.url.split("?");
  if (req.method !== "POST" || (path !== `/apps/${APP_ID}/events` && path !== `/apps/${APP_ID}/batch_events`)) {
    res.statusCode = 404;
    return res.end();
  }
  const chunks = [];
  req.on("data", (chunk) => chunks.push(chunk));
  req.on("end", () => {
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    for (const { name, channels, channel, data } of body.batch ?? [body]) {
      publish(name, channels ?? [channel], data);
    }
    res.setHeader("Content-Type", "application/json");
    res.end("{}");
  });
});

const wss = new WebSocketServer({ noServer: true });

server.on("upgrade", (req, socket, head) => {
  if (!req.url.startsWith(`/app/${APP_KEY}`)) {
    return socket.destroy();
  }
  wss.handleUpgrade(req, socket, head, (ws) => wss.emit("connection", ws));
});

wss.on("connection", (socket) => {
  socket.channels = new Set();
  socket.on("error", () => {});
  socket.on("message", (raw) => {
    const { event, data } = JSON.parse(raw);
    switch (event) {
      case "pusher:ping":
        return socket.send(JSON.stringify({ event: "pusher:pong", data: {} }));
      case "pusher:subscribe":
        return subscribe(socket, data.channel);
      case "pusher:unsubscribe":
        return unsubscribe(socket, data.channel);
    }
  });
  socket.on("close", () => {
    for (const name of [...socket.channels]) {
      unsubscribe(socket, name);
    }
  });
  const socket_id = `${randomInt(2 ** 32)}.${randomInt(2 ** 32)}`;
  socket.send(JSON.stringify({ event: "pusher:connection_established", data: JSON.stringify({ socket_id, activity_timeout: 120 }) }));
});

process.on("SIGTERM", () => {
  for (const socket of wss.clients) {
    socket.close(4200, "server is shutting down");
  }
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});

// For the bench alone: memory is measured after a collection too.
process.on("SIGUSR2", () => {
  globalThis.gc();
  console.log("collected");
});

server.listen(Number(PORT), HOST, 4096);
