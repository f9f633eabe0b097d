// Package tracking is Waybill's language: what a courier says about a parcel,
// and what we believe because of it. It knows no database, no HTTP and no
// carrier; it imports the standard library only.
//
// Evidence goes in, belief comes out:
//
//	Reading ─┐                       ┌─ Shipment ── Leg
//	         ├─ Order.Add ── Believe ┤      └────── Entry (timeline)
//	Scan ────┘   (a set)     (pure)  └─ order status, Snapshot, Update
//
// An Order keeps evidence as a set: adding is commutative, associative and
// idempotent. Believe derives everything else from the whole set, each time.
// Dated evidence that comes in any order, any number of times and split in any
// way over batches or workers therefore ends in the same belief; evidence
// without a time does so for the same times of receipt.
package tracking
