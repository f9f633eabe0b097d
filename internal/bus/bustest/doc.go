// Package bustest holds every implementation of pusher.Cluster to what the
// interface says, sentence by sentence, and has what that takes: a receiver that
// remembers, and a cable that can be cut.
package bustest
