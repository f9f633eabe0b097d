// An order page as front ends made for Soketi have it: pusher-js, the order's
// channel, the fields of the event. It knows nothing of Waybill and stays as it is.
import Pusher from "pusher-js";
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

function OrderTracking({ order }) {
  const [shipping, setShipping] = useState(order.shipping);

  useEffect(() => {
    const pusher = new Pusher(process.env.NEXT_PUBLIC_SOKETI_KEY, {
      cluster: process.env.NEXT_PUBLIC_SOKETI_CLUSTER || "mt1",
      wsHost: process.env.NEXT_PUBLIC_SOKETI_HOST,
      wsPort: Number(process.env.NEXT_PUBLIC_SOKETI_PORT),
      wssPort: Number(process.env.NEXT_PUBLIC_SOKETI_PORT),
      forceTLS: process.env.NEXT_PUBLIC_SOKETI_TLS === "true",
      enabledTransports: ["ws", "wss"],
      disableStats: true,
    });
    const channel = pusher.subscribe(`order-${order.id}`);
    channel.bind("pusher:subscription_succeeded", () => {
      document.body.dataset.live = Number(document.body.dataset.live ?? 0) + 1;
    });
    channel.bind("tracking-update", (update) =>
      setShipping({
        awb_code: update.awbCode,
        courier_name: update.courierName,
        current_status: update.currentStatus,
        estimated_delivery_date: update.estimatedDelivery,
        trackingHistory: update.trackingHistory,
      }),
    );
    return () => {
      pusher.unsubscribe(`order-${order.id}`);
      pusher.disconnect();
    };
  }, [order.id]);

  return (
    <dl>
      <dt>AWB</dt>
      <dd id="awb">{shipping.awb_code}</dd>
      <dt>Courier</dt>
      <dd id="courier">{shipping.courier_name}</dd>
      <dt>Status</dt>
      <dd id="status">{shipping.current_status}</dd>
      <dt>Expected</dt>
      <dd id="expected">{new Date(shipping.estimated_delivery_date).toLocaleDateString("en-CA", { timeZone: "Asia/Kolkata" })}</dd>
      <dt>History</dt>
      <dd>
        <ol id="history">
          {shipping.trackingHistory.map((entry) => (
            <li key={entry.timestamp + entry.status}>
              {entry.status} | {entry.location} | {entry.description} | {new Date(entry.timestamp).toISOString()}
            </li>
          ))}
        </ol>
      </dd>
    </dl>
  );
}

createRoot(document.getElementById("root")).render(<OrderTracking order={window.order} />);
