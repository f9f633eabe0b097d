// Package access says who may ask for what, and how what was asked is kept for
// the record. It promises:
//
//   - Nothing configured means nobody: without a token every guarded call is
//     closed, and so it is while tokens cannot be looked up.
//   - A token that was revoked or has expired opens nothing: at once where it
//     was revoked by this process, within a few seconds where by another.
//   - Of a token only its SHA-256 is known here; hashes are compared in
//     constant time.
//
// What tokens and the audit are kept in is the caller's: a Tokens.
package access
