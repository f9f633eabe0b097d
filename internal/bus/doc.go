// Package bus is what several processes of one service share: the pusher.Cluster
// of [Redis], and that of [Postgres] for those who have no Redis and few events.
//
// # What it promises
//
//   - A message that was published after Follow returned is delivered, unless the
//     link broke in between; then Gap is called when all channels are followed
//     again. Neither way keeps messages: what is published while a link is down
//     is not told afterwards.
//   - A call ends within two seconds, with an error if the outside did not answer.
//     Nothing is tried again behind the caller's back: an error of Publish may
//     stand for messages that were delivered.
//   - A step of the census is a script in Redis, a transaction in PostgreSQL. When
//     its answer is lost it may have been done: Seats says how many there are and
//     can be repeated; Enter and Exit count, and cannot.
//   - No log line and no error holds a channel's name, or a password.
//
// # A node's lease
//
// Time is the outside's own. A node renews three times a lease. Until it is
// reaped a lease that has run out can be renewed as if nothing had been.
//
//	         renewed               another node: reap ─► Departed there, once
//	        ┌───────┐             ┌──────────────────────────────┐
//	join ─► held ───┴─ runs out ──┴─► still there                ▼
//	  ▲      └── Close ─► given up ──────── reap at once ──────► gone
//	  └───────── Forgotten, under a new id ── noticed by itself ─┘
//
// After an outage all leases have run out, and those who are back first must not
// bury the others: a node reaps only after it has held its own lease without a
// break for the length of one. A lease that was given up needs no such patience.
//
// While a node finds out that it was forgotten, no step of the census is under
// way: a member that Enter returned before Forgotten is called is to be put in
// again, one that it returns afterwards is not.
package bus
