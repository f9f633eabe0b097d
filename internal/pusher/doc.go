// Package pusher is a Pusher Channels server (protocol 7) as a library: the
// WebSocket side that pusher-js connects to, and the signed HTTP API that the
// server SDKs publish through. It knows nothing about what is published.
//
// # What it promises
//
//   - The first frame of an accepted connection is
//     pusher:connection_established. A refused one is upgraded all the same,
//     told why in a pusher:error and closed with the same code, because a
//     browser learns nothing from a refused upgrade and would retry for ever.
//   - On one channel of one connection, subscription_succeeded comes before
//     any event, events come in the order they were published, and none is
//     queued after the unsubscription was read or the connection began to close.
//   - A publisher never waits for a watcher. What a watcher has not read yet is
//     kept up to a bound in bytes and in messages; past it the watcher is closed
//     with 4100, on which pusher-js waits a second, connects and subscribes
//     again. No event is left out silently from a connection that stays open.
//   - An event is encoded and framed once for a channel, however many watch it.
//   - A channel name may be a secret (whoever knows it may watch it), so no log
//     line holds one, nor any event.
//
// # A connection
//
//	          refused (4000-4009, 4100)
//	upgrade ──────────────────────────────┐
//	   │ connection_established           │ pusher:error
//	   ▼                                  ▼
//	 open ── client's close, overflow,  sealed ── last frames written, ──► gone
//	   │     pong missing, drain ──────►  ▲       half-closed; peer gone
//	   │                                  │       or 5 s later
//	   └── socket broke ──────────────────┼─────────────────────────────► gone
//
// Open: one goroutine reads and owns the subscriptions; a writer goroutine lives
// only while there is something to write. Sealed: nothing more is queued, the
// reader gives up all subscriptions at once and discards what still comes in.
//
// # What is served
//
// Public and private channels. Presence, encrypted and cache channels, client
// events and sign-in are answered with an error that says so. Every publish,
// over HTTP or in process, goes through a [Broker]; the one built in serves one
// process.
package pusher
