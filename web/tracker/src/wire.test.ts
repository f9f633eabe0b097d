import { describe, expect, test } from 'vitest';
import { update } from '../test/orders';
import { withSnapshot, withUpdate } from './merge';
import { readOrder, readSnapshot, readUpdate } from './wire';

test('a snapshot is read bare and inside an answer', () => {
  const snapshot = { orderId: 'a', version: 3, shipments: [{ id: 's', milestone: 'delivered' }] };
  expect(readSnapshot(snapshot)).toEqual(readSnapshot({ success: true, data: snapshot }));
  expect(readSnapshot(snapshot)?.shipments[0]).toMatchObject({
    id: 's',
    direction: 'forward',
    trackingHistory: [],
  });
});

test.each([null, 'x', 7, [], {}, { shipments: 'none' }, { data: null }])('%j is no snapshot', (value) => {
  expect(readSnapshot(value)).toBeNull();
});

test('wrong types count as not told', () => {
  const read = readUpdate({
    version: '7',
    awbCode: 141123221084922,
    courierName: {},
    milestone: 'flying',
    trackingHistory: [4, { timestamp: 'soon' }],
  });
  expect(read).toMatchObject({
    version: 7,
    awbCode: '141123221084922',
    courierName: null,
    milestone: null,
    trackingHistory: [],
  });
  expect(readUpdate('text')).toBeNull();
});

test('histories are put into order, lines of one second as they came', () => {
  const at = (second: string, status: string) => ({ timestamp: `2026-11-23T08:00:${second}Z`, status });
  const read = readUpdate({ trackingHistory: [at('02', 'c'), at('01', 'a'), at('01', 'b')] });
  expect(read?.trackingHistory.map(({ status }) => status)).toEqual(['a', 'b', 'c']);
});

describe("a shop's own order", () => {
  const shipping = {
    awb_code: '19041424751540',
    courier_name: 'Delhivery',
    current_status: 'Out For Delivery',
    estimated_delivery_date: '2026-11-24T00:00:00.000Z',
    trackingHistory: [
      { status: 'IN TRANSIT', timestamp: '2026-11-23T08:00:00Z', location: 'Pune', description: 'Arrived' },
    ],
  };

  test('is read from its shipping fields', () => {
    expect(readOrder({ _id: 'x', orderNumber: 1042, shipping })).toMatchObject({
      orderNumber: '1042',
      version: 0,
      shipments: [
        {
          awbCode: '19041424751540',
          courierName: 'Delhivery',
          milestone: 'out_for_delivery',
          estimatedDelivery: '2026-11-24T00:00:00.000Z',
          trackingHistory: [{ milestone: 'in_transit', location: 'Pune' }],
        },
      ],
    });
  });

  test.each(['UNDELIVERED', 'RTO DELIVERED', 'rto_delivered', 'Return Delivered'])(
    '%s is not delivered',
    (current_status) => {
      const milestone = readOrder({ shipping: { current_status } })?.shipments[0]?.milestone;
      expect(milestone).toBeTruthy();
      expect(milestone).not.toBe('delivered');
    },
  );

  test.each([undefined, null, {}, { shipping: null }, { shipping: {} }])('%j tells nothing', (order) => {
    expect(readOrder(order)).toBeNull();
  });

  test('is taken over by the first event of its parcel', () => {
    const initial = readOrder({ shipping });
    if (!initial) throw new Error('not read');
    const known = withUpdate(withSnapshot(null, initial), update(3, 'delivered'), false);
    expect(known.shipments).toHaveLength(1);
    expect(known.shipments[0]).toMatchObject({ id: 'shp_1', milestone: 'delivered' });
    const other = withUpdate(
      withSnapshot(null, initial),
      update(3, 'delivered', { awbCode: 'B', shipmentId: 'b' }),
      false,
    );
    expect(other.shipments).toHaveLength(2);
  });
});

test.each([
  ['2026-11-24', '2026-11-24'],
  ['2026-11-24 20:00:00', '2026-11-24 20:00:00'],
  ['2026-11-24T20:00:00.000Z', '2026-11-24T20:00:00.000Z'],
  ['2026-11-24T18:30:00.000Z', '2026-11-25'],
  [new Date('2026-11-25T00:00:00+05:30'), '2026-11-25'],
])('a shop’s day %s is %s', (estimated_delivery_date, day) => {
  const order = readOrder({ shipping: { awb_code: '1', estimated_delivery_date } });
  expect(order?.shipments[0]?.estimatedDelivery).toBe(day);
  expect(readUpdate({ estimatedDelivery: estimated_delivery_date })?.estimatedDelivery).toBe(day);
});

test('an event of another publisher goes the way that its milestone says', () => {
  expect(readUpdate({ currentStatus: 'RETURN DELIVERED' })?.direction).toBe('return');
  expect(readUpdate({ currentStatus: 'DELIVERED' })?.direction).toBe('forward');
  expect(readUpdate({ currentStatus: 'RETURN DELIVERED', direction: 'forward' })?.direction).toBe('forward');
});
