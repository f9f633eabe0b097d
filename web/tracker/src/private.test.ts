/** An order's private channel: who signs for it, and what becomes of it when nobody does. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { order } from '../test/orders';
import FakePusher from '../test/pusher';
import { type Access, askAgainAfter, lingers } from './live';
import { pollEvery, storeFor } from './store';
import type { Snapshot } from './tracking';

vi.mock('pusher-js', () => import('../test/pusher'));

// Every test has a server of its own, and so a store of its own.
let server = 0;
let answer: Snapshot | number;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal(
    'fetch',
    vi.fn(async () =>
      typeof answer === 'number' ? new Response('{}', { status: answer }) : Response.json({ data: answer }),
    ),
  );
  FakePusher.reset();
  server += 1;
  answer = order(4, 'in_transit');
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const base = () => `https://private-${server}.example`;
const live = () => storeFor({ apiUrl: base(), soketiKey: 'key' });
const settle = () => vi.advanceTimersByTimeAsync(0);

function milestones(store: ReturnType<typeof storeFor>) {
  return store.view('a')?.order?.shipments.map(({ milestone }) => milestone);
}

function follow(store: ReturnType<typeof storeFor>, access: Access | null = null) {
  const unwatch = store.watch('a', null, () => {});
  const unlisten = store.listen('a', access);
  return () => {
    unlisten();
    unwatch();
  };
}

const signed = vi.fn(async (..._request: Parameters<typeof fetch>) =>
  Response.json({ auth: 'key:signature' }),
);
const access = (token: Access['token']): Access => ({ endpoint: `${base()}/auth`, token });

test('a private channel is opened with the token of the moment', async () => {
  const store = live();
  let token = 'first';
  follow(
    store,
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

test('is opened by whoever of an order’s watchers has a token', async () => {
  const store = live();
  follow(store);
  expect([...FakePusher.only.channels.keys()]).toEqual(['order-a']);
  const leave = follow(
    store,
    access(() => 'token'),
  );
  await vi.advanceTimersByTimeAsync(lingers);
  expect([...FakePusher.only.channels.keys()]).toEqual(['private-order-a']);
  leave();
  await vi.advanceTimersByTimeAsync(lingers);
  expect([...FakePusher.only.channels.keys()]).toEqual(['order-a']);
});

test('that was refused is not called live by who comes to it next', async () => {
  const store = live();
  const expired = access(() => 'expired');
  const leave = follow(store, expired);
  const pusher = FakePusher.only;
  pusher.accept();
  pusher.refuse('private-order-a');
  expect(store.view('a')?.connection).toBe('off');
  leave();
  follow(store, expired);
  expect(store.view('a')?.connection).not.toBe('live');
  // It is asked anew, perhaps with another token.
  pusher.accept();
  expect(store.view('a')?.connection).toBe('live');
});

test('for which nobody signs is none', async () => {
  const store = live();
  follow(store);
  await expect(FakePusher.only.authorize('private-order-b')).rejects.toThrow('nobody signs');
});
