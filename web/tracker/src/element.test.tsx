import { act, within } from '@testing-library/react';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { fixtureNow } from '../dev/fixtures';
import { order, update } from '../test/orders';
import FakePusher from '../test/pusher';
import { defineOrderTracker } from './element';

vi.mock('pusher-js', () => import('../test/pusher'));

beforeAll(() => {
  vi.useFakeTimers({ now: Date.parse(fixtureNow), toFake: ['Date'] });
  // jsdom knows style sheets only from elements.
  vi.stubGlobal(
    'CSSStyleSheet',
    class {
      replaceSync() {}
    },
  );
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  defineOrderTracker({ soketiKey: 'key', soketiHost: 'live.example' });
  defineOrderTracker();
});

afterEach(() => act(async () => document.body.replaceChildren()));

async function put(html: string) {
  await act(async () => {
    document.body.innerHTML = html;
  });
  const element = document.querySelector('order-tracker') as HTMLElement & { order: unknown };
  return {
    element,
    inside: within(element.shadowRoot?.firstElementChild?.parentNode as unknown as HTMLElement),
  };
}

test('it listens by its attributes and its defaults', async () => {
  const { inside } = await put('<order-tracker order-id="widget-1"></order-tracker>');
  expect(inside.getByRole('heading').textContent).toBe('Waiting for the first update');
  expect(FakePusher.only.options).toMatchObject({ wsHost: 'live.example' });
  act(() => FakePusher.only.publish('widget-1', update(1, 'delivered')));
  expect(inside.getByRole('heading').textContent).toBe('Delivered on Mon, 23 Nov');
});

test('it takes what the shop knows, and follows its attributes', async () => {
  const { element, inside } = await put('<order-tracker order-id="widget-2" theme="dark"></order-tracker>');
  await act(async () => {
    element.order = order(1, 'rto_delivered');
  });
  expect(inside.getByRole('heading').textContent).toBe('Your parcel is back at the shop');
  expect(inside.getByRole('region').dataset.theme).toBe('dark');
  expect(inside.getByText('19041424751540')).toBeTruthy();
  await act(async () => element.setAttribute('show-timeline', 'false'));
  expect(inside.queryByText('19041424751540')).toBeNull();
});

test('what the shop told before the script came counts', async () => {
  // An element before its upgrade has the order as a property of its own.
  const { element, inside } = await put('<order-tracker order-id="widget-4"></order-tracker>');
  await act(async () => element.remove());
  await act(async () => {
    Object.defineProperty(element, 'order', { configurable: true, value: order(1, 'lost'), writable: true });
    document.body.append(element);
  });
  expect(inside.getByRole('heading').textContent).toBe('The courier has lost your parcel');
  await act(async () => {
    element.order = order(2, 'delivered');
  });
  expect(inside.getByRole('heading').textContent).toBe('Delivered');
});

test('moved it stays, removed it leaves its channel', async () => {
  const { element } = await put('<div></div><order-tracker order-id="widget-3"></order-tracker>');
  await act(async () => document.querySelector('div')?.append(element));
  expect(FakePusher.only.channels.has('order-widget-3')).toBe(true);
  await act(async () => element.remove());
  await vi.waitFor(() => expect(FakePusher.open).toEqual([]), { timeout: 10_000 });
});
