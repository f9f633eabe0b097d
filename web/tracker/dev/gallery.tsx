/** Every state on one page. `?milestones` shows one tracker per milestone instead, `?column=320px` sets their width. */
import { createRoot } from 'react-dom/client';
import { OrderTracker } from '../src';
import { everyMilestone, fixtures } from './fixtures';
import '../src/styles.css';
import './gallery.css';

// Answers for the states that only a server can bring about.
window.fetch = (input) => {
  const url = String(input);
  if (url.includes('missing')) return Promise.resolve(new Response('{}', { status: 404 }));
  if (url.includes('unreachable')) return Promise.reject(new TypeError('no network'));
  return new Promise(() => {});
};

const query = new URLSearchParams(location.search);
document.documentElement.style.setProperty('--column', query.get('column'));
const language = query.get('language') ?? undefined;

function States() {
  return (
    <div className="gallery">
      {Object.entries(fixtures).map(([name, order]) => (
        <section id={name} key={name}>
          <h2>{name}</h2>
          <OrderTracker language={language} order={order} orderId={name} />
        </section>
      ))}
      {['loading', 'missing', 'unreachable'].map((name) => (
        <section id={name} key={name}>
          <h2>{name}</h2>
          <OrderTracker apiUrl="/gallery" language={language} orderId={name} />
        </section>
      ))}
      <section className="list" id="list">
        <h2>list</h2>
        {['in-transit', 'failed-attempt', 'delivered', 'rto', 'parcels'].map((name) => (
          <OrderTracker
            key={name}
            language={language}
            order={fixtures[name]}
            orderId={`list-${name}`}
            showTimeline={false}
          />
        ))}
      </section>
    </div>
  );
}

function Milestones() {
  return (
    <div className="gallery">
      {everyMilestone.map(([milestone, order]) => (
        <OrderTracker key={milestone} language={language} order={order} orderId={milestone} />
      ))}
    </div>
  );
}

const place = document.getElementById('gallery');
if (place) createRoot(place).render(query.has('milestones') ? <Milestones /> : <States />);
