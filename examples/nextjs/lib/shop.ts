import 'server-only';
import { readFile } from 'node:fs/promises';

/** An order as the shop keeps it. What moves is Waybill's to know. */
export interface ShopOrder {
  number: string;
  title: string;
}

/** The orders of the buyer who is signed in; a file stands in for the shop's database. */
export async function shopOrders(): Promise<ShopOrder[]> {
  return JSON.parse(
    await readFile(/* turbopackIgnore: true */ process.env.SHOP_ORDERS ?? 'orders.json', 'utf8'),
  );
}
