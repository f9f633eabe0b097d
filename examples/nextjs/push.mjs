// Plays the courier: npm run push [-- ORDER STATUS]. Without an order every
// order of orders.json is picked up.
import { readFileSync } from 'node:fs';

const [, , number, status = 'PICKED UP'] = process.argv;
const orders = JSON.parse(readFileSync('orders.json', 'utf8')).filter(
  (order) => !number || order.number === number,
);
if (orders.length === 0) throw new Error(`there is no order ${number} in orders.json`);

const now = new Date(Date.now() + 5.5 * 3_600_000).toISOString().slice(0, 19).replace('T', ' '); // couriers write the time of India
for (const order of orders) {
  const answer = await fetch(`${process.env.NEXT_PUBLIC_WAYBILL_URL}/api/webhooks/courier`, {
    method: 'POST',
    headers: { 'x-api-key': process.env.SHIPROCKET_WEBHOOK_TOKEN },
    body: JSON.stringify({
      awb: `AWB${order.parcel}`,
      courier_name: 'Delhivery Surface',
      current_status: status,
      order_id: order.number,
      sr_order_id: order.parcel,
      scans: [
        {
          date: now,
          activity: 'Scanned at the hub',
          location: 'Jaipur_Sez_GW (Rajasthan)',
          'sr-status-label': status,
        },
      ],
    }),
  });
  console.log(order.number, status, answer.status);
}
