/**
 * What buyers are told, as a file that people read and that the server's tests compare its own pages with.
 * `npx vitest run -u stories` writes it anew after a change that is meant.
 */
import { expect, test } from 'vitest';
import { everyMilestone, fixtureNow, fixtures, history, shipment, snapshot } from '../dev/fixtures';
import { indianZone, timeInWords } from './dates';
import type { KnownShipment } from './merge';
import { byImportance, nameOf } from './parcels';
import { daysOf, placeOf, tell, titleOf, wordsOf } from './story';
import type { Entry, Snapshot } from './tracking';
import { type Language, languages, type Messages } from './vocabulary';

const now = Date.parse(fixtureNow);

const more: Record<string, Snapshot> = {
  nothing: snapshot(1, shipment(null)),
  'arriving-tomorrow': snapshot(1, shipment('in_transit', { estimatedDelivery: '2026-11-24' })),
  'arriving-next-year': snapshot(1, shipment('in_transit', { estimatedDelivery: '2027-01-02' })),
  'slipped-by-a-day': snapshot(
    1,
    shipment('picked_up', { estimatedDelivery: '2026-11-25', firstEstimatedDelivery: '2026-11-24' }),
  ),
  'out-since-yesterday': snapshot(
    1,
    shipment('out_for_delivery', { trackingHistory: history(['out_for_delivery', '2026-11-22 09:31']) }),
  ),
  'out-before-its-day': snapshot(
    1,
    shipment('out_for_delivery', {
      estimatedDelivery: '2026-11-25',
      firstEstimatedDelivery: '2026-11-24',
      trackingHistory: history(['out_for_delivery', '2026-11-23 09:31']),
    }),
  ),
  'out-after-its-day': snapshot(
    1,
    shipment('out_for_delivery', {
      estimatedDelivery: '2026-11-25',
      firstEstimatedDelivery: '2026-11-22',
      trackingHistory: history(['out_for_delivery', '2026-11-23 09:31']),
    }),
  ),
  'reason-from-the-scan': snapshot(
    1,
    shipment('delivery_failed', {
      deliveryAttempts: 2,
      trackingHistory: history(['delivery_failed', '2026-11-22 18:52', 'Pune', 'Address incomplete.']),
    }),
  ),
  'failed-on-its-day': snapshot(
    1,
    shipment('delivery_failed', {
      deliveryAttempts: 1,
      estimatedDelivery: '2026-11-23',
      trackingHistory: history(['delivery_failed', '2026-11-23 11:12', 'Pune', 'Door locked']),
    }),
  ),
  'delivered-past-midnight': snapshot(1, shipment('delivered', { deliveredAt: '2026-11-21T18:45:00Z' })),
  'return-lost': snapshot(1, shipment('lost', { direction: 'return' })),
  'return-moves-alone': snapshot(
    1,
    shipment('delivered', { id: 'a' }),
    shipment('return_in_transit', { id: 'b' }),
    shipment('return_created', { id: 'c' }),
  ),
  'our-own-sentence': snapshot(
    1,
    shipment('out_for_delivery', {
      trackingHistory: history(
        ['pickup_scheduled', '2026-11-23 08:00', 'Pune', 'A courier is on the way to collect the parcel.'],
        [null, '2026-11-23 09:00', 'Pune', 'A rider is handling the parcel.'],
        ['out_for_delivery', '2026-11-23 09:31', 'Pune', 'Out for delivery.'],
      ),
    }),
  ),
  'places-as-sent': snapshot(
    1,
    shipment('in_transit', {
      trackingHistory: history(
        ['picked_up', '2026-11-22 08:00', '__', 'Shipment picked up'],
        [null, '2026-11-22 09:00', 'RAJPUR  SERVICE\u00a0CENTER', 'Bagged'],
        ['in_transit', '2026-11-23 09:00', ' Surat_Mega_GW  (Gujarat)_', 'Trip arrived'],
      ),
    }),
  ),
  corrected: snapshot(1, shipment('in_transit', { corrected: true })),
};

function lineOf(entry: Entry, time: string, messages: Messages): string {
  const title = titleOf(entry, messages);
  return [time, title, placeOf(entry), wordsOf(entry, title, messages)?.words].filter(Boolean).join(' | ');
}

function told(language: Language, order: Snapshot) {
  const messages = languages[language];
  const known = order.shipments.map((each): KnownShipment => ({ ...each, version: order.version }));
  return byImportance(known).map((each) => {
    const { latest: _, ...story } = tell(each, { messages, now, zone: indianZone });
    return {
      name: nameOf(each, known, messages) ?? '',
      ...story,
      timeline: daysOf(each.trackingHistory, indianZone, each.trackingHistory.length).flatMap(({ entries }) =>
        entries.map(({ entry, hour, minute }) =>
          lineOf(entry, timeInWords({ day: '', hour, minute }, messages), messages),
        ),
      ),
    };
  });
}

for (const language of Object.keys(languages) as Language[]) {
  test(`every story in ${language}`, async () => {
    const orders = { ...fixtures, ...more, ...Object.fromEntries(everyMilestone) };
    const stories = Object.entries(orders).map(([name, order]) => ({
      name,
      order,
      told: told(language, order),
    }));
    const golden = JSON.stringify({ now: fixtureNow, language, stories }, null, 1);
    await expect(`${golden}\n`).toMatchFileSnapshot(`../testdata/stories-${language}.json`);
  });
}
