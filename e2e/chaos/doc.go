// Package chaos takes away, in turn and under load, everything a service of
// several replicas stands on, and looks whether every watcher ends with the right
// state all the same. `go test -v` prints what it came to; `make chaos` goes on
// for hundreds of rounds, with CHAOS_ONLY=PostgreSQL of the faults whose names
// hold that word.
package chaos
