// Package e2e tries the built binary the way its users do: over HTTP, with real
// pusher-js and in a real browser. That it keeps what it acknowledged is shown in
// the package durability.
package e2e
