import 'server-only';
import type { Snapshot } from '@waybill/order-tracker';

/** An order as `GET /api/orders/{id}` gives it, as far as this shop looks. */
interface Order {
  id: string;
  number: string;
  status: Snapshot['orderStatus'];
  version: number;
  updatedAt: string;
  shipments: Snapshot['shipments'];
}

/** The order with this public id; null when there is none. */
export async function orderById(id: string): Promise<Snapshot | null> {
  const order = await ask<Order>(`/api/orders/${encodeURIComponent(id)}`);
  return order && snapshotOf(order);
}

/** The newest order with the shop's number; null before Waybill has heard of it. */
export async function orderByNumber(number: string): Promise<Snapshot | null> {
  const [order] = (await ask<Order[]>(`/api/orders?number=${encodeURIComponent(number)}`)) ?? [];
  return order ? snapshotOf(order) : null;
}

/**
 * What of an order goes to the browser. It is named field by field: all that is handed to a client
 * component can be read in the page, and the whole order has the buyer's name, phone and e-mail.
 */
function snapshotOf({ id, number, status, version, updatedAt, shipments }: Order): Snapshot {
  return { orderId: id, orderNumber: number, orderStatus: status, version, updatedAt, shipments };
}

async function ask<T>(path: string): Promise<T | null> {
  const answer = await fetch(process.env.NEXT_PUBLIC_WAYBILL_URL + path, {
    headers: { Authorization: `Bearer ${process.env.WAYBILL_TOKEN}` },
    cache: 'no-store',
    signal: AbortSignal.timeout(5_000),
  });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`Waybill answered ${answer.status} to ${path}`);
  return (await answer.json()).data;
}
