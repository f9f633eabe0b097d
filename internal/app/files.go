package app

// How many files may be open where nobody says, and where there is no limit.
const (
	fewFiles  = 1024
	manyFiles = 1 << 20
)

// reservedFiles are kept from browsers and senders: the database, its
// connections, outgoing calls, and a few.
const reservedFiles = 128

// metricsConnections is plenty for whoever scrapes.
const metricsConnections = 64
