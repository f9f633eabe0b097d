/** What a tracker says while it stays on the page, and what it leaves when it goes. */
import { act, render, screen } from '@testing-library/react';
import { type ReactNode, StrictMode } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fixtureNow, shipment, snapshot } from '../dev/fixtures';
import { line, order, update } from '../test/orders';
import FakePusher from '../test/pusher';
import { OrderTracker } from './index';

vi.mock('pusher-js', () => import('../test/pusher'));

let server = 0;
let live = {};

beforeEach(() => {
  server += 1;
  live = { soketiKey: 'key', soketiHost: `mounted-${server}.example` };
  vi.useFakeTimers({ now: Date.parse(fixtureNow), toFake: ['Date'] });
  FakePusher.reset();
});

afterEach(() => vi.useRealTimers());

test('of several parcels it says which one, also when it is no longer the first', () => {
  const two = snapshot(
    4,
    shipment('out_for_delivery', { id: 'a', trackingHistory: [line('out_for_delivery', 9)] }),
    shipment('in_transit', { id: 'b', trackingHistory: [line('in_transit', 3)] }),
  );
  render(<OrderTracker orderId="two" {...live} order={two} />);
  act(() => FakePusher.only.accept());
  act(() => FakePusher.only.publish('two', update(5, 'delivered', { shipmentId: 'a' })));
  expect(screen.getByRole('status').textContent).toBe('Parcel 1 of 2: Delivered on Mon, 23 Nov.');
});

test('mounted twice, as strict mode does, it has one channel, and leaves it when it goes', async () => {
  const strict = (children: ReactNode) => <StrictMode>{children}</StrictMode>;
  const tracker = <OrderTracker orderId="strict" {...live} order={order(4, 'in_transit')} />;
  const { rerender } = render(strict(tracker));
  act(() => FakePusher.only.accept());
  expect([...FakePusher.only.channels.keys()]).toEqual(['order-strict']);
  act(() => FakePusher.only.publish('strict', update(5, 'delivered')));
  expect(screen.getByRole('heading').textContent).toBe('Delivered on Mon, 23 Nov');
  rerender(strict(null));
  await vi.waitFor(() => expect(FakePusher.open).toEqual([]), { timeout: 10_000 });
});
