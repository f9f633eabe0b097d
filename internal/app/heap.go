package app

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// heapRoom is how large the heap may grow before garbage is collected, if what
// is in use leaves room below it: collecting is half as dear when it comes half
// as often, and a server may well use that much.
const heapRoom = 112 << 20

// KeepHeapRoom makes the collector wait until the heap has heapRoom bytes, or
// twice what is in use. It holds until the process ends, so it is for main to
// call, and only where GOGC says nothing else.
func KeepHeapRoom() {
	tuneHeap(nil)
}

type collected struct{ _ [16]byte }

// tuneHeap is called after every collection, as the finalizer of an object that
// nobody keeps.
func tuneHeap(*collected) {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	live := max(float64(sample[0].Value.Uint64()), 1<<20)
	percent := int(math.Min(math.Max((heapRoom-live)/live*100, 100), 3000))
	debug.SetGCPercent(percent)
	runtime.SetFinalizer(&collected{}, tuneHeap)
}
