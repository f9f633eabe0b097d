// Package durability tries the promise that what was acknowledged is kept, and
// that what is kept is worked off: by killing the program, by watching its
// system calls, and by rebuilding its disk as a power cut would leave it.
//
//	crash         the built binary is killed under load, again and again
//	points        the rooms are killed before and after each of their steps
//	simulation    drawn loads, crashes and workers, compared with a straight fold
//	sync          no 200 leaves before the fsync that covers its row
//	power cut     unsynced writes lost, torn, scattered and reordered
//
// The last two watch files, so they concern SQLite alone; the others run on
// PostgreSQL too. Each says how much was tried and what was lost. What is drawn
// comes from a seed, which is told:
//
//	CRASHES  how often the binary is killed, default 40
//	ROUNDS   how often the rooms are killed at each point, default 2
//	SEEDS    how many simulations, default 4; SEED runs a single one
//	CUTS     how many power cuts, default 300
//
// Under the race detector the defaults are a sixth of that.
package durability
