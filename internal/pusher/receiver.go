package pusher

// receiver is the Server as its Cluster calls it, so that none of this is a method
// that an application could call.
type receiver struct{ server *Server }

var _ Receiver = receiver{}

func (r receiver) Deliver(m Message) {
	if n := r.server.hub.deliver(m); n > 0 {
		r.server.opts.Observer.Delivered(n)
	}
}

func (r receiver) Gap()               {}
func (r receiver) Forgotten()         {}
func (r receiver) Departed(Departure) {}
