// pusher-js as Node imports it.
import Pusher from "pusher-js";
import "./watcher.js";

export function open(tell) {
  const commands = globalThis.watcher(Pusher, tell);
  return (command, args) => commands[command](args);
}
