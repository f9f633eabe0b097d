package pusher

// deliver queues the message for everyone in its channel but those it is not for,
// and returns for how many. It waits for no one.
func (h *hub) deliver(m Message) int {
	sh := h.shard(m.Channel)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	ch := sh.channels[m.Channel]
	if ch == nil {
		return 0
	}
	if m.Sequence > 0 {
		return h.deliverInOrder(sh, ch, m)
	}
	return ch.deliver(m)
}

func (ch *channel) deliver(m Message) int {
	if len(ch.seats) == 0 {
		return 0
	}
	if m.Event == eventTerminate {
		ch.terminate()
		return 0
	}
	frame := messageFrame(m)
	n := 0
	for _, s := range ch.seats {
		if s.conn.id != m.Except && s.push(frame, &m) {
			n++
		}
	}
	return n
}

// push queues the frame, and says whether the watcher will get it.
func (s *seat) push(frame []byte, m *Message) bool {
	switch {
	case s.muted:
		return false
	case s.member != nil && m.User == s.member.User && reserved(m.Event):
		return false // he knows that he himself came
	case s.pending == nil:
		return s.conn.push(frame)
	case len(s.pending.frames) >= s.conn.limits.messages:
		s.conn.end(CodeOverCapacity, "too slow: events were waiting", true)
		return false
	}
	s.pending.frames = append(s.pending.frames, frame)
	s.pending.events = s.pending.events || published(m.Event)
	return true
}
