// Package e2e tries the built binary the way its users do: over HTTP, with real
// pusher-js, in a real browser, and by killing it.
package e2e
