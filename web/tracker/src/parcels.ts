/** Which parcel of an order comes first, and what each is called. */
import type { KnownShipment } from './merge';
import { fill, type Messages, milestones } from './vocabulary';

/**
 * The shipments, the one that matters most first. Deliveries come before returns, unless only a return is
 * still moving; within each the open ones come first, and of those the one with the newest line.
 */
export function byImportance(shipments: readonly KnownShipment[]): KnownShipment[] {
  const moving = shipments.filter(isOpen);
  const lead =
    moving.length > 0 && moving.every(({ direction }) => direction === 'return') ? 'return' : 'forward';
  const rank = (shipment: KnownShipment) =>
    (shipment.direction === lead ? 0 : 2) + (isOpen(shipment) ? 0 : 1);
  return [...shipments].sort((a, b) => rank(a) - rank(b) || newest(b) - newest(a));
}

function isOpen({ milestone }: KnownShipment): boolean {
  return milestone === null || !milestones[milestone].end;
}

function newest({ trackingHistory }: KnownShipment): number {
  return Date.parse(trackingHistory.at(-1)?.timestamp ?? '') || 0;
}

/** "Parcel 1 of 2", "Delivery" beside a "Return"; null for the only parcel of an order, which needs no name. */
export function nameOf(
  parcel: KnownShipment,
  shipments: readonly KnownShipment[],
  { labels }: Messages,
): string | null {
  const alike = shipments.filter(({ direction }) => direction === parcel.direction);
  const count = { n: alike.indexOf(parcel) + 1, total: alike.length };
  if (parcel.direction === 'return') {
    return alike.length > 1 ? fill(labels.returnOf, count) : labels.return;
  }
  if (shipments.length === 1) return null;
  return alike.length > 1 ? fill(labels.parcel, count) : labels.delivery;
}
