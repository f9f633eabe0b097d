// Package load sends made-up pushes to a server at a rate, or as fast as it
// takes them, and measures what a sender and a watcher would see.
//
// It promises:
//
//   - No two pushes of a plan are alike, and plans of different numbers share no
//     parcel. Bodies have the fields, the history and the size of live ones
//     (1.6 to 2.8 KB, 2.2 on average); each parcel gets several, with a history
//     that grows, and each of them is news.
//   - With a rate, a push has a moment at which it is due, and all latencies
//     count from that moment: a server that falls behind cannot hide it by making
//     the sender wait.
//   - Never are more requests under way than there are connections.
//   - Bodies are laid out beforehand; a push costs the generator a copy, two
//     system calls and little else. It says how much CPU it took all the same.
//
// Files:
//
//	plan.go     which push comes when, and its bytes
//	body.go     a push with holes for what differs
//	conn.go     one connection: a request out, an answer in
//	run.go      the loops, open and closed, and their result
//	watch.go    a Pusher-protocol client that tells when an event came
//	backlog.go  what the server's log holds, and waiting until all is worked off
//	process.go  CPU and memory of processes
package load
