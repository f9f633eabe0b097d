package access

import (
	"context"
	"slices"
)

// Role is what a token is for.
type Role string

// Roles. An admin may do everything; a viewer reads the log; a shop's server
// registers and reads orders.
const (
	Admin  Role = "admin"
	Viewer Role = "viewer"
	Shop   Role = "shop"
)

// Valid reports whether it is one of the roles.
func (r Role) Valid() bool { return r == Admin || r == Viewer || r == Shop }

// May reports whether the role is one of those allowed. An admin always is.
func (r Role) May(allowed ...Role) bool {
	return r == Admin || slices.Contains(allowed, r)
}

// An Actor is who asks.
type Actor struct {
	TokenID string // "" where it is no token that is kept
	Name    string // the token's, or AdminTokenName or CommandLineName
	Role    Role
}

// Actors that are no kept tokens. No token can have these names.
const (
	AdminTokenName  = "ADMIN_TOKEN"
	CommandLineName = "command line"
)

// CommandLine is who works on the database itself.
func CommandLine() Actor { return Actor{Name: CommandLineName, Role: Admin} }

type contextKey int

const (
	actorKey contextKey = iota
	entryKey
)

// WithActor is ctx of a request that actor makes.
func WithActor(ctx context.Context, actor Actor) context.Context {
	return context.WithValue(ctx, actorKey, actor)
}

// ActorOf is who makes the request of ctx; without one it is nobody, whose role
// may nothing.
func ActorOf(ctx context.Context) Actor {
	actor, _ := ctx.Value(actorKey).(Actor)
	return actor
}
