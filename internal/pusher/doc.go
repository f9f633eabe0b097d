// Package pusher is a Pusher Channels server (protocol 7) as a library: the
// WebSocket side that pusher-js connects to, the signed HTTP API that the server
// SDKs publish through, and the webhooks. It knows nothing about what is published.
//
//	server, err := pusher.New(pusher.Options{App: pusher.App{ID: "1", Key: "key", Secret: "secret"}})
//	...
//	http.Handle("/", server)
//	server.Publish(ctx, []string{"orders"}, "update", data, "")
//	...
//	server.Drain(ctx)
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
//   - Whoever reads elsewhere what is current, after he heard of his success,
//     misses nothing: each event that is published from then on, on whichever
//     node, comes to him or his connection is closed.
//   - A publisher never waits for a watcher. What a watcher has not read yet is
//     kept up to a bound in bytes and in messages; past it the watcher is closed
//     with 4100, on which pusher-js waits a second, connects and subscribes
//     again. Where the link between nodes may have lost an event, those who might
//     have had it are closed with 4200. No event is left out silently from a
//     connection that stays open.
//   - An event is encoded and framed once for a channel and node, however many
//     watch it.
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
//	   │     gap, dismissal               │       or 5 s later
//	   └── socket broke ──────────────────┼─────────────────────────────► gone
//
// Open: one goroutine reads and owns the subscriptions; a writer goroutine lives
// only while there is something to write. The reader may wait for the cluster, for
// five seconds at most, and nobody else waits with it. Sealed: nothing more is
// queued, the reader gives up all subscriptions at once and discards what still
// comes in.
//
// # Channels
//
// The beginning of a name says what a channel is: private-, presence- and
// private-encrypted- take a signature, which an application's own endpoint makes
// with [App.AuthorizeChannel] and its like; cache- after any of these, or alone,
// keeps the last event for those who come later. #server-to-user- and an id is for
// the connections that have signed in as that user. An encrypted channel is a pipe
// to the server: it holds no key.
//
// What is limited is refused with an error that says so, and the connection stays:
// Options has the limits.
//
// # A cluster
//
// The nodes of one service share a [Cluster], which carries messages and counts who
// is where; [NewMemoryCluster] is that of a node that is alone. A node works with
// it like this:
//
//	             nobody here                          Follow
//	channel ── first subscription ──► turning ──► followed ◄── subscriptions
//	               ▲                     │ error      │ last one left,
//	               └─ ServerError 503 ◄──┘            │ 1.5 s ago
//	                                      Unfollow ◄──┘
//
// A channel is followed from before its first watcher here hears of his success.
// All that join meanwhile wait for the same call. A seat in a presence or cache
// channel is pending until the census has said who is there, or what the last
// event was: what is delivered meanwhile is kept and comes after the success.
//
// Seats are counted in the background. Changes are reported together, at most ten
// times a second, and whoever asks for a count has this node's changes reported
// first. A channel that is left is settled three seconds later, so that a page
// that is loaded anew ends nothing: only then do webhooks tell that it was vacated,
// that a member was removed, and watchlists that a user is offline. A visit shorter
// than the time between two reports is told by no webhook. Webhooks of different
// kinds come in no order among each other, and those of two nodes about one channel
// may overtake each other; one node's come in their order.
//
// Members come and go by single atomic steps of the census, which say for whom it
// was the first and the last connection anywhere; the node that took the step tells
// the others. What the nodes tell each other about users takes the ways of
// messages, in channels whose names no client can use: everyone who has signed in
// sits, muted until he subscribes, in the channel of his user, so that his
// occupation is his being online and a message there can end his connections; and
// everyone who watches a user sits in a channel of that name.
//
// When a node dies, its lease runs out and another node tells what ended with it.
// One that was taken for dead and lives puts everything into the census again.
package pusher
