import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import { fixtures } from '../dev/fixtures';
import { OrderTracker } from './index';

const drawn = (order: unknown) =>
  renderToString(
    createElement(OrderTracker, { orderId: 'a', order, soketiKey: 'key', soketiHost: 'live.example' }),
  );

test('a server draws the order, and nothing that depends on when or where it is read', () => {
  const html = drawn(fixtures.slipped);
  expect(html).toContain('Arriving Wed, 25 Nov');
  expect(html).toContain('10:01 pm');
  expect(html).toContain('Indian time (IST)');
  expect(html).not.toMatch(/ ago|Today|Yesterday/);
});

test('a server draws a page before anything is known', () => {
  expect(drawn(undefined)).toContain('Waiting for the first update');
});
