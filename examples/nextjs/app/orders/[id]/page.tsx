import { OrderTracker } from '@waybill/order-tracker';
import Link from 'next/link';
import { notFound } from 'next/navigation';
import { shopOrders } from '../../../lib/shop';
import { orderById } from '../../../lib/waybill';

/** What is known now is in the HTML; the tracker goes on from there. */
export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const order = await orderById((await params).id);
  if (!order) notFound();
  const bought = (await shopOrders()).find(({ number }) => number === order.orderNumber);
  return (
    <>
      <h1>{bought?.title ?? 'Your order'}</h1>
      <p className="number">Order {order.orderNumber}</p>
      <OrderTracker orderId={order.orderId} order={order} showTimeline={true} />
      <p>
        <Link href="/orders">All your orders</Link>
      </p>
    </>
  );
}
