// Package store keeps everything that must outlive the process: the log of
// webhooks, the orders with their evidence, and the effects still to be carried
// out. It decides nothing about parcels; tracking does.
//
// It promises:
//
//   - What Append has answered is on disk: one transaction that was synced for
//     all who waited for it.
//   - An exported method is one transaction; it leaves all of its work or none.
//   - A webhook is applied with its scans, its order's new belief, the effects
//     that follow and its own mark in the log, or it leaves no trace.
//   - Errors that a caller may act on are *tracking.Error with a code:
//     Unavailable (come again), NotFound, Invalid, Conflict. Anything else is
//     internal.
//
// The SQL is written once for two databases; what differs is in dialect. On
// SQLite there is one writer, and whoever writes waits for his turn:
//
//	Append ─► queue ─► committer ───────────────────┐ first, two groups at most
//	                                                ├─► turn ─► BEGIN … COMMIT (fsync)
//	Fail, mark, DeleteEffects, … ───────────────────┤ in the order of their coming
//	Apply, Register, … ─► load, decide, encode ─────┘
//	                      (one at a time, on top of what is being written)
//
// Readers have connections of their own and see what was committed last.
//
// On PostgreSQL several processes write at the same time. Append still groups
// what waits in its process. A transaction that decides about orders first
// locks the names it was given, known or not, in one order, then the orders it
// finds under them, and reads only then; if one of those was merged away while
// it waited, it begins anew:
//
//	Apply, Register, … ─► BEGIN ─► lock names ─► find ─► lock orders ─► load, decide, save ─► COMMIT
package store
