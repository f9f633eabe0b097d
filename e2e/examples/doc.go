// Package examples builds and runs the example shops, and a front end that was
// made for Soketi, against the program in Chromium. It promises that a shop that
// follows them has live trackers.
//
// The tests run one after the other: what they measure is not to wait for the
// build of a shop.
package examples
