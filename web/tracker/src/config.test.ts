// @vitest-environment jsdom
import { afterEach, expect, test, vi } from 'vitest';
import { endpointsOf } from './config';

afterEach(() => vi.unstubAllEnvs());

test('nothing set means nothing live and nobody to ask', () => {
  expect(endpointsOf({})).toEqual({ apiUrl: null, realtime: null });
});

test('the variables of Next.js stand in for what is not given', () => {
  vi.stubEnv('NEXT_PUBLIC_WAYBILL_URL', 'https://track.example/');
  vi.stubEnv('NEXT_PUBLIC_SOKETI_KEY', 'key');
  vi.stubEnv('NEXT_PUBLIC_SOKETI_HOST', 'live.example');
  vi.stubEnv('NEXT_PUBLIC_SOKETI_PORT', '6001');
  vi.stubEnv('NEXT_PUBLIC_SOKETI_TLS', 'false');
  vi.stubEnv('NEXT_PUBLIC_SOKETI_CLUSTER', 'mt1');
  expect(endpointsOf({})).toEqual({
    apiUrl: 'https://track.example',
    realtime: { key: 'key', host: 'live.example', port: 6001, tls: false, cluster: 'mt1' },
  });
  expect(endpointsOf({ soketiHost: 'other.example', soketiTls: true }).realtime).toMatchObject({
    host: 'other.example',
    tls: true,
  });
});

test('the realtime server is where the API is, unless said otherwise', () => {
  const { realtime } = endpointsOf({ apiUrl: 'https://track.example:8443', soketiKey: 'key' });
  expect(realtime).toEqual({ key: 'key', host: 'track.example', port: 8443, tls: true, cluster: '' });
  const plain = endpointsOf({
    apiUrl: 'http://127.0.0.1:5000',
    soketiKey: 'key',
    soketiHost: 'live.example',
  });
  expect(plain.realtime).toMatchObject({ host: 'live.example', port: 80, tls: false });
});

test("an empty API address is the page's own host", () => {
  const { apiUrl, realtime } = endpointsOf({ apiUrl: '', soketiKey: 'key' });
  expect(apiUrl).toBe('');
  expect(realtime).toMatchObject({ host: location.hostname, port: Number(location.port) || 80, tls: false });
});

test('a cluster without a host is hosted Pusher', () => {
  const { realtime } = endpointsOf({
    soketiKey: 'key',
    soketiCluster: 'ap2',
    apiUrl: 'https://track.example',
  });
  expect(realtime).toEqual({ key: 'key', host: null, port: 443, tls: true, cluster: 'ap2' });
});
