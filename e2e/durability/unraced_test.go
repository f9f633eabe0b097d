//go:build !race

package durability

// raced says that the race detector is on.
const raced = false
