/** Orders in every state worth looking at, as the server's snapshots tell them. Made up. */
import type { Entry, Shipment, Snapshot } from '../src/tracking';
import { type Milestone, milestones } from '../src/vocabulary';

/** The moment at which the fixtures are read: 3 pm in India. */
export const fixtureNow = '2026-11-23T09:30:00Z';

type Line = [milestone: Milestone | null, time: string, location?: string, description?: string];

/** A history from short lines; times are Indian ones. */
export function history(...lines: Line[]): Entry[] {
  return lines.map(([milestone, time, location, description]) => ({
    status: (milestone ?? 'IN TRANSIT').toUpperCase().replaceAll('_', ' '),
    milestone,
    timestamp: new Date(`${time.replace(' ', 'T')}:00+05:30`).toISOString(),
    location: location ?? null,
    description: description ?? null,
    scanType: 'scan',
  }));
}

export function shipment(milestone: Milestone | null, more: Partial<Shipment> = {}): Shipment {
  return {
    id: 'shp_1',
    direction: milestone?.startsWith('return_') ? 'return' : 'forward',
    awbCode: '19041424751540',
    courierName: 'Delhivery Surface',
    milestone,
    currentStatus: milestone?.toUpperCase().replaceAll('_', ' ') ?? null,
    estimatedDelivery: null,
    firstEstimatedDelivery: null,
    deliveredAt: null,
    deliveryAttempts: 0,
    undeliveredReason: null,
    corrected: false,
    legs: [],
    trackingHistory: [],
    ...more,
  };
}

export function snapshot(version: number, ...shipments: Shipment[]): Snapshot {
  return {
    orderId: '01jdemo000000000000000000a',
    orderNumber: 'SO-1042',
    version,
    orderStatus: 'shipped',
    updatedAt: shipments[0]?.trackingHistory.at(-1)?.timestamp ?? '2026-11-23T09:27:00Z',
    shipments,
  };
}

const start: Line[] = [
  ['pickup_scheduled', '2026-11-19 11:59', 'Chomu, Rajasthan', 'Manifested - Manifest uploaded'],
  ['picked_up', '2026-11-19 15:32', 'Chomu, Rajasthan', 'Shipment picked up'],
  ['in_transit', '2026-11-20 12:23', 'Jaipur, Rajasthan', 'Trip arrived'],
  [null, '2026-11-20 15:23', 'Jaipur, Rajasthan', 'System weight captured'],
  ['in_transit', '2026-11-22 22:01', 'Bhiwandi, Maharashtra', 'Trip arrived'],
];
const near: Line[] = [
  ...start,
  ['reached_destination', '2026-11-23 07:43', 'Mira Road, Mumbai', 'Shipment received at facility'],
];
const out: Line[] = [...near, ['out_for_delivery', '2026-11-23 09:31', 'Mira Road, Mumbai']];

const inTransit = shipment('in_transit', {
  estimatedDelivery: '2026-11-25',
  firstEstimatedDelivery: '2026-11-25',
  trackingHistory: history(...start),
});
const delivered = shipment('delivered', {
  deliveredAt: '2026-11-23T08:37:00Z',
  deliveryAttempts: 1,
  estimatedDelivery: '2026-11-24',
  firstEstimatedDelivery: '2026-11-24',
  trackingHistory: history(...out, [
    'delivered',
    '2026-11-23 14:07',
    'Mira Road, Mumbai',
    'Delivered to consignee',
  ]),
});
const rto = shipment('rto_in_transit', {
  undeliveredReason: 'COD not ready',
  deliveryAttempts: 2,
  legs: [
    { awbCode: '19041424751540', kind: 'forward', courierName: 'Delhivery Surface' },
    { awbCode: '19041424751999', kind: 'rto', courierName: 'Delhivery Surface' },
  ],
  trackingHistory: history(
    ...start.slice(0, 3),
    ['out_for_delivery', '2026-11-21 09:31', 'Mira Road, Mumbai'],
    ['delivery_failed', '2026-11-21 18:52', 'Mira Road, Mumbai', 'COD not ready'],
    ['rto_initiated', '2026-11-22 08:59', 'Mira Road, Mumbai', 'Return to origin'],
    ['rto_in_transit', '2026-11-23 04:04', 'Ahmedabad, Gujarat', 'Vehicle arrived'],
  ),
});
const returning = shipment('return_in_transit', {
  id: 'shp_9',
  awbCode: '77914490001',
  courierName: 'Blue Dart Surface',
  trackingHistory: history(
    ['return_created', '2026-11-20 10:00'],
    ['return_picked_up', '2026-11-21 16:20', 'Mira Road, Mumbai', 'Shipment picked up'],
    ['return_in_transit', '2026-11-22 21:10', 'Bhiwandi, Maharashtra', 'In transit'],
  ),
});

/** As long as couriers' histories get: a parcel that waited at a hub for days. */
const long: Line[] = Array.from({ length: 40 }, (_, scan): Line => {
  const day = String(12 + Math.floor(scan / 4)).padStart(2, '0');
  const hour = String(6 + 4 * (scan % 4)).padStart(2, '0');
  return [
    scan % 3 ? null : 'in_transit',
    `2026-11-${day} ${hour}:17`,
    'Nagpur, Maharashtra',
    'Bag scanned at hub',
  ];
});

export const fixtures: Record<string, Snapshot> = {
  'not-shipped': snapshot(1, shipment('created', { awbCode: null, courierName: null })),
  'no-scan-yet': snapshot(2, shipment('pickup_scheduled', { estimatedDelivery: '2026-11-26' })),
  'in-transit': snapshot(5, inTransit),
  slipped: snapshot(6, { ...inTransit, firstEstimatedDelivery: '2026-11-23' }),
  late: snapshot(6, { ...inTransit, estimatedDelivery: '2026-11-21', firstEstimatedDelivery: '2026-11-21' }),
  silent: snapshot(4, { ...inTransit, trackingHistory: history(...start.slice(0, 4)) }),
  'out-for-delivery': snapshot(
    7,
    shipment('out_for_delivery', { estimatedDelivery: '2026-11-24', trackingHistory: history(...out) }),
  ),
  'failed-attempt': snapshot(
    8,
    shipment('delivery_failed', {
      estimatedDelivery: '2026-11-24',
      firstEstimatedDelivery: '2026-11-23',
      deliveryAttempts: 1,
      undeliveredReason: 'Consignee unavailable',
      trackingHistory: history(...out, [
        'delivery_failed',
        '2026-11-23 14:40',
        'Mira Road, Mumbai',
        'Consignee unavailable',
      ]),
    }),
  ),
  'third-attempt': snapshot(
    12,
    shipment('delivery_failed', {
      deliveryAttempts: 3,
      undeliveredReason: 'Address incomplete',
      trackingHistory: history(
        ...start,
        ['delivery_failed', '2026-11-21 18:52', 'Mira Road, Mumbai', 'Address incomplete'],
        ['delivery_failed', '2026-11-22 17:10', 'Mira Road, Mumbai', 'Address incomplete'],
        ['delivery_failed', '2026-11-23 13:40', 'Mira Road, Mumbai', 'Address incomplete'],
      ),
    }),
  ),
  delivered: snapshot(9, delivered),
  rto: snapshot(9, rto),
  lost: snapshot(
    9,
    shipment('lost', {
      trackingHistory: history(...start.slice(0, 3), [
        'lost',
        '2026-11-23 10:00',
        'Jaipur, Rajasthan',
        'Shipment lost',
      ]),
    }),
  ),
  damaged: snapshot(
    9,
    shipment('damaged', {
      trackingHistory: history(...start.slice(0, 3), [
        'damaged',
        '2026-11-23 10:00',
        'Jaipur, Rajasthan',
        'Shipment damaged',
      ]),
    }),
  ),
  disposed: snapshot(
    11,
    shipment('disposed', {
      undeliveredReason: 'Refused by consignee',
      deliveryAttempts: 1,
      trackingHistory: history(
        ...start.slice(0, 3),
        ['rto_initiated', '2026-11-21 09:00', 'Jaipur, Rajasthan', 'Return to origin'],
        ['disposed', '2026-11-23 10:00', 'Chomu, Rajasthan', 'Disposed off'],
      ),
    }),
  ),
  cancelled: snapshot(
    3,
    shipment('cancelled', { trackingHistory: history(['cancelled', '2026-11-20 10:02']) }),
  ),
  parcels: snapshot(
    12,
    { ...delivered, id: 'shp_1', trackingHistory: delivered.trackingHistory.slice(-3) },
    { ...inTransit, id: 'shp_2', awbCode: '141123221084922', courierName: 'Xpressbees Surface' },
    returning,
  ),
  'long-history': snapshot(41, shipment('in_transit', { trackingHistory: history(...long) })),
  'unknown-status': snapshot(2, shipment(null, { currentStatus: 'HELD_AT CUSTOMS' })),
  hostile: snapshot(
    3,
    shipment('in_transit', {
      courierName: '<img src=x onerror=alert(1)>',
      awbCode: '"><script>alert(1)</script>',
      trackingHistory: history([
        null,
        '2026-11-23 10:00',
        "<b onclick='x'>Pune</b>",
        `</script><script>alert(1)</script>${'long'.repeat(40)}`,
      ]),
    }),
  ),
};

/** One order for every milestone there is. */
export const everyMilestone: [Milestone, Snapshot][] = (Object.keys(milestones) as Milestone[]).map(
  (milestone) => [
    milestone,
    snapshot(
      1,
      shipment(milestone, {
        estimatedDelivery: '2026-11-25',
        deliveredAt: milestone === 'delivered' ? '2026-11-23T08:37:00Z' : null,
        trackingHistory: history([milestone, '2026-11-23 10:00', 'Pune, Maharashtra']),
      }),
    ),
  ],
);
