package live

import (
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// Names of events and channels. Existing front ends rely on them.
const (
	TrackingUpdate          = "tracking-update"
	ShipmentUpdate          = "shipment-update"
	ShipmentsChannel        = "shipments"
	PrivateShipmentsChannel = "private-shipments"
)

// OrderChannel is the public channel of an order's watchers.
func OrderChannel(orderID string) string { return "order-" + orderID }

// PrivateOrderChannel is the guarded channel of an order's watchers.
func PrivateOrderChannel(orderID string) string { return "private-order-" + orderID }

// MaxEventBytes is what a hosted Pusher takes; larger events are cut by
// history, never refused.
const MaxEventBytes = 10_000

// Message is one event on its way to channels.
type Message struct {
	Channels []string
	Event    string
	Data     []byte // JSON
	// Version is the order's where the channels are one order's own: there the
	// next event has the next version. 0 on channels that orders share.
	Version int64
}

// Channels says who may listen where.
type Channels struct {
	PublicOrders    bool // order-{id} beside private-order-{id}
	PublicShipments bool // shipments beside private-shipments
}

// Messages are the events that tell of an update, published at the given time.
func (c Channels) Messages(u tracking.Update, at time.Time) []Message {
	at = at.UTC().Truncate(time.Millisecond)
	return []Message{
		{Channels: c.order(u), Event: TrackingUpdate, Data: trackingUpdate(&u, at), Version: u.Version},
		{Channels: c.operators(), Event: ShipmentUpdate, Data: shipmentUpdate(&u, at)},
	}
}

// order lists the channels of an order's watchers, under every id they may
// know it by.
func (c Channels) order(u tracking.Update) []string {
	var channels []string
	for _, id := range append([]string{u.OrderID}, u.Aliases...) {
		if c.PublicOrders {
			channels = append(channels, OrderChannel(id))
		}
		channels = append(channels, PrivateOrderChannel(id))
	}
	return channels
}

func (c Channels) operators() []string {
	if c.PublicShipments {
		return []string{ShipmentsChannel, PrivateShipmentsChannel}
	}
	return []string{PrivateShipmentsChannel}
}
