/** Short ways to write snapshots and events in tests. */
import { shipment, snapshot } from '../dev/fixtures';
import type { Entry, Shipment, Snapshot, TrackingUpdate } from '../src/tracking';
import type { Milestone } from '../src/vocabulary';

export function order(version: number, milestone: Milestone, more: Partial<Shipment> = {}): Snapshot {
  return snapshot(version, shipment(milestone, more));
}

export function update(
  version: number,
  milestone: Milestone,
  more: Partial<TrackingUpdate> = {},
): TrackingUpdate {
  return {
    orderId: '01jdemo000000000000000000a',
    orderNumber: 'SO-1042',
    version,
    timestamp: '2026-11-23T09:29:00Z',
    shipmentId: 'shp_1',
    direction: 'forward',
    awbCode: '19041424751540',
    courierName: 'Delhivery Surface',
    currentStatus: milestone.toUpperCase().replaceAll('_', ' '),
    milestone,
    orderStatus: 'shipped',
    location: null,
    description: null,
    trackingHistory: [line(milestone, version)],
    estimatedDelivery: null,
    statusChanged: true,
    ...more,
  };
}

/** A line of a history, `minute` minutes after eight in the morning of 23 November in UTC. */
export function line(milestone: Milestone, minute: number): Entry {
  return {
    status: milestone.toUpperCase().replaceAll('_', ' '),
    milestone,
    timestamp: new Date(Date.UTC(2026, 10, 23, 8, minute)).toISOString(),
    location: null,
    description: null,
    scanType: 'scan',
  };
}
