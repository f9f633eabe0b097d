import { act, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { everyMilestone, fixtureNow, fixtures, shipment, snapshot } from '../dev/fixtures';
import { expectAccessible } from '../test/axe';
import { line, order, update } from '../test/orders';
import FakePusher from '../test/pusher';
import { OrderTracker, type OrderTrackerProps, useOrderTracking } from './index';
import { lingers } from './live';
import { offAfter } from './onScreen';
import { fill, languages } from './vocabulary';

vi.mock('pusher-js', () => import('../test/pusher'));

// Every test has a server of its own, and so a socket of its own.
let server = 0;
let live = {};

beforeEach(() => {
  server += 1;
  live = { soketiKey: 'key', soketiHost: `live-${server}.example` };
  vi.useFakeTimers({ now: Date.parse(fixtureNow), toFake: ['Date'] });
  FakePusher.reset();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

let orders = 0;

/** A layout of a shop's own, on the hook alone; its `order` is a new object in every render. */
function Line({ orderId }: { orderId: string }) {
  const { state, order: known } = useOrderTracking(orderId, { ...live, order: order(4, 'in_transit') });
  return <output>{`${state} ${known?.shipments[0]?.milestone}`}</output>;
}

/** Draws a tracker; the order's id is its own unless told, so that no test sees another's. */
function draw(props: Partial<OrderTrackerProps> = {}) {
  const orderId = props.orderId ?? `order-${++orders}`;
  const view = render(<OrderTracker orderId={orderId} {...props} />);
  return { ...view, orderId };
}

const headline = () => screen.getByRole('heading', { level: 2 }).textContent;

describe('a parcel on its way', () => {
  test('one sentence comes first, with the day', () => {
    draw({ order: fixtures.slipped });
    expect(headline()).toBe('Arriving Wed, 25 Nov');
    expect(screen.getByText(/Delayed by 2 days, was Mon, 23 Nov/)).toBeTruthy();
  });

  test('its steps say which is done and which is now', () => {
    draw({ order: fixtures['in-transit'] });
    const steps = within(screen.getByRole('list', { name: 'Progress' })).getAllByRole('listitem');
    expect(steps.map((step) => step.textContent)).toEqual([
      'Order placed (done)',
      'Picked up (done)',
      'In transit',
      'Out for delivery',
      'Delivered',
    ]);
    expect(steps.findIndex((step) => step.getAttribute('aria-current') === 'step')).toBe(2);
  });

  test('the courier and the number are there, and the number can be copied', async () => {
    const user = userEvent.setup();
    draw({ order: fixtures['in-transit'] });
    expect(screen.getByText('Delhivery Surface')).toBeTruthy();
    await user.click(screen.getByRole('button', { name: 'Copy tracking number 19041424751540' }));
    expect(await navigator.clipboard.readText()).toBe('19041424751540');
    expect(screen.getByRole('button', { name: 'Copied' })).toBeTruthy();
  });

  test('the timeline shows three lines, then all, by keyboard too', async () => {
    const user = userEvent.setup();
    draw({ order: fixtures['in-transit'] });
    const lines = () =>
      screen
        .getAllByRole('list')
        .slice(1)
        .flatMap((day) => within(day).getAllByRole('listitem'));
    expect(lines()).toHaveLength(3);
    const more = screen.getByRole('button', { name: 'Show all 5 updates' });
    expect(more.getAttribute('aria-expanded')).toBe('false');
    more.focus();
    await user.keyboard('{Enter}');
    expect(lines()).toHaveLength(5);
    expect(document.activeElement?.textContent).toBe('Show fewer updates');
  });
});

describe('bad news is told plainly', () => {
  test.each([
    [
      'failed-attempt',
      'The courier could not deliver your parcel',
      /Reason given by the courier: “Consignee unavailable”/,
    ],
    ['rto', 'Your parcel is on its way back to the shop', /will not arrive/],
    ['lost', 'The courier has lost your parcel', /Contact the shop/],
    ['late', 'Running late, was due Sat, 21 Nov', /moving between/],
    ['silent', 'Arriving Wed, 25 Nov', /No news from the courier since Fri, 20 Nov/],
  ])('%s', (name, sentence, detail) => {
    draw({ order: fixtures[name] });
    expect(headline()).toBe(sentence);
    expect(screen.getByText(detail)).toBeTruthy();
  });

  test('turning back replaces the steps that will not come', () => {
    draw({ order: fixtures.rto });
    const steps = screen.getByRole('list', { name: 'Progress' });
    expect(within(steps).queryByText('Delivered')).toBeNull();
    expect(within(steps).getByText('Back at the shop')).toBeTruthy();
  });
});

/** What each state says first, in both languages. */
const sentences: Record<string, [en: string, hi: string]> = {
  'not-shipped': ['Your order is being prepared', 'आपका ऑर्डर तैयार हो रहा है'],
  'no-scan-yet': ['Arriving Thu, 26 Nov', 'गुरुवार, 26 नवंबर को पहुँचेगा'],
  'in-transit': ['Arriving Wed, 25 Nov', 'बुधवार, 25 नवंबर को पहुँचेगा'],
  slipped: ['Arriving Wed, 25 Nov', 'बुधवार, 25 नवंबर को पहुँचेगा'],
  late: ['Running late, was due Sat, 21 Nov', 'देरी हो रही है, शनिवार, 21 नवंबर को पहुँचना था'],
  silent: ['Arriving Wed, 25 Nov', 'बुधवार, 25 नवंबर को पहुँचेगा'],
  'out-for-delivery': ['Arriving today', 'आज पहुँचेगा'],
  'failed-attempt': ['The courier could not deliver your parcel', 'कूरियर आपका पार्सल डिलीवर नहीं कर पाया'],
  'third-attempt': ['The courier could not deliver your parcel', 'कूरियर आपका पार्सल डिलीवर नहीं कर पाया'],
  delivered: ['Delivered on Mon, 23 Nov', 'सोमवार, 23 नवंबर को डिलीवर हुआ'],
  rto: ['Your parcel is on its way back to the shop', 'आपका पार्सल विक्रेता के पास वापस जा रहा है'],
  lost: ['The courier has lost your parcel', 'कूरियर से आपका पार्सल खो गया है'],
  damaged: ['Your parcel was damaged on the way', 'आपका पार्सल रास्ते में खराब हो गया'],
  disposed: ['The courier has disposed of your parcel', 'कूरियर ने आपका पार्सल नष्ट कर दिया है'],
  cancelled: ['This delivery was cancelled', 'यह डिलीवरी रद्द कर दी गई है'],
  parcels: ['Arriving Wed, 25 Nov', 'बुधवार, 25 नवंबर को पहुँचेगा'],
  'long-history': ['On its way', 'पार्सल रास्ते में है'],
  'unknown-status': ['Held at customs', 'Held at customs'],
  hostile: ['On its way', 'पार्सल रास्ते में है'],
};

describe.each(['en', 'hi'] as const)('in %s', (lang) => {
  const { labels, story } = languages[lang];

  test.each(Object.keys(fixtures))('%s', (name) => {
    draw({ order: fixtures[name], lang });
    expect(screen.getAllByRole('heading', { level: 2 })[0]?.textContent).toBe(
      sentences[name]?.[lang === 'en' ? 0 : 1],
    );
    expect(screen.getByRole('region').lang).toBe(lang);
    expect(screen.queryAllByRole('list', { name: labels.progress }).length).toBe(
      name === 'unknown-status' ? 0 : name === 'parcels' ? 3 : 1,
    );
  });

  test('a parcel that nobody scanned says so, and one without a number that it is not shipped', () => {
    draw({ order: fixtures['no-scan-yet'], lang });
    expect(screen.getByText(new RegExp(story.noScan))).toBeTruthy();
    draw({ order: fixtures['not-shipped'], lang });
    expect(screen.getByText(new RegExp(story.notShipped))).toBeTruthy();
  });

  test('a failed attempt says why, and what happens now', () => {
    draw({ order: fixtures['failed-attempt'], lang });
    expect(screen.getByText(/“Consignee unavailable”/)).toBeTruthy();
    const title = screen.getByText(labels.next);
    expect(title.nextElementSibling?.textContent).toContain(
      lang === 'en' ? 'Tue, 24 Nov' : 'मंगलवार, 24 नवंबर',
    );
    expect(title.nextElementSibling?.textContent).toContain(languages[lang].milestones.delivery_failed.next);
  });

  test('after the third attempt it says what is at stake', () => {
    draw({ order: fixtures['third-attempt'], lang });
    expect(screen.getByText(labels.next).nextElementSibling?.textContent).toBe(
      fill(story.lastAttempt, { n: 3 }),
    );
  });

  test('a long history is short at first', () => {
    draw({ order: fixtures['long-history'], lang });
    expect(screen.getByRole('button', { name: fill(labels.showAll, { n: 40 }) })).toBeTruthy();
    expect(document.querySelectorAll('time')).toHaveLength(3);
  });

  test('what the courier wrote stays English, and is not for translators', () => {
    draw({ order: fixtures['in-transit'], lang });
    const words = screen.getByText('System weight captured');
    expect([words.lang, words.getAttribute('translate')]).toEqual(['en', 'no']);
  });

  test('so do his status as a headline, the newest line, and where it happened', () => {
    const entry = {
      ...line('in_transit', 1),
      milestone: null,
      status: 'BAG_HELD',
      location: 'Surat_Mega_GW',
    };
    const unknown = shipment(null, { currentStatus: 'HELD_AT CUSTOMS', trackingHistory: [entry] });
    draw({ order: snapshot(1, unknown), lang });
    const own = [
      screen.getByRole('heading', { name: 'Held at customs' }),
      ...screen.getAllByText('Surat Mega GW'),
      ...screen.getAllByText('Bag held', { exact: false }),
    ];
    expect(own).toHaveLength(5);
    for (const { lang: spoken, translate } of own.map((each) => ({
      lang: each.lang,
      translate: each.getAttribute('translate'),
    })))
      expect([spoken, translate]).toEqual(['en', 'no']);
    draw({ order: fixtures['in-transit'], lang });
    expect(
      screen.getByText(languages[lang].milestones.in_transit.label, { selector: '.waybill-part' }).lang,
    ).toBe('');
  });
});

test('without a language of its own it speaks that of the page', () => {
  document.documentElement.lang = 'hi-IN';
  draw({ order: fixtures['out-for-delivery'] });
  expect(headline()).toBe('आज पहुँचेगा');
  document.documentElement.lang = '';
});

describe('several parcels', () => {
  test('each has its own sentence, returns come last', () => {
    draw({ order: fixtures.parcels });
    const groups = screen.getAllByRole('group');
    expect(groups.map((group) => group.getAttribute('aria-label'))).toEqual([
      'Parcel 2 of 2',
      'Parcel 1 of 2',
      'Return',
    ]);
    const sentences = groups.map((group) => within(group).getByRole('heading').textContent);
    expect(sentences).toEqual([
      'Arriving Wed, 25 Nov',
      'Delivered on Mon, 23 Nov',
      'Your return is on its way to the shop',
    ]);
  });
});

describe('what others wrote stays text', () => {
  test('markup is shown, not made', () => {
    const { container } = draw({ order: fixtures.hostile });
    expect(container.querySelector('script, img, b')).toBeNull();
    expect(screen.getByText('<img src=x onerror=alert(1)>')).toBeTruthy();
  });

  test('no element has a style of its own, so that strict pages can show it', () => {
    const { container } = draw({ order: fixtures.parcels });
    expect(container.querySelector('[style]')).toBeNull();
  });
});

describe('live', () => {
  test('an event changes the sentence and is said aloud', async () => {
    const { orderId } = draw({ ...live, order: order(4, 'in_transit') });
    act(() => FakePusher.only.accept());
    expect(screen.getByText(/^Live/)).toBeTruthy();
    expect(screen.getByRole('status').textContent).toBe('');
    act(() => FakePusher.only.publish(orderId, update(5, 'out_for_delivery')));
    expect(headline()).toBe('Arriving today');
    expect(screen.getByRole('status').textContent).toBe('Arriving today. The courier is bringing it to you.');
    expect(screen.getByText('Live · updated 1 min ago')).toBeTruthy();
  });

  test('an event that changes nothing a buyer reads is not said', () => {
    const { orderId } = draw({ ...live, order: order(4, 'in_transit') });
    act(() => FakePusher.only.accept());
    act(() => FakePusher.only.publish(orderId, update(5, 'in_transit')));
    expect(screen.getByRole('status').textContent).toBe('');
  });

  test('a shop’s own order that the server knows too is not said again, nor closed', async () => {
    const user = userEvent.setup();
    const { trackingHistory } = fixtures['in-transit']?.shipments[0] ?? {};
    const shipping = { awb_code: '19041424751540', current_status: 'IN TRANSIT', trackingHistory };
    const { orderId } = draw({ ...live, order: { shipping } });
    const more = screen.getByRole('button', { name: 'Show all 5 updates' });
    await user.click(more);
    act(() => FakePusher.only.accept());
    act(() => FakePusher.only.publish(orderId, update(5, 'in_transit', { trackingHistory })));
    expect(screen.getByRole('status').textContent).toBe('');
    expect(screen.getByRole('button', { name: 'Show fewer updates' })).toBe(more);
    expect(document.activeElement).toBe(more);
  });

  test('another publisher’s parcels have no ids, and are told apart all the same', () => {
    const fault = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { orderId } = draw(live);
    act(() => FakePusher.only.accept());
    for (const [version, awbCode] of [
      [0, 'AWB1'],
      [0, 'AWB2'],
    ] as const)
      act(() => FakePusher.only.publish(orderId, update(version, 'in_transit', { awbCode, shipmentId: '' })));
    expect(screen.getAllByRole('group').map((group) => group.getAttribute('aria-label'))).toEqual([
      'Parcel 1 of 2',
      'Parcel 2 of 2',
    ]);
    expect(fault).not.toHaveBeenCalled();
    fault.mockRestore();
  });

  test('another order in its place begins closed, and is read as the page is', async () => {
    const user = userEvent.setup();
    const { rerender } = draw({ order: fixtures['in-transit'] });
    await user.click(screen.getByRole('button', { name: 'Show all 5 updates' }));
    rerender(<OrderTracker order={fixtures['long-history']} orderId="another" />);
    expect(screen.getByRole('button', { name: 'Show all 40 updates' })).toBeTruthy();
    expect(screen.getByRole('status').textContent).toBe('');
  });

  test('of many parcels that move at once the first three are said', async () => {
    const shipments = (milestone: 'in_transit' | 'out_for_delivery') =>
      Array.from({ length: 30 }, (_, i) => shipment(milestone, { id: `shp_${i}` }));
    const { rerender, orderId } = draw({ order: snapshot(1, ...shipments('in_transit')) });
    expect(screen.getAllByRole('group')).toHaveLength(30);
    rerender(<OrderTracker order={snapshot(2, ...shipments('out_for_delivery'))} orderId={orderId} />);
    const said = screen.getByRole('status').textContent ?? '';
    expect(said.match(/Parcel \d+ of 30/g)).toEqual(['Parcel 1 of 30', 'Parcel 2 of 30', 'Parcel 3 of 30']);
  });

  test('twenty trackers on a page use one socket', () => {
    const ids = Array.from({ length: 20 }, (_, i) => `list-${i}`);
    render(
      <main>
        {ids.map((id) => (
          <OrderTracker key={id} orderId={id} showTimeline={false} {...live} />
        ))}
      </main>,
    );
    expect(FakePusher.opened).toBe(1);
    expect(FakePusher.only.channels.size).toBe(20);
  });

  test('what is off the screen is not listened to, but for a moment', async () => {
    let tell: (isIntersecting: boolean) => void = () => {};
    vi.stubGlobal(
      'IntersectionObserver',
      class {
        constructor(callback: (entries: unknown[]) => void) {
          this.callback = callback;
        }
        callback;
        observe(target: Element) {
          tell = (isIntersecting) => act(() => this.callback([{ target, isIntersecting }]));
        }
        unobserve() {}
      },
    );
    vi.useFakeTimers({ now: Date.parse(fixtureNow) });
    const { orderId } = draw({ ...live, order: order(4, 'in_transit') });
    expect(FakePusher.opened).toBe(0);
    tell(true);
    act(() => FakePusher.only.accept());
    act(() => FakePusher.only.publish(orderId, update(5, 'out_for_delivery')));
    tell(false);
    act(() => vi.advanceTimersByTime(offAfter - 1));
    expect(FakePusher.only.channels.size).toBe(1);
    act(() => vi.advanceTimersByTime(1));
    act(() => vi.advanceTimersByTime(lingers));
    expect(FakePusher.open).toEqual([]);
    expect(headline()).toBe('Arriving today');
    tell(true);
    expect(FakePusher.only.channels.has(`order-${orderId}`)).toBe(true);
  });

  test('with a watch token it listens to the private channel', () => {
    const { orderId } = draw({ ...live, watchToken: 'token', order: order(4, 'in_transit') });
    expect([...FakePusher.only.channels.keys()]).toEqual([`private-order-${orderId}`]);
  });

  test('a parent that renders again, with a new object each time, does not start over', () => {
    const { rerender, orderId } = draw({ ...live, order: order(4, 'in_transit') });
    act(() => FakePusher.only.accept());
    act(() => FakePusher.only.publish(orderId, update(5, 'delivered')));
    rerender(<OrderTracker orderId={orderId} {...live} order={order(4, 'in_transit')} />);
    expect(FakePusher.opened).toBe(1);
    expect(headline()).toBe('Delivered on Mon, 23 Nov');
  });

  test('the hook tells the same to a layout of one’s own', () => {
    render(<Line orderId="hook" />);
    expect(screen.getByText('ready in_transit')).toBeTruthy();
    act(() => FakePusher.only.accept());
    act(() => FakePusher.only.publish('hook', update(5, 'delivered')));
    expect(screen.getByText('ready delivered')).toBeTruthy();
  });
});

describe('without data', () => {
  const answering = (status: number, body: unknown = {}) =>
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => Response.json(body, { status })),
    );

  test('a skeleton, then the order', async () => {
    answering(200, { success: true, data: order(4, 'in_transit') });
    const { container } = draw({ apiUrl: 'https://api-1.example' });
    expect(screen.getByRole('region').getAttribute('aria-busy')).toBe('true');
    expect(screen.getByText('Loading the latest tracking')).toBeTruthy();
    await expectAccessible(container);
    expect(await screen.findByRole('heading', { name: 'On its way' })).toBeTruthy();
    expect(screen.getByRole('region').getAttribute('aria-busy')).toBe('false');
  });

  test('an unknown order is said to be one', async () => {
    answering(404);
    draw({ apiUrl: 'https://api-2.example' });
    expect(await screen.findByRole('heading', { name: 'We cannot find this order' })).toBeTruthy();
  });

  test('a server in trouble can be asked again', async () => {
    const user = userEvent.setup();
    answering(503);
    draw({ apiUrl: 'https://api-3.example' });
    await screen.findByRole('heading', { name: 'Tracking cannot be reached right now' });
    answering(200, { data: order(1, 'created') });
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('heading', { name: 'Your order is being prepared' })).toBeTruthy();
  });

  test('with a socket alone it says that it waits', () => {
    draw(live);
    expect(headline()).toBe('Waiting for the first update');
  });
});

test.each(everyMilestone)('%s has a sentence, an icon and a step', (milestone, each) => {
  const { container } = draw({ order: each, showTimeline: false });
  expect(container.querySelector('.waybill')?.getAttribute('data-milestone')).toBe(milestone);
  expect(container.querySelector('h2')?.textContent).toBeTruthy();
  expect(container.querySelectorAll('.waybill-badge path').length).toBeGreaterThan(0);
  expect(container.querySelectorAll('[aria-current=step]')).toHaveLength(1);
});

test('parts make a layout of one’s own, and refuse to stand alone', () => {
  render(
    <OrderTracker.Root aria-label="My parcel" headingLevel={4} order={fixtures.rto} orderId="parts">
      <OrderTracker.Status className="mine" />
    </OrderTracker.Root>,
  );
  expect(screen.getByRole('region', { name: 'My parcel' })).toBeTruthy();
  expect(screen.getByRole('heading', { level: 4 })).toBeTruthy();
  expect(screen.queryByRole('list')).toBeNull();
  vi.spyOn(console, 'error').mockImplementation(() => {});
  expect(() => render(<OrderTracker.Status />)).toThrow('inside OrderTracker.Root');
});
