/**
 * The public language of tracking, as Waybill's HTTP answers and live events spell it.
 * Times are RFC 3339 in UTC; `estimatedDelivery` is always a day in India (YYYY-MM-DD).
 */

/** The canonical statuses of a parcel, in the order of its journey. */
export type Milestone =
  | 'created'
  | 'pickup_scheduled'
  | 'pickup_problem'
  | 'cancellation_requested'
  | 'picked_up'
  | 'in_transit'
  | 'in_transit_problem'
  | 'reached_destination'
  | 'out_for_delivery'
  | 'delivery_failed'
  | 'on_hold'
  | 'partially_delivered'
  | 'delivered'
  | 'rto_initiated'
  | 'rto_in_transit'
  | 'rto_out_for_delivery'
  | 'rto_delivery_failed'
  | 'rto_delivered'
  | 'lost'
  | 'damaged'
  | 'disposed'
  | 'cancelled'
  | 'return_created'
  | 'return_pickup'
  | 'return_picked_up'
  | 'return_in_transit'
  | 'return_delivered'
  | 'return_cancelled'
  | 'other';

export type Direction = 'forward' | 'return';
export type OrderStatus = 'processing' | 'shipped' | 'delivered' | 'cancelled';

/** One line of a parcel's history. `milestone` is null for a scan that only informs. */
export interface Entry {
  status: string;
  milestone: Milestone | null;
  timestamp: string;
  location: string | null;
  description: string | null;
  scanType: 'scan' | 'status';
}

/** One AWB's part of a shipment. */
export interface Leg {
  awbCode: string | null;
  kind: 'forward' | 'rto' | 'replaced' | 'return';
  courierName: string | null;
}

/** One parcel journey of an order. `trackingHistory` is oldest first. */
export interface Shipment {
  id: string;
  direction: Direction;
  awbCode: string | null;
  courierName: string | null;
  milestone: Milestone | null;
  currentStatus: string | null;
  estimatedDelivery: string | null;
  firstEstimatedDelivery: string | null;
  deliveredAt: string | null;
  deliveryAttempts: number;
  undeliveredReason: string | null;
  corrected: boolean;
  legs: Leg[];
  trackingHistory: Entry[];
}

/** What `GET /api/track/{orderId}` answers in `data`: the parts of it that we read. */
export interface Snapshot {
  orderId: string;
  orderNumber: string | null;
  version: number;
  orderStatus: OrderStatus | null;
  updatedAt: string | null;
  shipments: Shipment[];
}

/** The event `tracking-update`: one shipment, with the newest 20 lines of its history. */
export interface TrackingUpdate {
  orderId: string;
  orderNumber: string | null;
  version: number;
  /** When it was published. */
  timestamp: string;
  shipmentId: string;
  direction: Direction;
  awbCode: string | null;
  courierName: string | null;
  currentStatus: string | null;
  milestone: Milestone | null;
  orderStatus: OrderStatus | null;
  location: string | null;
  description: string | null;
  trackingHistory: Entry[];
  estimatedDelivery: string | null;
  statusChanged: boolean;
}

/** How many lines of history an event carries at most. */
export const eventHistoryLength = 20;
