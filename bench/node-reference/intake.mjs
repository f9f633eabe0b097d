import { createHmac, timingSafeEqual } from "node:crypto";

/** Whether the signature is the HMAC-SHA256 of the raw body, in hex. */
export function verified(body, signature, secret) {
  if (!Buffer.isBuffer(body) || !signature) {
    return false;
  }
  const expected = createHmac("sha256", secret).update(body).digest();
  const given = Buffer.from(signature, "hex");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** What a push is known by. */
export function receipt(push) {
  const awb = push.awb ? String(push.awb) : null;
  const parts = [awb ?? push.order_id ?? "none", push.current_status ?? "none", push.current_timestamp ?? "none"];
  return { awb, eventId: parts.join("-").replace(/[^A-Za-z0-9-]/g, "_") };
}
