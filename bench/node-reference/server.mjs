// The job of Waybill done the ordinary way: Express 5, a PostgreSQL pool, the
// Pusher SDK. The contract stands in ../README.md.
import express from "express";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import http from "node:http";
import pg from "pg";
import Pusher from "pusher";
import { receipt, verified } from "./intake.mjs";
import { apply, snapshotEvent, shipmentEvent } from "./orders.mjs";

const { DATABASE_URL, PORT, HOST = "127.0.0.1", ADMIN_TOKEN, SHIPROCKET_WEBHOOK_SECRET } = process.env;

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
const pusher = new Pusher({
  appId: process.env.SOKETI_APP_ID,
  key: process.env.SOKETI_APP_KEY,
  secret: process.env.SOKETI_APP_SECRET,
  host: process.env.SOKETI_HOST,
  port: process.env.SOKETI_PORT,
  useTLS: false,
  // Without it the SDK opens a connection for each publish.
  agent: new http.Agent({ keepAlive: true }),
});

const attempts = 3;

async function work(log, push) {
  try {
    const order = await apply(pool, log, push);
    await pusher.triggerBatch([
      { channel: `order-${order.id}`, name: "tracking-update", data: snapshotEvent(order) },
      { channel: "shipments", name: "shipment-update", data: shipmentEvent(order) },
    ]);
    await pool.query("UPDATE webhook_logs SET status = 'processed', processed_at = now() WHERE id = $1", [log.id]);
  } catch (error) {
    const failed = log.attempt >= attempts;
    await pool.query("UPDATE webhook_logs SET status = $2, error = $3, attempts = $4 WHERE id = $1", [
      log.id,
      failed ? "failed" : "pending",
      String(error),
      log.attempt,
    ]);
    if (!failed) {
      setTimeout(() => work({ ...log, attempt: log.attempt + 1 }, push), 500 * log.attempt);
    }
  }
}

const app = express();
app.disable("x-powered-by");

app.get("/readyz", (_req, res) => res.json({ success: true }));

app.post("/api/webhooks/courier", express.raw({ type: "*/*", limit: "1mb" }), async (req, res) => {
  if (!verified(req.body, req.get("X-Shiprocket-Signature"), SHIPROCKET_WEBHOOK_SECRET)) {
    return res.status(401).json({ success: false, message: "Unauthorized: Invalid signature" });
  }
  let push;
  try {
    push = JSON.parse(req.body.toString("utf8"));
  } catch {
    return res.status(400).json({ success: false, message: "not JSON" });
  }
  const { eventId, awb } = receipt(push);
  const known = await pool.query("SELECT status FROM webhook_logs WHERE event_id = $1", [eventId]);
  if (known.rowCount > 0) {
    return res.json({ success: true, message: "Event already processed", eventId, status: known.rows[0].status });
  }
  const kept = await pool.query(
    "INSERT INTO webhook_logs (event_id, awb, payload) VALUES ($1, $2, $3) ON CONFLICT (event_id) DO NOTHING RETURNING id",
    [eventId, awb, push],
  );
  res.json({ success: true, message: "Webhook received and queued for processing", eventId });
  if (kept.rowCount > 0) {
    setImmediate(work, { id: kept.rows[0].id, attempt: 1, orderId: randomUUID() }, push);
  }
});

app.get("/api/webhooks/logs", async (req, res) => {
  if (req.get("Authorization") !== `Bearer ${ADMIN_TOKEN}`) {
    return res.status(401).json({ success: false });
  }
  const { status } = req.query;
  const where = status ? "WHERE status = $1" : "";
  const { rows } = await pool.query(`SELECT count(*)::int AS total FROM webhook_logs ${where}`, status ? [status] : []);
  res.json({ success: true, data: [], total: rows[0].total });
});

await pool.query(await readFile(new URL("schema.sql", import.meta.url), "utf8"));
app.listen(Number(PORT), HOST);
