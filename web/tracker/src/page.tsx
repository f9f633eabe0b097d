/**
 * The hosted tracking page. The server has drawn everything once; this takes over what it drew, puts it
 * into the viewer's zone, and keeps it up to date.
 */
import { type ComponentChild, render } from 'preact';
import type { TrackerConfig } from './config';
import { OrderTracker } from './OrderTracker';
import { renewing } from './renewal';
import './styles.css';
import './page.css';

/** What the server puts into the page: see PageData in the server's package web. */
interface PageSettings extends TrackerConfig {
  orderId: string;
  lang: string;
  theme: 'auto' | 'light' | 'dark';
  watchToken?: string;
  snapshot: unknown;
}

const place = document.getElementById('tracker');
const settings = document.getElementById('settings')?.textContent;
if (place && settings) {
  const { snapshot, watchToken, ...rest } = JSON.parse(settings) as PageSettings;
  const token = watchToken === undefined ? {} : { watchToken: renewing(watchToken, location.href) };
  // Preact's own render keeps the elements that are there and mends them, where React's way would be to draw
  // all anew: the largest text would be painted a second time, and who had focus would lose it.
  render((<OrderTracker order={snapshot} {...rest} {...token} />) as ComponentChild, place);
}
