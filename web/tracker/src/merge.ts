/**
 * How what we know grows: snapshots and events by version, whichever comes first.
 * Pure functions; every change gives a new object, and no change gives the same one.
 */
import {
  type Entry,
  eventHistoryLength,
  type OrderStatus,
  type Shipment,
  type Snapshot,
  type TrackingUpdate,
} from './tracking';

/** What is known about one order. */
export interface KnownOrder {
  orderNumber: string | null;
  orderStatus: OrderStatus | null;
  updatedAt: string | null;
  /** Everything up to this version is in; 0 when nothing with a version came yet. */
  version: number;
  /** Versions beyond a gap that are in too. */
  ahead: readonly number[];
  shipments: readonly KnownShipment[];
}

export interface KnownShipment extends Shipment {
  /** The version of the order that last told of this shipment. */
  version: number;
}

const nothing: KnownOrder = {
  orderNumber: null,
  orderStatus: null,
  updatedAt: null,
  version: 0,
  ahead: [],
  shipments: [],
};

/** Whether an event between what we have seen was missed. */
export function hasGap(order: KnownOrder | null): boolean {
  return order !== null && order.ahead.length > 0;
}

/** When the newest line of any shipment happened, in milliseconds; 0 when there is none. */
export function newestOf({ shipments }: { shipments: readonly Shipment[] }): number {
  const newest = shipments.map(({ trackingHistory }) => Date.parse(trackingHistory.at(-1)?.timestamp ?? ''));
  return Math.max(0, ...newest.filter((at) => !Number.isNaN(at)));
}

/** The order after a snapshot. One that is older than what we know undoes nothing. */
export function withSnapshot(known: KnownOrder | null, snapshot: Snapshot): KnownOrder {
  if (known && snapshot.version < known.version) return known;
  const fresh: KnownOrder = {
    orderNumber: snapshot.orderNumber,
    orderStatus: snapshot.orderStatus,
    updatedAt: snapshot.updatedAt,
    version: snapshot.version,
    ahead: [],
    shipments: snapshot.shipments.map((shipment) => ({ ...shipment, version: snapshot.version })),
  };
  const ahead = known?.ahead.filter((version) => version > snapshot.version) ?? [];
  if (!known || ahead.length === 0) return fresh;

  // Events overtook this snapshot: their shipments stay, the rest comes from it.
  const newer = known.shipments.filter((shipment) => shipment.version > snapshot.version);
  const shipments = fresh.shipments.map((shipment) => newer.find(({ id }) => id === shipment.id) ?? shipment);
  const added = newer.filter(({ id }) => !shipments.some((shipment) => shipment.id === id));
  return closed({
    ...fresh,
    orderStatus: known.orderStatus,
    updatedAt: known.updatedAt,
    ahead,
    shipments: [...shipments, ...added],
  });
}

/**
 * The order after an event. `mendable` says that a snapshot can be read, so that a jump in versions is
 * kept as a gap until one fills it; otherwise each shipment just keeps its newest event.
 */
export function withUpdate(known: KnownOrder | null, update: TrackingUpdate, mendable: boolean): KnownOrder {
  const order = known ?? nothing;
  const { version } = update;
  const at = order.shipments.findIndex((shipment) => isSame(shipment, update));
  const before = order.shipments[at];
  const overtaken = before !== undefined && version > 0 && version <= before.version;
  const seen = mendable ? version <= order.version || order.ahead.includes(version) : overtaken;
  if (version > 0 && seen) return order;

  const shipments = [...order.shipments];
  if (!overtaken) shipments.splice(at < 0 ? shipments.length : at, before ? 1 : 0, grown(before, update));

  const newest = Math.max(order.version, ...order.ahead);
  const leads = version === 0 || version > newest;
  const next: KnownOrder = {
    orderNumber: update.orderNumber ?? order.orderNumber,
    orderStatus: leads ? update.orderStatus : order.orderStatus,
    updatedAt: leads ? update.timestamp : order.updatedAt,
    version: mendable ? order.version : Math.max(order.version, version),
    ahead: order.ahead,
    shipments,
  };
  return mendable && version > 0 ? closed({ ...next, ahead: [...order.ahead, version] }) : next;
}

/** The order with every version that follows on without a gap counted in. */
function closed(order: KnownOrder): KnownOrder {
  let { version } = order;
  const ahead = [...order.ahead].sort((a, b) => a - b);
  while (ahead[0] === version + 1) version = ahead.shift() ?? version;
  return { ...order, version, ahead };
}

/** A shipment that came from a shop's own data has no id of ours: it is taken over by AWB, or when it has none. */
function isSame(shipment: KnownShipment, update: TrackingUpdate): boolean {
  if (shipment.id !== '') return shipment.id === update.shipmentId;
  return (
    update.direction === shipment.direction && (!shipment.awbCode || shipment.awbCode === update.awbCode)
  );
}

function grown(before: KnownShipment | undefined, update: TrackingUpdate): KnownShipment {
  const trackingHistory = withHistory(before?.trackingHistory ?? [], update.trackingHistory);
  const attempts = trackingHistory.filter(({ milestone }) => milestone === 'delivery_failed').length;
  const sameAttempt = before?.milestone === update.milestone && attempts <= before.deliveryAttempts;
  return {
    id: update.shipmentId,
    direction: update.direction,
    awbCode: update.awbCode ?? before?.awbCode ?? null,
    courierName: update.courierName ?? before?.courierName ?? null,
    milestone: update.milestone,
    currentStatus: update.currentStatus,
    estimatedDelivery: update.estimatedDelivery,
    firstEstimatedDelivery:
      before?.firstEstimatedDelivery ?? before?.estimatedDelivery ?? update.estimatedDelivery,
    deliveredAt: deliveredAt(before, update, trackingHistory),
    deliveryAttempts: Math.max(before?.deliveryAttempts ?? 0, attempts),
    // A reason belongs to the attempt it came with; an event tells its own in the newest line.
    undeliveredReason: sameAttempt ? before.undeliveredReason : null,
    corrected: before?.corrected ?? false,
    legs: before?.legs ?? [],
    trackingHistory,
    version: Math.max(before?.version ?? 0, update.version),
  };
}

function deliveredAt(before: Shipment | undefined, update: TrackingUpdate, history: Entry[]): string | null {
  if (update.milestone !== 'delivered' && update.milestone !== 'return_delivered') return null;
  const told = history.find(({ milestone }) => milestone === update.milestone);
  return before?.deliveredAt ?? told?.timestamp ?? update.timestamp;
}

/**
 * An event's lines are the newest of the whole history: fewer than the limit are all there is, and a full
 * event stands for everything since its oldest line.
 */
function withHistory(before: readonly Entry[], lines: readonly Entry[]): Entry[] {
  const since = lines[0]?.timestamp;
  if (since === undefined) return [...before];
  if (lines.length < eventHistoryLength) return [...lines];
  return [...before.filter(({ timestamp }) => Date.parse(timestamp) < Date.parse(since)), ...lines];
}
