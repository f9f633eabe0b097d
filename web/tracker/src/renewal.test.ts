// @vitest-environment jsdom
import { afterEach, expect, test, vi } from 'vitest';
import { renewing } from './renewal';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function tokenUntil(time: number): string {
  return `${Math.floor(time / 1000).toString(36)}.signature${time}`;
}

function pageWith(token: string) {
  return vi.fn(
    async () =>
      new Response(
        `<!doctype html><script id="settings" type="application/json">${JSON.stringify({ watchToken: token })}</script>`,
      ),
  );
}

test('a token that is good for long is used as it is', async () => {
  const asked = pageWith('other');
  vi.stubGlobal('fetch', asked);
  const token = tokenUntil(Date.now() + 3_600_000);
  expect(await renewing(token, 'https://track.example/track/x')()).toBe(token);
  expect(asked).not.toHaveBeenCalled();
});

test('one that is about to end is read off the page, once', async () => {
  const fresh = tokenUntil(Date.now() + 3_600_000);
  const asked = pageWith(fresh);
  vi.stubGlobal('fetch', asked);
  const token = renewing(tokenUntil(Date.now() + 10_000), 'https://track.example/track/x');
  expect(await token()).toBe(fresh);
  expect(await token()).toBe(fresh);
  expect(asked).toHaveBeenCalledOnce();
});

test.each([
  ['nothing answers', () => Promise.reject(new Error('offline'))],
  ['the page is gone', () => Promise.resolve(new Response('gone', { status: 404 }))],
  ['the page holds no settings', () => Promise.resolve(new Response('<p>hello'))],
])('the old one is tried when %s', async (_, answer) => {
  vi.stubGlobal('fetch', vi.fn(answer));
  const old = tokenUntil(Date.now() - 1000);
  expect(await renewing(old, 'https://track.example/track/x')()).toBe(old);
});
