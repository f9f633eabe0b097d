// Package access says who may ask for what. It promises that nothing
// configured means nobody: without a token every guarded call is closed.
package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
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

// Guard knows the tokens.
type Guard struct {
	tokens []token
}

type token struct {
	hash [sha256.Size]byte
	role Role
}

// NewGuard makes a Guard that knows one admin token; "" is none.
func NewGuard(adminToken string) *Guard {
	g := &Guard{}
	if adminToken != "" {
		g.tokens = append(g.tokens, token{hash: sha256.Sum256([]byte(adminToken)), role: Admin})
	}
	return g
}

// Role is that of the request's bearer token; ok is false when there is none
// or it is not known. Tokens are compared in constant time over their hashes.
func (g *Guard) Role(r *http.Request) (role Role, ok bool) {
	scheme, sent, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	hash := sha256.Sum256([]byte(strings.TrimSpace(sent)))
	for _, t := range g.tokens {
		if subtle.ConstantTimeCompare(hash[:], t.hash[:]) == 1 {
			role, ok = t.role, true
		}
	}
	return role, ok
}

// May reports whether the role is one of those allowed. An admin always is.
func (r Role) May(allowed ...Role) bool {
	if r == Admin {
		return true
	}
	for _, a := range allowed {
		if r == a {
			return true
		}
	}
	return false
}
