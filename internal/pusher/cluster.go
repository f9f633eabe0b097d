package pusher

import (
	"context"
	"time"
)

// Cluster is what the nodes of one service share: a bus for messages, and a
// census of who is where. One Cluster value belongs to one Server, and Server
// works with a cluster in no other way. NewMemoryCluster is that of a single
// node; others keep it in something outside.
//
// Every error means that the outside could not be asked in time; nothing here is
// refused for what it says. Calls may come from many goroutines.
type Cluster interface {
	// Open joins the cluster under a name nobody else has. The node's lease is
	// renewed until Close. Called once.
	Open(ctx context.Context, node string, r Receiver) error
	// Close leaves the cluster, with all the node still had in the census, as if
	// the node had died but at once. No method of the Receiver is called after it
	// returns.
	Close() error

	Bus
	Census
}

// Bus carries messages from any node to those that follow their channel.
type Bus interface {
	// Follow has begun when it returns nil: each message published to the channel
	// on any node from then on is passed to Receiver.Deliver once, one publisher's
	// messages in their order, until Unfollow. Calls for one channel do not overlap.
	Follow(ctx context.Context, channel string) error
	// Unfollow ends it, soon; it does not block and cannot fail.
	Unfollow(channel string)
	// Publish has handed all messages on, in their order, when it returns nil. On
	// an error some of them may have been delivered.
	Publish(ctx context.Context, messages []Message) error
}

// Census is what the cluster knows together. Each method is one atomic step. What
// a node put in is taken out again when its lease runs out.
type Census interface {
	// Seats says how many connections of this node sit in each channel now, 0 for
	// none, and returns those channels that nobody in the cluster sat in before
	// (occupied) and those that nobody sits in any more (emptied). A channel counts
	// as occupied until Settle: one that is left and entered again before is
	// returned as emptied and not as occupied.
	Seats(ctx context.Context, seats map[string]int) (occupied, emptied []string, err error)
	// Settle ends the occupation of those of the channels that nobody sits in, and
	// returns them: each to one caller in the cluster, once an occupation.
	Settle(ctx context.Context, channels []string) (vacated []string, err error)
	// Counts returns how many connections of the cluster sit in each channel.
	Counts(ctx context.Context, channels []string) ([]int, error)
	// Channels returns the channels with the prefix that anyone in the cluster sits
	// in, and how many.
	Channels(ctx context.Context, prefix string) (map[string]int, error)

	// Enter adds one connection of the user to a presence channel and returns all
	// members, himself included. First says that he had none there before. Over
	// limit members (0 is none) it returns ErrFull and adds nothing, unless he is
	// there already. Info is kept from his first connection.
	Enter(ctx context.Context, channel string, m Member, limit int) (members []Member, first bool, err error)
	// Exit takes one of the user's connections on this node out. Last says that he
	// has none there any more. Where this node has none of his it changes nothing,
	// and last is false: the server counts on that to put right what it is unsure of.
	Exit(ctx context.Context, channel, user string) (last bool, err error)
	// Members returns who is in each presence channel, by user id.
	Members(ctx context.Context, channel string) ([]Member, error)

	// Remember keeps the message as its channel's last event for so long.
	Remember(ctx context.Context, m Message, ttl time.Duration) error
	// Recall returns the channel's last event and how long it is still kept; ok
	// says whether there is one.
	Recall(ctx context.Context, channel string) (m Message, ttl time.Duration, ok bool, err error)
}

// Message is one event on its way to the watchers of one channel. A cluster carries
// all of it. Nobody writes to Data after the message was handed over.
type Message struct {
	Channel string
	Event   string
	Data    []byte // sent as a JSON string, whatever it holds
	Except  string // socket id of the one watcher that is left out, on whichever node it is; or empty

	// Sequence is the place of the message among those of its channel, from 1, which
	// the publisher counts; 0 is none. Where several publishers send to one channel,
	// a node that is handed a message early holds it for up to 100 ms until those
	// between have come, so that watchers see them in order.
	Sequence int64
	// User is whom the message comes from or is about: the sender of a client event
	// in a presence channel, or the member that came or went. A publisher leaves it
	// empty.
	User string
}

// Member is a user in a presence channel.
type Member struct {
	User string
	Info []byte // JSON, or nil
}

// Receiver is the Server, as its Cluster calls it. No call blocks but Departed, of a
// server that is being closed.
type Receiver interface {
	// Deliver passes a message to this node's watchers.
	Deliver(Message)
	// Gap says that messages for the followed channels may have been lost: the link
	// was down. It is called when the link is up and all channels are followed
	// again.
	Gap()
	// Forgotten says that this node's lease ran out though it lives: the census
	// holds nothing of it any more, and the node must put everything in again.
	Forgotten()
	// Departed says what ended because another node's lease ran out. It is called
	// on one node of the cluster. While that is being closed the call publishes what
	// the others have to know, and waits until it has.
	Departed(Departure)
}

// Departure is what a node that died leaves behind.
type Departure struct {
	// Emptied are channels that nobody sits in any more and that are not settled, those
	// too that were empty before: the node may have been about to. See Census.Settle.
	Emptied []string
	// Members are who is gone from which presence channel.
	Members map[string][]Member
}
