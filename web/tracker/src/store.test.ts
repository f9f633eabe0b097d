import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { order, update } from '../test/orders';
import FakePusher from '../test/pusher';
import { type Access, askAgainAfter, lingers, patience, reviveAfter } from './live';
import { gapJitter, pollEvery, reconnectJitter, storeFor, subscriptionWait } from './store';
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
  access: Access | null = null,
) {
  const unwatch = store.watch(orderId, initial, changed);
  const unlisten = store.listen(orderId, access);
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

describe('a private channel', () => {
  const signed = vi.fn(async (..._request: Parameters<typeof fetch>) =>
    Response.json({ auth: 'key:signature' }),
  );
  const access = (token: Access['token']): Access => ({ endpoint: `${base()}/auth`, token });

  test('is opened with the token of the moment', async () => {
    const store = live();
    let token = 'first';
    follow(
      store,
      'a',
      null,
      () => {},
      access(async () => token),
    );
    expect([...FakePusher.only.channels.keys()]).toEqual(['private-order-a']);
    vi.stubGlobal('fetch', signed);
    token = 'second';
    expect(await FakePusher.only.authorize('private-order-a')).toEqual({ auth: 'key:signature' });
    const [url, request] = signed.mock.calls[0] ?? [];
    expect(url).toBe(`${base()}/auth`);
    expect(String(request?.body)).toBe('socket_id=1.1&channel_name=private-order-a&token=second');
  });

  test('that is refused is polled instead, and asked for again', async () => {
    const store = live();
    vi.spyOn(Math, 'random').mockReturnValue(0);
    follow(
      store,
      'a',
      null,
      () => {},
      access(() => 'expired'),
    );
    const pusher = FakePusher.only;
    pusher.accept();
    await settle();
    expect(store.view('a')?.connection).toBe('live');
    answer = 403;
    await expect(pusher.authorize('private-order-a')).rejects.toThrow('403');
    pusher.refuse('private-order-a');
    expect(store.view('a')?.connection).toBe('off');
    answer = order(6, 'delivered');
    await vi.advanceTimersByTimeAsync(pollEvery);
    expect(milestones(store)).toEqual(['delivered']);
    await vi.advanceTimersByTimeAsync(askAgainAfter);
    pusher.accept();
    expect(store.view('a')?.connection).toBe('live');
  });

  test('for which nobody signs is none', async () => {
    const store = live();
    follow(store, 'a', null, () => {});
    await expect(FakePusher.only.authorize('private-order-b')).rejects.toThrow('nobody signs');
  });
});
