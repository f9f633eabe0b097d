// laravel-echo on pusher-js, in Node.
import Echo from "laravel-echo";
import Pusher from "pusher-js";

export function open(tell) {
  let echo;
  const about = (channel, event) => (data) => tell({ channel, event, data: data ?? null });
  const common = (on, channel) => on.subscribed(about(channel, "subscribed")).error(about(channel, "error"));
  const commands = {
    connect({ key, port, endpoint, user, namespace }) {
      const params = { user };
      echo = new Echo({
        broadcaster: "pusher",
        Pusher,
        key,
        cluster: "",
        wsHost: "127.0.0.1",
        wsPort: port,
        forceTLS: false,
        enabledTransports: ["ws", "wss"],
        namespace,
        channelAuthorization: { endpoint: `${endpoint}/auth`, transport: "ajax", params },
        userAuthentication: { endpoint: `${endpoint}/user-auth`, transport: "ajax", params },
      });
      echo.connector.pusher.connection.bind("connected", () => tell({ state: "connected", socketId: echo.socketId() }));
    },
    channel({ channel, events = [] }) {
      const on = common(echo.channel(channel), channel);
      for (const event of events) on.listen(event, about(channel, event));
    },
    private({ channel, events = [], whispers = [], encrypted = false }) {
      const on = common(encrypted ? echo.encryptedPrivate(channel) : echo.private(channel), channel);
      for (const event of events) on.listen(event, about(channel, event));
      for (const whisper of whispers) on.listenForWhisper(whisper, about(channel, `whisper ${whisper}`));
      on.notification(about(channel, "notification"));
    },
    join({ channel, whispers = [] }) {
      const on = common(echo.join(channel), channel)
        .here(about(channel, "here"))
        .joining(about(channel, "joining"))
        .leaving(about(channel, "leaving"));
      for (const whisper of whispers) on.listenForWhisper(whisper, about(channel, `whisper ${whisper}`));
    },
    whisper({ channel, presence = false, event, data }) {
      (presence ? echo.join(channel) : echo.private(channel)).whisper(event, data);
    },
    leave({ channel }) {
      echo.leave(channel);
    },
    leaveChannel({ channel }) {
      echo.leaveChannel(channel);
    },
    disconnect() {
      echo.disconnect();
    },
  };
  return (command, args) => commands[command](args);
}
