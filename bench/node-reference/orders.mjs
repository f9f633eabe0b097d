const orderStatus = {
  DELIVERED: "delivered",
  CANCELED: "cancelled",
  "RTO DELIVERED": "cancelled",
};

/** A courier's local time as a moment. */
const india = (text) => (text ? new Date(`${text.replace(" ", "T")}+05:30`) : null);

/** Applies one push as a transaction and returns the order with its history. */
export async function apply(pool, log, push) {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const order = await findOrCreate(client, log.orderId, push);
    await append(client, order.id, push.scans ?? []);
    const { rows } = await client.query(
      `UPDATE orders
       SET awb = $2, courier_name = $3, current_status = $4, order_status = $5, estimated_delivery = $6,
           version = version + 1, updated_at = now()
       WHERE id = $1
       RETURNING *`,
      [
        order.id,
        push.awb,
        push.courier_name,
        push.current_status,
        orderStatus[push.current_status] ?? "shipped",
        india(push.etd?.trim()),
      ],
    );
    const history = await client.query(
      `SELECT occurred_at, status, activity, location
       FROM tracking_history
       WHERE order_id = $1
       ORDER BY occurred_at DESC
       LIMIT 20`,
      [order.id],
    );
    await client.query("COMMIT");
    return { ...rows[0], history: history.rows.reverse() };
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

async function findOrCreate(client, newId, push) {
  const find = "SELECT id FROM orders WHERE awb = $1 OR order_number = $2 FOR UPDATE";
  const found = await client.query(find, [push.awb, push.order_id]);
  if (found.rowCount > 0) {
    return found.rows[0];
  }
  await client.query("INSERT INTO orders (id, order_number, awb) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", [
    newId,
    push.order_id,
    push.awb,
  ]);
  return (await client.query(find, [push.awb, push.order_id])).rows[0];
}

/** Adds the scans that are not known yet, in one statement. */
async function append(client, orderId, scans) {
  if (scans.length === 0) {
    return;
  }
  await client.query(
    `INSERT INTO tracking_history (order_id, occurred_at, status, activity, location)
     SELECT $1, * FROM unnest($2::timestamptz[], $3::text[], $4::text[], $5::text[])
     ON CONFLICT DO NOTHING`,
    [
      orderId,
      scans.map((s) => india(s.date)),
      scans.map((s) => s["sr-status-label"]),
      scans.map((s) => s.activity),
      scans.map((s) => s.location),
    ],
  );
}

/** The event of an order's own channel. */
export function snapshotEvent(order) {
  const newest = order.history.at(-1);
  return {
    ...shipmentEvent(order),
    location: newest?.location ?? null,
    description: newest?.activity ?? null,
    estimatedDelivery: order.estimated_delivery,
    trackingHistory: order.history.map((h) => ({
      status: h.status,
      timestamp: h.occurred_at,
      location: h.location,
      description: h.activity,
    })),
  };
}

/** The event of the operators' channel. */
export function shipmentEvent(order) {
  return {
    timestamp: new Date(),
    orderId: order.id,
    orderNumber: order.order_number,
    awbCode: order.awb,
    courierName: order.courier_name,
    currentStatus: order.current_status,
    orderStatus: order.order_status,
    version: order.version,
  };
}
