package bus

import (
	"cmp"
	"slices"

	"github.com/webazaar/waybill/internal/pusher"
)

// sorted puts members in the order of their user ids.
func sorted(members []pusher.Member) []pusher.Member {
	slices.SortFunc(members, func(a, b pusher.Member) int { return cmp.Compare(a.User, b.User) })
	return members
}
