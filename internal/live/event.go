package live

import (
	"encoding/json"
	"fmt"
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

// trackingUpdate is the event for those who watch one order.
type trackingUpdate struct {
	OrderID           string               `json:"orderId"`
	OrderNumber       tracking.Text        `json:"orderNumber"`
	Version           int64                `json:"version"`
	Timestamp         time.Time            `json:"timestamp"`
	ShipmentID        tracking.Text        `json:"shipmentId"`
	Direction         tracking.Text        `json:"direction"`
	AWBCode           tracking.Text        `json:"awbCode"`
	CourierName       tracking.Text        `json:"courierName"`
	CurrentStatus     tracking.Text        `json:"currentStatus"`
	Milestone         tracking.Milestone   `json:"milestone"`
	OrderStatus       tracking.OrderStatus `json:"orderStatus"`
	Location          tracking.Text        `json:"location"`
	Description       tracking.Text        `json:"description"`
	TrackingHistory   []tracking.Entry     `json:"trackingHistory"`
	EstimatedDelivery tracking.Text        `json:"estimatedDelivery"`
	StatusChanged     bool                 `json:"statusChanged"`
}

// shipmentUpdate is the event for operators who watch all orders.
type shipmentUpdate struct {
	Timestamp     time.Time            `json:"timestamp"`
	OrderID       string               `json:"orderId"`
	OrderNumber   tracking.Text        `json:"orderNumber"`
	AWBCode       tracking.Text        `json:"awbCode"`
	CourierName   tracking.Text        `json:"courierName"`
	CurrentStatus tracking.Text        `json:"currentStatus"`
	Milestone     tracking.Milestone   `json:"milestone"`
	OrderStatus   tracking.OrderStatus `json:"orderStatus"`
	Version       int64                `json:"version"`
}

// Message is one event on its way to channels.
type Message struct {
	Channels []string
	Event    string
	Data     []byte // JSON
}

// Channels says who may listen where.
type Channels struct {
	PublicOrders    bool // order-{id} beside private-order-{id}
	PublicShipments bool // shipments beside private-shipments
}

// Messages are the events that tell of an update, published at the given time.
func (c Channels) Messages(u tracking.Update, at time.Time) ([]Message, error) {
	at = at.UTC().Truncate(time.Millisecond)
	order := trackingUpdate{
		OrderID: u.OrderID, OrderNumber: u.OrderNumber, Version: u.Version, Timestamp: at,
		OrderStatus: u.OrderStatus, StatusChanged: u.StatusChanged, TrackingHistory: []tracking.Entry{},
	}
	if s := u.Shipment; s != nil {
		order.ShipmentID, order.Direction = tracking.Text(s.ID), tracking.Text(s.Direction)
		order.AWBCode, order.CourierName = s.AWBCode, s.CourierName
		order.CurrentStatus, order.Milestone, order.EstimatedDelivery = s.CurrentStatus, s.Milestone, s.EstimatedDelivery
		if n := len(s.TrackingHistory); n > 0 {
			order.TrackingHistory = s.TrackingHistory[max(0, n-tracking.HistoryInUpdate):]
			order.Location, order.Description = s.TrackingHistory[n-1].Location, s.TrackingHistory[n-1].Description
		}
	}
	data, err := order.encode()
	if err != nil {
		return nil, err
	}
	operators, err := json.Marshal(shipmentUpdate{
		Timestamp: at, OrderID: u.OrderID, OrderNumber: u.OrderNumber, AWBCode: order.AWBCode, CourierName: order.CourierName,
		CurrentStatus: order.CurrentStatus, Milestone: order.Milestone, OrderStatus: u.OrderStatus, Version: u.Version,
	})
	if err != nil {
		return nil, fmt.Errorf("encode shipment-update: %w", err)
	}
	return []Message{
		{Channels: c.order(u), Event: TrackingUpdate, Data: data},
		{Channels: c.operators(), Event: ShipmentUpdate, Data: operators},
	}, nil
}

// encode cuts the history, oldest first, until the event fits.
func (e *trackingUpdate) encode() ([]byte, error) {
	for {
		data, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("encode tracking-update: %w", err)
		}
		if len(data) < MaxEventBytes || len(e.TrackingHistory) == 0 {
			return data, nil
		}
		// Entries are much alike in size: drop as many as the excess is worth.
		over := (len(data)-MaxEventBytes)*len(e.TrackingHistory)/len(data) + 1
		e.TrackingHistory = e.TrackingHistory[min(over, len(e.TrackingHistory)):]
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
