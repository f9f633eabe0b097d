// Package app builds Waybill from its rooms, starts it and stops it.
//
// It promises that a process which says it is ready answers, and that one told
// to stop finishes what it has begun: requests first, then the work behind
// them, then the watchers, the database last.
package app
