import { OrderTracker } from '@waybill/order-tracker';
import Link from 'next/link';
import { shopOrders } from '../../lib/shop';
import { orderByNumber } from '../../lib/waybill';

/** A tracker for every order; all of them share one socket. */
export default async function Page() {
  const orders = await shopOrders();
  const tracked = await Promise.all(orders.map(({ number }) => orderByNumber(number)));
  return (
    <>
      <h1>Your orders</h1>
      <ul className="orders">
        {orders.map(({ number, title }, i) => {
          const order = tracked[i];
          return (
            <li key={number}>
              <h2>{order ? <Link href={`/orders/${order.orderId}`}>{title}</Link> : title}</h2>
              <p className="number">Order {number}</p>
              {order ? (
                <OrderTracker orderId={order.orderId} order={order} showTimeline={false} headingLevel={3} />
              ) : (
                <p>We are packing it.</p>
              )}
            </li>
          );
        })}
      </ul>
    </>
  );
}

export const dynamic = 'force-dynamic';
