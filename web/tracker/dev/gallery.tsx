/**
 * Every state in every language and theme, at one moment that never passes. The query narrows it down:
 * `?lang=hi&theme=dark&states=rto,lost`, `&dir=rtl`, `&width=320`, `?states=milestones` for one row per milestone.
 */
import { createRoot } from 'react-dom/client';
import { OrderTracker, type OrderTrackerProps } from '../src';
import { languages } from '../src/vocabulary';
import FakePusher from '../test/pusher';
import { everyMilestone, fixtureNow, fixtures } from './fixtures';
import '../src/styles.css';
import './gallery.css';

Date.now = () => Date.parse(fixtureNow);

// Answers for the states that only a server can bring about.
window.fetch = (input) => {
  const url = String(input);
  if (url.includes('/missing')) return Promise.resolve(new Response('{}', { status: 404 }));
  if (url.includes('/unreachable')) return Promise.reject(new TypeError('no network'));
  return new Promise(() => {});
};

type Props = Omit<OrderTrackerProps, 'orderId'>;

/** A state of the connection: its socket is played with once it is open. */
function connected(state: string, play: (pusher: FakePusher) => void): Props {
  FakePusher.whenOpened(`${state}.example`, play);
  return { order: fixtures['in-transit'], soketiKey: 'gallery', soketiHost: `${state}.example` };
}

const states: Record<string, Props[]> = {
  ...Object.fromEntries(Object.entries(fixtures).map(([name, order]) => [name, [{ order }]])),
  loading: [{ apiUrl: '/gallery/loading' }],
  waiting: [{ soketiKey: 'gallery', soketiHost: 'waiting.example' }],
  missing: [{ apiUrl: '/gallery/missing' }],
  unreachable: [{ apiUrl: '/gallery/unreachable' }],
  connecting: [connected('connecting', () => {})],
  live: [connected('live', (pusher) => pusher.accept())],
  reconnecting: [connected('reconnecting', (pusher) => pusher.drop('unavailable'))],
  offline: [
    connected('offline', (pusher) => {
      Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => false });
      pusher.drop('unavailable');
      Reflect.deleteProperty(navigator, 'onLine');
    }),
  ],
  list: ['in-transit', 'slipped', 'failed-attempt', 'delivered', 'rto', 'parcels'].map((name) => ({
    order: fixtures[name],
    showTimeline: false,
  })),
};
const perMilestone: Record<string, Props[]> = Object.fromEntries(
  everyMilestone.map(([name, order]) => [name, [{ order }]]),
);

const query = new URLSearchParams(location.search);
const wanted = query.get('states')?.split(',');
const rows = Object.entries(wanted?.includes('milestones') ? perMilestone : states).filter(
  ([name]) => !wanted || wanted.includes(name) || wanted.includes('milestones'),
);
const variants = Object.keys(languages).flatMap((lang) =>
  (['light', 'dark'] as const).map((theme) => ({ lang, theme })),
);
const asked = (name: string, value: string) => (query.get(name) ?? value) === value;
const shown = variants.filter(({ lang, theme }) => asked('lang', lang) && asked('theme', theme));

document.documentElement.dir = query.get('dir') ?? 'ltr';
document.documentElement.lang = query.get('lang') ?? 'en';
const width = query.get('width');
if (width) document.documentElement.style.setProperty('--width', `${width}px`);
document.documentElement.style.setProperty('--variants', String(shown.length));

function Gallery() {
  return (
    <main className="gallery">
      <h1>OrderTracker: every state</h1>
      {rows.map(([name, trackers]) => (
        <section aria-label={name} id={name} key={name}>
          <h2>{name}</h2>
          <div className="variants">
            {shown.map(({ lang, theme }) => (
              <div className="variant" data-theme={theme} key={lang + theme}>
                {trackers.map((props, index) => (
                  <OrderTracker
                    {...props}
                    aria-label={`${name} ${lang} ${theme} ${index}`}
                    headingLevel={3}
                    key={JSON.stringify(props.order) ?? name}
                    lang={lang}
                    orderId={`${name}-${index}`}
                    theme={theme}
                  />
                ))}
              </div>
            ))}
          </div>
        </section>
      ))}
    </main>
  );
}

const place = document.getElementById('gallery');
if (place) createRoot(place).render(<Gallery />);
