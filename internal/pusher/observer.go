package pusher

// Observer is told what happens, for metrics. It is called from many goroutines
// and on hot paths: it must not block, and not call the Server.
type Observer interface {
	// Opened is called for each watcher that got its connection_established.
	Opened()
	// Refused is called for each watcher that was turned away, with the code.
	Refused(code Code)
	// Closed is called once after each Opened, with the code that ended the
	// connection, whoever sent it; CodeAbnormal when the socket just broke, and
	// CodeNormal for a code that a client made up, so that there are few.
	// CodeOverCapacity here is a watcher that read too slowly.
	Closed(code Code)
	// Published is called for what was published on this node, in process or over
	// HTTP, with the number of messages: one for each channel of an event.
	Published(messages int)
	// ClientEvent is called for each event of a client that was passed on.
	ClientEvent()
	// Delivered is called for each event with watchers here: how many it was
	// queued for.
	Delivered(watchers int)
	// Gap is called when the cluster may have lost events, with the number of
	// watchers that are sent away for it.
	Gap(watchers int)
	// Webhooks is called with the number of events that a target has taken, or that
	// were given up: after all tries, or because too many waited.
	Webhooks(sent, lost int)
}

type deaf struct{}

func (deaf) Opened()           {}
func (deaf) Refused(Code)      {}
func (deaf) Closed(Code)       {}
func (deaf) Published(int)     {}
func (deaf) ClientEvent()      {}
func (deaf) Delivered(int)     {}
func (deaf) Gap(int)           {}
func (deaf) Webhooks(int, int) {}
