// Package shiprocket is everything Waybill knows about Shiprocket: how a push
// proves its sender, what its body says, what the status words and numbers of
// Shiprocket's two tables mean, and which URLs its panel takes.
//
// A push goes through three doors, each usable alone:
//
//	headers, body ── Verifier.Verify ── how the sender was proved, or a Refusal
//	body ─────────── ReadHead ───────── event id and search fields (microseconds)
//	body ─────────── Interpret ──────── Push: tracking.Evidence and findings
//
// ReadHead and Interpret are pure. They read whatever JSON comes: a field of
// an odd type costs that field, a scan that cannot be read costs that scan,
// and each such loss is a counted Fault. Only a body that is not a JSON
// object, or is nested beyond reason, is an error. Time is linear in the
// body (scans are also sorted), and nothing they return is larger than its
// stated cap. They agree: what ReadHead says of a body's identity, status
// word and being a ping, Interpret says too.
//
// Texts in the evidence are valid UTF-8 without control characters, but they
// are the courier's own: they may name people and hold phone numbers, and are
// to be scrubbed (tracking.Scrub) before anyone but staff sees them.
package shiprocket
