import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { line, order, update } from '../test/orders';
import FakePusher from '../test/pusher';
import { lingers, patience, reviveAfter } from './live';
import { answerWithin } from './request';
import {
  awayFor,
  gapJitter,
  olderAgain,
  pollEvery,
  reconnectJitter,
  storeFor,
  subscriptionWait,
} from './store';
import type { Snapshot } from './tracking';

vi.mock('pusher-js', () => import('../test/pusher'));

// Every test has a server of its own, and so a store of its own.
let server = 0;
let answer: Snapshot | number;
const fetched = vi.fn(async (_url: string) =>
  typeof answer === 'number'
    ? new Response('{}', { status: answer })
    : Response.json({ success: true, data: answer }),
);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('fetch', fetched);
  FakePusher.reset();
  fetched.mockClear();
  server += 1;
  answer = order(4, 'in_transit');
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const base = () => `https://${server}.example`;
const live = () => storeFor({ apiUrl: base(), soketiKey: 'key' });
const socketOnly = () => storeFor({ soketiKey: 'key', soketiHost: `${server}.example` });
const settle = () => vi.advanceTimersByTimeAsync(0);

function milestones(store: ReturnType<typeof storeFor>, orderId = 'a') {
  return store.view(orderId)?.order?.shipments.map(({ milestone }) => milestone);
}

/** As a component does: keeps the order, and keeps it up to date. */
function follow(
  store: ReturnType<typeof storeFor>,
  orderId: string,
  initial: Snapshot | null,
  changed: () => void,
) {
  const unwatch = store.watch(orderId, initial, changed);
  const unlisten = store.listen(orderId);
  return () => {
    unlisten();
    unwatch();
  };
}

async function started() {
  const store = live();
  const changed = vi.fn();
  const stop = follow(store, 'a', null, changed);
  FakePusher.only.accept();
  await settle();
  changed.mockClear();
  fetched.mockClear();
  return { store, changed, stop };
}

test('it subscribes first and reads the snapshot then', async () => {
  const store = live();
  follow(store, 'a b', null, () => {});
  expect([...FakePusher.only.channels.keys()]).toEqual(['order-a b']);
  await vi.advanceTimersByTimeAsync(subscriptionWait - 1);
  expect(fetched).not.toHaveBeenCalled();
  FakePusher.only.accept();
  await settle();
  expect(fetched.mock.calls.map(([url]) => url)).toEqual([`${base()}/api/track/a%20b`]);
  expect(store.view('a b')).toMatchObject({ state: 'ready', connection: 'live' });
});

test('a server that cannot be reached by socket is asked all the same, again and again', async () => {
  const store = live();
  follow(store, 'a', null, () => {});
  await vi.advanceTimersByTimeAsync(subscriptionWait);
  expect(store.view('a')).toMatchObject({ state: 'ready', connection: 'connecting' });
  FakePusher.only.drop('unavailable');
  await vi.advanceTimersByTimeAsync(pollEvery * 1.25);
  expect(fetched).toHaveBeenCalledTimes(2);
  expect(store.view('a')?.connection).toBe('reconnecting');
});

test('while it is live nothing is polled', async () => {
  await started();
  await vi.advanceTimersByTimeAsync(pollEvery * 1.25);
  fetched.mockClear();
  await vi.advanceTimersByTimeAsync(pollEvery * 10);
  expect(fetched).not.toHaveBeenCalled();
});

test('events are shown, whatever order id they carry', async () => {
  const { store, changed } = await started();
  FakePusher.only.publish('a', update(5, 'out_for_delivery', { orderId: 'an older name of it' }));
  expect(milestones(store)).toEqual(['out_for_delivery']);
  expect(changed).toHaveBeenCalledTimes(1);
  expect(fetched).not.toHaveBeenCalled();
});

test('older events are dropped without a word', async () => {
  const { store, changed } = await started();
  FakePusher.only.publish('a', update(4, 'created'));
  FakePusher.only.publish('a', 'nonsense');
  expect(milestones(store)).toEqual(['in_transit']);
  expect(changed).not.toHaveBeenCalled();
});

test('a gap in versions is mended by a snapshot', async () => {
  const { store } = await started();
  answer = order(7, 'delivered');
  FakePusher.only.publish('a', update(6, 'out_for_delivery'));
  expect(milestones(store)).toEqual(['out_for_delivery']);
  expect(fetched).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(gapJitter);
  expect(fetched).toHaveBeenCalledTimes(1);
  expect(milestones(store)).toEqual(['delivered']);
});

test('a snapshot from before the gap is asked for again', async () => {
  const { store } = await started();
  answer = order(4, 'in_transit');
  FakePusher.only.publish('a', update(6, 'out_for_delivery'));
  await vi.advanceTimersByTimeAsync(gapJitter);
  answer = order(6, 'out_for_delivery', { deliveryAttempts: 1 });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(store.view('a')?.order).toMatchObject({ version: 6, ahead: [] });
  await vi.advanceTimersByTimeAsync(pollEvery * 2);
  const calls = fetched.mock.calls.length;
  await vi.advanceTimersByTimeAsync(pollEvery * 2);
  expect(fetched).toHaveBeenCalledTimes(calls);
});

test('after a reconnect the snapshot is read again, not by everyone at once', async () => {
  const { store } = await started();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  answer = order(9, 'delivered');
  FakePusher.only.drop();
  FakePusher.only.accept();
  await vi.advanceTimersByTimeAsync(reconnectJitter / 2 - 1);
  expect(fetched).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(milestones(store)).toEqual(['delivered']);
});

/** As after a restart of the server: the connection is lost, had again, and the snapshot read. */
async function reconnected() {
  FakePusher.only.drop();
  FakePusher.only.accept();
  await vi.advanceTimersByTimeAsync(reconnectJitter);
}

test('a server that was restored from a backup is believed when it says so twice', async () => {
  answer = order(9, 'delivered');
  const { store, stop } = await started();
  answer = order(6, 'in_transit');
  await reconnected();
  expect(milestones(store)).toEqual(['delivered']);
  answer = order(7, 'out_for_delivery');
  await vi.advanceTimersByTimeAsync(olderAgain + gapJitter);
  expect(milestones(store)).toEqual(['out_for_delivery']);
  expect(fetched).toHaveBeenCalledTimes(2);
  FakePusher.only.publish('a', update(8, 'delivery_failed'));
  expect(milestones(store)).toEqual(['delivery_failed']);
  stop();
});

test('one older answer undoes nothing, nor do two when what is newer came between them', async () => {
  answer = order(9, 'delivered');
  const { store, stop } = await started();
  answer = order(8, 'out_for_delivery');
  await reconnected();
  answer = order(9, 'delivered');
  await vi.advanceTimersByTimeAsync(olderAgain + gapJitter);
  answer = order(8, 'out_for_delivery');
  await vi.advanceTimersByTimeAsync(olderAgain);
  await reconnected();
  expect(milestones(store)).toEqual(['delivered']);
  FakePusher.only.publish('a', update(10, 'return_created'));
  await vi.advanceTimersByTimeAsync(olderAgain + gapJitter);
  expect(milestones(store)).toEqual(['return_created']);
  stop();
});

test('who believed a server that only lagged finds it out by himself', async () => {
  answer = order(9, 'delivered');
  const { store, stop } = await started();
  answer = order(8, 'out_for_delivery');
  await reconnected();
  await vi.advanceTimersByTimeAsync(olderAgain + gapJitter);
  expect(milestones(store)).toEqual(['out_for_delivery']);
  answer = order(9, 'delivered');
  await vi.advanceTimersByTimeAsync(pollEvery);
  expect(milestones(store)).toEqual(['delivered']);
  stop();
});

test('a short loss of the connection is not mentioned', async () => {
  const { store } = await started();
  FakePusher.only.drop();
  await vi.advanceTimersByTimeAsync(patience - 1);
  expect(store.view('a')?.connection).toBe('live');
  await vi.advanceTimersByTimeAsync(1);
  expect(store.view('a')?.connection).toBe('reconnecting');
  FakePusher.only.accept();
  expect(store.view('a')?.connection).toBe('live');
});

test('a refused connection is off, and the snapshot is polled', async () => {
  const { store } = await started();
  FakePusher.only.drop('disconnected');
  expect(store.view('a')?.connection).toBe('off');
  await vi.advanceTimersByTimeAsync(pollEvery * 1.25);
  expect(fetched).toHaveBeenCalledTimes(1);
});

test('a connection that does not come back is begun anew, on the same channels', async () => {
  const { store } = await started();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  const first = FakePusher.only;
  first.drop();
  await vi.advanceTimersByTimeAsync(reviveAfter - 1);
  expect(FakePusher.only).toBe(first);
  await vi.advanceTimersByTimeAsync(1);
  expect(FakePusher.only).not.toBe(first);
  expect([...FakePusher.only.channels.keys()]).toEqual(['order-a']);
  await vi.advanceTimersByTimeAsync(reviveAfter * 2);
  expect(FakePusher.opened).toBe(3);
  answer = order(5, 'delivered');
  FakePusher.only.accept();
  expect(store.view('a')?.connection).toBe('live');
  await vi.advanceTimersByTimeAsync(reconnectJitter);
  expect(milestones(store)).toEqual(['delivered']);
  await vi.advanceTimersByTimeAsync(pollEvery);
  expect(FakePusher.opened).toBe(3);
});

test('many trackers share one socket, one channel and one reading per order', async () => {
  const store = live();
  for (const orderId of ['a', 'a', 'b']) follow(store, orderId, null, () => {});
  const other = storeFor({
    apiUrl: `${base()}/other`,
    soketiKey: 'key',
    soketiHost: `${server}.example`,
    soketiPort: 443,
  });
  follow(other, 'a', null, () => {});
  expect(FakePusher.opened).toBe(1);
  expect([...FakePusher.only.channels.keys()]).toEqual(['order-a', 'order-b']);
  FakePusher.only.accept();
  await settle();
  expect(fetched).toHaveBeenCalledTimes(3);
});

test('the last one to leave gives up the channel, and then the socket', async () => {
  const store = live();
  const first = follow(store, 'a', null, () => {});
  const second = follow(store, 'a', null, () => {});
  const third = follow(store, 'b', null, () => {});
  FakePusher.only.accept();
  first();
  await vi.advanceTimersByTimeAsync(lingers);
  expect(FakePusher.only.channels.has('order-a')).toBe(true);
  second();
  await vi.advanceTimersByTimeAsync(lingers);
  expect([...FakePusher.only.channels.keys()]).toEqual(['order-b']);
  third();
  await vi.advanceTimersByTimeAsync(lingers);
  expect(FakePusher.open).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test('going from one page to the next keeps the channel', async () => {
  const { store, stop } = await started();
  stop();
  follow(store, 'a', null, () => {});
  await vi.advanceTimersByTimeAsync(lingers);
  expect(FakePusher.opened).toBe(1);
  expect(milestones(store)).toEqual(['in_transit']);
});

test('without an API it lives on the order and the socket alone', async () => {
  const store = socketOnly();
  follow(store, 'a', order(0, 'created'), () => {});
  FakePusher.only.accept();
  FakePusher.only.publish('a', update(7, 'in_transit'));
  FakePusher.only.publish('a', update(9, 'delivered'));
  await vi.advanceTimersByTimeAsync(pollEvery * 5);
  expect(milestones(store)).toEqual(['delivered']);
  expect(fetched).not.toHaveBeenCalled();
});

test('without anything it waits for the first event', () => {
  const store = socketOnly();
  follow(store, 'a', null, () => {});
  expect(store.view('a')?.state).toBe('waiting');
  FakePusher.only.accept();
  FakePusher.only.publish('a', update(1, 'created'));
  expect(store.view('a')?.state).toBe('ready');
});

test('an order that is unknown may come to be', async () => {
  answer = 404;
  const store = live();
  follow(store, 'a', null, () => {});
  FakePusher.only.accept();
  await settle();
  expect(store.view('a')?.state).toBe('missing');
  FakePusher.only.publish('a', update(1, 'created'));
  expect(store.view('a')?.state).toBe('ready');
});

test('a server in trouble is asked again, less and less often', async () => {
  answer = 503;
  const store = live();
  follow(store, 'a', null, () => {});
  FakePusher.only.accept();
  await settle();
  expect(store.view('a')?.state).toBe('unreachable');
  answer = order(4, 'in_transit');
  await vi.advanceTimersByTimeAsync(4_000);
  expect(store.view('a')?.state).toBe('ready');
});

test('an answer that never comes is not waited for, and is asked for again', async () => {
  const store = live();
  // As a phone does that has lost its cell: the request neither ends nor fails.
  const hanging = vi.fn(
    (_url: string, { signal }: RequestInit) =>
      new Promise<Response>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
  );
  vi.stubGlobal('fetch', hanging);
  follow(store, 'a', null, () => {});
  FakePusher.only.accept();
  await vi.advanceTimersByTimeAsync(answerWithin);
  expect(store.view('a')?.state).toBe('unreachable');
  vi.stubGlobal('fetch', fetched);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(store.view('a')?.state).toBe('ready');
});

test('it is not called live before the server has let it into the channel', async () => {
  const store = live();
  follow(store, 'a', null, () => {});
  FakePusher.only.connection.emit('state_change', { current: 'connected' });
  expect(store.view('a')?.connection).toBe('connecting');
  await vi.advanceTimersByTimeAsync(subscriptionWait);
  await vi.advanceTimersByTimeAsync(pollEvery * 1.25);
  expect(fetched).toHaveBeenCalledTimes(2);
  FakePusher.only.accept();
  expect(store.view('a')?.connection).toBe('live');
});

test('who comes back to a page after a while sees what happened meanwhile', async () => {
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  vi.stubGlobal('document', page);
  const turn = (state: string) => {
    page.visibilityState = state;
    page.dispatchEvent(new Event('visibilitychange'));
  };
  const { store } = await started();
  answer = order(7, 'delivered');
  turn('hidden');
  await vi.advanceTimersByTimeAsync(awayFor - 1);
  turn('visible');
  await vi.advanceTimersByTimeAsync(gapJitter);
  expect(fetched).not.toHaveBeenCalled();
  turn('hidden');
  await vi.advanceTimersByTimeAsync(awayFor);
  expect(fetched).not.toHaveBeenCalled();
  turn('visible');
  await vi.advanceTimersByTimeAsync(gapJitter);
  expect(fetched).toHaveBeenCalledTimes(1);
  expect(milestones(store)).toEqual(['delivered']);
});

test('without an API a shop’s order that is newer than the last event is believed', async () => {
  const store = socketOnly();
  follow(store, 'a', order(0, 'created'), () => {});
  FakePusher.only.accept();
  FakePusher.only.publish('a', update(7, 'in_transit', { trackingHistory: [line('in_transit', 20)] }));
  store.offer('a', order(0, 'created', { trackingHistory: [line('created', 19)] }));
  expect(milestones(store)).toEqual(['in_transit']);
  // The socket was lost for a while, and the shop has read its order again.
  store.offer('a', order(0, 'delivered', { trackingHistory: [line('delivered', 21)] }));
  expect(milestones(store)).toEqual(['delivered']);
  FakePusher.only.publish('a', update(7, 'in_transit', { trackingHistory: [line('in_transit', 20)] }));
  expect(milestones(store)).toEqual(['delivered']);
});

test('a shop that learns more tells it; one that knows less does not', async () => {
  const { store, changed } = await started();
  store.offer('a', order(3, 'created'));
  expect(changed).not.toHaveBeenCalled();
  store.offer('a', order(6, 'delivered'));
  expect(milestones(store)).toEqual(['delivered']);
});

test('what cannot be seen leaves its channel and keeps what it knows, and reads anew when it is seen again', async () => {
  const store = live();
  const changed = vi.fn();
  store.watch('a', null, changed);
  const unlisten = store.listen('a');
  FakePusher.only.accept();
  await settle();
  unlisten();
  unlisten();
  await vi.advanceTimersByTimeAsync(lingers);
  expect(FakePusher.open).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
  expect(milestones(store)).toEqual(['in_transit']);
  answer = order(6, 'delivered');
  store.listen('a');
  FakePusher.only.accept();
  await settle();
  expect(milestones(store)).toEqual(['delivered']);
});
