/**
 * The hosted tracking page. The server has drawn everything once; this draws it again from the same
 * data, in the viewer's zone, and keeps it up to date.
 */
import { createRoot } from 'react-dom/client';
import type { TrackerConfig } from './config';
import { OrderTracker } from './OrderTracker';
import { renewing } from './renewal';
import './styles.css';
import './page.css';

/** What the server puts into the page: see PageData in the server's package web. */
interface PageSettings extends TrackerConfig {
  orderId: string;
  lang: string;
  watchToken?: string;
  snapshot: unknown;
}

const place = document.getElementById('tracker');
const settings = document.getElementById('settings')?.textContent;
if (place && settings) {
  const { snapshot, watchToken, ...rest } = JSON.parse(settings) as PageSettings;
  const token = watchToken === undefined ? {} : { watchToken: renewing(watchToken, location.href) };
  createRoot(place).render(<OrderTracker order={snapshot} {...rest} {...token} />);
}
