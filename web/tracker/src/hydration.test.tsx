/** The first render in a browser is that of the server; then it says what the viewer's clock and zone say. */
import { act } from '@testing-library/react';
import { createRoot, hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, expect, test, vi } from 'vitest';
import { fixtureNow, fixtures } from '../dev/fixtures';
import FakePusher from '../test/pusher';
import { OrderTracker } from './index';

vi.mock('pusher-js', () => import('../test/pusher'));

afterEach(() => vi.useRealTimers());

test.each(['en', 'hi', undefined])('nothing differs between server and browser in %s', async (lang) => {
  vi.useFakeTimers({ now: Date.parse(fixtureNow), toFake: ['Date'] });
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  for (const order of [...Object.values(fixtures), undefined]) {
    const tracker = <OrderTracker lang={lang} order={order} orderId="hydrated" />;
    const place = document.createElement('div');
    place.innerHTML = renderToString(tracker);
    const mended: unknown[] = [];
    const root = await act(() =>
      hydrateRoot(place, tracker, { onRecoverableError: (fault) => mended.push(fault) }),
    );
    expect(mended).toEqual([]);
    await act(() => root.unmount());
  }
});

test.each([
  ['the server is the page’s own host', { apiUrl: '', soketiKey: 'key' }],
  ['another tracker is live already', { soketiKey: 'key', soketiHost: 'hydrated.example' }],
])('nothing differs where %s', async (_, live) => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  const tracker = <OrderTracker {...live} lang="en" order={fixtures['in-transit']} orderId="hydrated" />;
  const place = document.createElement('div');
  // On a server there is no page, and nothing is live.
  const page = vi.spyOn(globalThis, 'location', 'get').mockReturnValue(undefined as never);
  place.innerHTML = renderToString(tracker);
  page.mockRestore();
  const first = await act(() => {
    const root = createRoot(document.createElement('div'));
    root.render(<OrderTracker {...live} order={fixtures['in-transit']} orderId="first" />);
    return root;
  });
  act(() => FakePusher.only.accept());
  const mended: unknown[] = [];
  const root = await act(() =>
    hydrateRoot(place, tracker, { onRecoverableError: (fault) => mended.push(fault) }),
  );
  expect(mended).toEqual([]);
  await act(() => {
    root.unmount();
    first.unmount();
  });
  vi.useRealTimers();
  await vi.waitFor(() => expect(FakePusher.open).toEqual([]), { timeout: 10_000 });
});

test('times are in India until the browser says where it is', async () => {
  vi.useFakeTimers({ now: Date.parse(fixtureNow), toFake: ['Date'] });
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  const format = Intl.DateTimeFormat.prototype.resolvedOptions;
  const elsewhere = vi.spyOn(Intl.DateTimeFormat.prototype, 'resolvedOptions');
  elsewhere.mockImplementation(function (this: Intl.DateTimeFormat) {
    return { ...format.call(this), timeZone: 'Europe/London' };
  });
  const tracker = <OrderTracker lang="en" order={fixtures['in-transit']} orderId="hydrated" />;
  const place = document.createElement('div');
  place.innerHTML = renderToString(tracker);
  expect(place.textContent).toContain('10:01 pm');
  expect(place.textContent).toContain('Times are in Indian time (IST).');
  const root = await act(() => hydrateRoot(place, tracker));
  expect(place.textContent).toContain('4:31 pm');
  expect(place.textContent).toContain('Times are in GMT.');
  expect(place.querySelector('time')?.title).toBe('10:01 pm, Sun, 22 Nov in India (IST)');
  await act(() => root.unmount());
  elsewhere.mockRestore();
});
