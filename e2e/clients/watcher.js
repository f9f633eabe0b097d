// A client made of pusher-js, the same in Node and in a page: its commands, by
// name. What happens to it is told. It has no imports, as a page takes it as it is.
globalThis.watcher = (Pusher, report) => {
  let pusher;
  const tell = (news) => report({ at: performance.now(), ...news });
  const about = (channel) => (event, data) => tell({ channel, event, data });
  return {
    // The endpoint is told the user, who is trusted to be who he says.
    connect({ key, port, tlsPort, wsPath, endpoint, user, options }) {
      const params = { user };
      pusher = new Pusher(key, {
        wsHost: "127.0.0.1",
        wsPort: port,
        wssPort: tlsPort,
        wsPath,
        forceTLS: false,
        enabledTransports: ["ws", "wss"],
        cluster: "",
        channelAuthorization: { endpoint: `${endpoint}/auth`, transport: "ajax", params },
        userAuthentication: { endpoint: `${endpoint}/user-auth`, transport: "ajax", params },
        ...options,
      });
      const connection = pusher.connection;
      connection.bind("state_change", ({ current }) => tell({ state: current, socketId: connection.socket_id }));
      connection.bind("error", (e) => tell({ error: e?.data?.code ?? e?.error?.data?.code ?? 0 }));
      connection.bind("message", ({ event }) => {
        if (event === "pusher:ping" || event === "pusher:pong") tell({ liveness: event });
      });
      pusher.bind("pusher:signin_success", () => tell({ signedIn: user }));
      pusher.user.bind_global(about("user"));
      pusher.user.watchlist.bind_global(about("watchlist"));
    },
    subscribe({ channel }) {
      const it = pusher.subscribe(channel);
      it.bind_global(about(channel));
      // Only handlers of an event by its name are told who it is from.
      it.bind("client-hello", (_, metadata) => tell({ channel, event: "from", data: metadata?.user_id ?? null }));
    },
    unsubscribe({ channel }) {
      pusher.unsubscribe(channel);
    },
    trigger({ channel, event, data }) {
      pusher.channel(channel).trigger(event, data);
    },
    signin() {
      pusher.signin();
    },
    // The clock now.
    mark() {
      tell({ marked: true });
    },
    disconnect() {
      pusher.disconnect();
    },
  };
};
