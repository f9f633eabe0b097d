/**
 * From JSON that others wrote to our types. Nothing is trusted: what has the wrong type counts as not
 * told, and what cannot be a snapshot or an event at all is null.
 */
import { indianZone, wallClock } from './dates';
import type { Direction, Entry, Leg, OrderStatus, Shipment, Snapshot, TrackingUpdate } from './tracking';
import { asMilestone, type Milestone } from './vocabulary';
import labels from './vocabulary/labels.json';

type Json = Record<string, unknown>;

const legKinds = ['forward', 'rto', 'replaced', 'return'] as const;
const orderStatuses = ['processing', 'shipped', 'delivered', 'cancelled'] as const;

/** A snapshot as the server gives it, bare or inside `{success, data}`. */
export function readSnapshot(value: unknown): Snapshot | null {
  const json = object(object(value)?.data) ?? object(value);
  if (!json || !Array.isArray(json.shipments)) return null;
  return {
    orderId: text(json.orderId) ?? '',
    orderNumber: text(json.orderNumber),
    version: count(json.version),
    orderStatus: orderStatus(json.orderStatus),
    updatedAt: text(json.updatedAt),
    shipments: objects(json.shipments).map(readShipment),
  };
}

/** A `tracking-update` event. One without a version (from another publisher) has version 0. */
export function readUpdate(value: unknown): TrackingUpdate | null {
  const json = object(value);
  if (!json) return null;
  const milestone = asMilestone(json.milestone) ?? milestoneOfLabel(text(json.currentStatus));
  const timestamp = text(json.timestamp) ?? new Date().toISOString();
  const history = readHistory(json.trackingHistory);
  return {
    orderId: text(json.orderId) ?? '',
    orderNumber: text(json.orderNumber),
    version: count(json.version),
    timestamp,
    shipmentId: text(json.shipmentId) ?? '',
    // Who does not tell it means, as with a shop's own order, what the milestone says.
    direction: json.direction === undefined ? directionOf(milestone) : direction(json.direction),
    awbCode: text(json.awbCode),
    courierName: text(json.courierName),
    currentStatus: text(json.currentStatus),
    milestone,
    orderStatus: orderStatus(json.orderStatus),
    location: text(json.location),
    description: text(json.description),
    trackingHistory: history,
    estimatedDelivery: estimate(json.estimatedDelivery),
    statusChanged: json.statusChanged === true,
  };
}

/** A shop's order: our own snapshot, or its `shipping` fields. Null when it tells nothing of a parcel. */
export function readOrder(value: unknown): Snapshot | null {
  const json = object(value);
  if (!json) return null;
  const snapshot = readSnapshot(json);
  if (snapshot) return snapshot;
  const shipping = object(json.shipping);
  if (!shipping) return null;
  const currentStatus = text(shipping.current_status);
  const awbCode = text(shipping.awb_code);
  const trackingHistory = readHistory(shipping.trackingHistory);
  if (!currentStatus && !awbCode && trackingHistory.length === 0) return null;
  const milestone =
    milestoneOfLabel(currentStatus) ??
    trackingHistory.findLast((entry) => entry.milestone)?.milestone ??
    null;
  const told = trackingHistory.find((entry) => entry.milestone === 'delivered')?.timestamp ?? null;
  const estimatedDelivery = estimate(shipping.estimated_delivery_date);
  return {
    orderId: text(json.id) ?? text(json._id) ?? '',
    orderNumber: text(json.orderNumber),
    version: 0,
    orderStatus: orderStatus(json.status),
    updatedAt: trackingHistory.at(-1)?.timestamp ?? null,
    shipments: [
      {
        id: '',
        direction: directionOf(milestone),
        awbCode,
        courierName: text(shipping.courier_name),
        milestone,
        currentStatus,
        estimatedDelivery,
        firstEstimatedDelivery: estimatedDelivery,
        deliveredAt: milestone === 'delivered' ? told : null,
        deliveryAttempts: trackingHistory.filter((entry) => entry.milestone === 'delivery_failed').length,
        undeliveredReason: null,
        corrected: false,
        legs: [],
        trackingHistory,
      },
    ],
  };
}

function readShipment(json: Json): Shipment {
  return {
    id: text(json.id) ?? '',
    direction: direction(json.direction),
    awbCode: text(json.awbCode),
    courierName: text(json.courierName),
    milestone: asMilestone(json.milestone),
    currentStatus: text(json.currentStatus),
    estimatedDelivery: text(json.estimatedDelivery),
    firstEstimatedDelivery: text(json.firstEstimatedDelivery),
    deliveredAt: text(json.deliveredAt),
    deliveryAttempts: count(json.deliveryAttempts),
    undeliveredReason: text(json.undeliveredReason),
    corrected: json.corrected === true,
    legs: objects(json.legs).map(readLeg),
    trackingHistory: readHistory(json.trackingHistory),
  };
}

function readLeg(json: Json): Leg {
  return {
    awbCode: text(json.awbCode),
    kind: oneOf(legKinds, json.kind) ?? 'forward',
    courierName: text(json.courierName),
  };
}

/** Oldest first; lines of one second keep the order in which they came, lines without a time are left out. */
function readHistory(value: unknown): Entry[] {
  return objects(value)
    .map((json): Entry => {
      const status = text(json.status) ?? '';
      return {
        status,
        milestone: json.milestone === undefined ? milestoneOfLabel(status) : asMilestone(json.milestone),
        timestamp: text(json.timestamp) ?? '',
        location: text(json.location),
        description: text(json.description),
        scanType: json.scanType === 'status' ? 'status' : 'scan',
      };
    })
    .filter(({ timestamp }) => !Number.isNaN(Date.parse(timestamp)))
    .sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp));
}

const milestoneOf = new Map(
  Object.entries(labels).flatMap(([milestone, words]) =>
    words.map((word): [string, Milestone] => [word, milestone as Milestone]),
  ),
);

/** By exact look-up only: UNDELIVERED and RTO DELIVERED both contain DELIVERED. */
function milestoneOfLabel(label: string | null): Milestone | null {
  const word = (label ?? '')
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, ' ')
    .trim();
  return milestoneOf.get(word) ?? null;
}

function object(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(object).filter((json) => json !== null) : [];
}

function text(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}

/**
 * A day as a shop keeps it. One that was made a moment in India is its midnight there, which UTC writes as the
 * evening before; any other moment has the day that it is written with.
 */
function estimate(value: unknown): string | null {
  const day = text(value);
  return day?.endsWith('T18:30:00.000Z') ? (wallClock(day, indianZone)?.day ?? day) : day;
}

function count(value: unknown): number {
  const number = Number(value);
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}

function oneOf<T extends string>(words: readonly T[], value: unknown): T | null {
  return words.find((word) => word === value) ?? null;
}

function directionOf(milestone: Milestone | null): Direction {
  return milestone?.startsWith('return_') ? 'return' : 'forward';
}

function direction(value: unknown): Direction {
  return value === 'return' ? 'return' : 'forward';
}

function orderStatus(value: unknown): OrderStatus | null {
  return oneOf(orderStatuses, value);
}
