import { describe, expect, test } from 'vitest';
import { line, order, update } from '../test/orders';
import { hasGap, type KnownOrder, withSnapshot, withUpdate } from './merge';

const milestonesOf = (known: KnownOrder) => known.shipments.map(({ milestone }) => milestone);

describe('snapshots', () => {
  test('a newer one replaces what is known', () => {
    const known = withSnapshot(withSnapshot(null, order(3, 'in_transit')), order(4, 'delivered'));
    expect(known.version).toBe(4);
    expect(milestonesOf(known)).toEqual(['delivered']);
  });

  test('an older one changes nothing', () => {
    const known = withSnapshot(null, order(4, 'delivered'));
    expect(withSnapshot(known, order(3, 'in_transit'))).toBe(known);
  });

  test('one that an event overtook keeps that event, and fills the gap before it', () => {
    const early = withUpdate(null, update(5, 'out_for_delivery'), true);
    expect(hasGap(early)).toBe(true);
    const known = withSnapshot(early, order(4, 'in_transit', { firstEstimatedDelivery: '2026-11-20' }));
    expect(known.version).toBe(5);
    expect(hasGap(known)).toBe(false);
    expect(milestonesOf(known)).toEqual(['out_for_delivery']);
  });

  test('a shipment that only an event knows yet stays', () => {
    const early = withUpdate(null, update(5, 'created', { shipmentId: 'shp_2' }), true);
    expect(milestonesOf(withSnapshot(early, order(4, 'in_transit')))).toEqual(['in_transit', 'created']);
  });
});

describe('events', () => {
  const start = withSnapshot(
    null,
    order(4, 'in_transit', { deliveryAttempts: 1, estimatedDelivery: '2026-11-24' }),
  );

  test('the next version is taken in without a gap', () => {
    const known = withUpdate(start, update(5, 'out_for_delivery'), true);
    expect(known.version).toBe(5);
    expect(hasGap(known)).toBe(false);
    expect(milestonesOf(known)).toEqual(['out_for_delivery']);
    expect(known.updatedAt).toBe('2026-11-23T09:29:00Z');
  });

  test('older and repeated ones change nothing', () => {
    expect(withUpdate(start, update(4, 'created'), true)).toBe(start);
    expect(withUpdate(start, update(2, 'created'), true)).toBe(start);
    const ahead = withUpdate(start, update(7, 'delivered'), true);
    expect(withUpdate(ahead, update(7, 'created'), true)).toBe(ahead);
  });

  test('a jump in versions is a gap until a snapshot or the missed events fill it', () => {
    const ahead = withUpdate(start, update(7, 'delivered'), true);
    expect(hasGap(ahead)).toBe(true);
    expect(hasGap(withSnapshot(ahead, order(6, 'out_for_delivery')))).toBe(false);
    const filled = withUpdate(
      withUpdate(ahead, update(6, 'out_for_delivery'), true),
      update(5, 'in_transit'),
      true,
    );
    expect(hasGap(filled)).toBe(false);
    expect(filled.version).toBe(7);
    expect(milestonesOf(filled)).toEqual(['delivered']);
  });

  test('each shipment keeps its own newest event', () => {
    let known = withUpdate(start, update(6, 'created', { shipmentId: 'shp_2', awbCode: 'B' }), false);
    known = withUpdate(known, update(5, 'delivered'), false);
    expect(milestonesOf(known)).toEqual(['delivered', 'created']);
    expect(withUpdate(known, update(5, 'created'), false)).toBe(known);
    expect(known.orderStatus).toBe('shipped');
  });

  test('what an event does not tell stays known', () => {
    const [parcel] = withUpdate(
      start,
      update(5, 'out_for_delivery', { awbCode: null, courierName: null }),
      true,
    ).shipments;
    expect(parcel).toMatchObject({
      awbCode: '19041424751540',
      courierName: 'Delhivery Surface',
      deliveryAttempts: 1,
      firstEstimatedDelivery: '2026-11-24',
    });
  });

  test('delivery is dated by its line in the history', () => {
    const [parcel] = withUpdate(start, update(5, 'delivered'), true).shipments;
    expect(parcel?.deliveredAt).toBe('2026-11-23T08:05:00.000Z');
  });

  test('a reason goes with the attempt it belongs to', () => {
    const failed = withSnapshot(
      null,
      order(4, 'delivery_failed', { deliveryAttempts: 1, undeliveredReason: 'Closed' }),
    );
    const touched = withUpdate(failed, update(5, 'delivery_failed'), true);
    expect(touched.shipments[0]?.undeliveredReason).toBe('Closed');
    const again = { trackingHistory: [line('delivery_failed', 1), line('delivery_failed', 2)] };
    const second = withUpdate(failed, update(5, 'delivery_failed', again), true);
    expect(second.shipments[0]).toMatchObject({ undeliveredReason: null, deliveryAttempts: 2 });
  });

  test('one without a version, from another publisher, always counts', () => {
    const known = withUpdate(withUpdate(null, update(0, 'in_transit'), false), update(0, 'delivered'), false);
    expect(milestonesOf(known)).toEqual(['delivered']);
    expect(known.version).toBe(0);
  });
});

describe('histories', () => {
  const lines = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => line('in_transit', from + i));
  const known = withSnapshot(null, order(4, 'in_transit', { trackingHistory: lines(0, 30) }));
  const minutes = (after: KnownOrder) =>
    after.shipments[0]?.trackingHistory.map(({ timestamp }) => new Date(timestamp).getUTCMinutes());

  test('a full event stands for everything since its oldest line', () => {
    const after = withUpdate(known, update(5, 'in_transit', { trackingHistory: lines(15, 20) }), true);
    expect(minutes(after)).toEqual(Array.from({ length: 35 }, (_, i) => i));
  });

  test('a shorter one is the whole history', () => {
    const after = withUpdate(known, update(5, 'in_transit', { trackingHistory: lines(40, 3) }), true);
    expect(minutes(after)).toEqual([40, 41, 42]);
  });

  test('one without lines leaves those that are known', () => {
    const after = withUpdate(known, update(5, 'in_transit', { trackingHistory: [] }), true);
    expect(minutes(after)).toHaveLength(30);
  });
});
