// Drives clients for the tests: node drive.mjs pusher-js|chromium|echo.
// Commands come as JSON lines on standard input, each for the client that it
// names; what happens to a client goes as a JSON line to standard output.
import { createInterface } from "node:readline";

const { open, close } = await import(`./${process.argv[2]}.mjs`);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const clients = new Map();

async function run(id, command, args) {
  if (command === "open") {
    clients.set(id, await open((news) => say({ client: id, ...news }), args));
  } else {
    await clients.get(id)(command, args);
  }
}

// The commands of one client are carried out one after the other.
const queues = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { client, command, ...args } = JSON.parse(line);
  const done = (queues.get(client) ?? Promise.resolve())
    .then(() => run(client, command, args))
    .catch((error) => say({ client, failed: `${command}: ${error?.stack ?? error}` }));
  queues.set(client, done);
}
await close?.();
process.exit(0);
