// Package live tells watchers what changed: it turns updates of belief into
// channel events and publishes them, to our own Pusher server or to another.
//
// It promises: every committed update is published at least once, in the order
// of an order's versions, also when the process ended between commit and
// publish; an event holds no personal data and is always under 10 KB.
package live
