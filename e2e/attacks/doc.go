// Package attacks tries what strangers, senders gone wrong and the machine
// itself can do to a running server, while Shiprocket goes on pushing. Each
// attack is a test against the built binary, and says how often it was tried,
// what was answered, how many acknowledged pushes were lost (none), and how long
// pushes took to be acknowledged meanwhile. With -v the lines are printed as
// one table at the end.
//
// ATTACKS=full takes the time that real outages take.
package attacks
