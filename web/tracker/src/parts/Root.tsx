import {
  type ComponentProps,
  Fragment,
  useEffect,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useNow, useZone } from '../clock';
import { type HeadingLevel, TrackerContext } from '../context';
import { useLanguage } from '../language';
import { useOnScreen } from '../onScreen';
import { byImportance, nameOf } from '../parcels';
import { type Story, tell } from '../story';
import { type OrderTrackingOptions, useOrderTracking } from '../useOrderTracking';
import { fill } from '../vocabulary';

export interface RootProps extends OrderTrackingOptions, ComponentProps<'section'> {
  /** The order's public id, as Waybill gave it. */
  orderId: string;
  /** `en`, `hi` or a tag such as `hi-IN`; default: the language of `<html>`, else the viewer's. */
  lang?: string | undefined;
  /** Light, dark, or as the viewer's system prefers (the default). */
  theme?: 'auto' | 'light' | 'dark' | undefined;
  /** The level of the headline among the page's headings, 2 by default. */
  headingLevel?: HeadingLevel | undefined;
}

/** Listens to one order and hands what is known to the parts inside it. */
export function Root({
  orderId,
  order,
  apiUrl,
  soketiKey,
  soketiHost,
  soketiPort,
  soketiTls,
  soketiCluster,
  watchToken,
  authEndpoint,
  lang: tag,
  theme = 'auto',
  headingLevel = 2,
  className = '',
  children,
  ref,
  ...rest
}: RootProps) {
  const section = useRef<HTMLElement>(null);
  useImperativeHandle(ref, () => section.current as HTMLElement);
  const paused = !useOnScreen(section);
  const config = {
    apiUrl,
    soketiKey,
    soketiHost,
    soketiPort,
    soketiTls,
    soketiCluster,
    watchToken,
    authEndpoint,
  };
  const tracking = useOrderTracking(orderId, { ...config, order, paused });
  const { language, messages } = useLanguage(tag);
  const now = useNow();
  const zone = useZone();
  const shipments = useMemo(() => byImportance(tracking.order?.shipments ?? []), [tracking.order]);
  const first = shipments[0];
  const known = tracking.order?.shipments ?? [];
  const told = shipments.map((parcel) => ({
    place: known.indexOf(parcel),
    name: nameOf(parcel, known, messages),
    story: tell(parcel, { messages, now, zone }),
  }));
  const story = told[0]?.story;
  const scope = useMemo(
    () => ({ tracking, shipments, language, messages, headingLevel }),
    [tracking, shipments, language, messages, headingLevel],
  );

  return (
    <TrackerContext.Provider value={scope}>
      <section
        aria-busy={tracking.state === 'loading'}
        // Our languages run from left to right, on a page that does not too.
        dir="ltr"
        aria-label={fill(messages.labels.tracking, { number: tracking.order?.orderNumber ?? orderId })}
        {...rest}
        className={`waybill ${className}`.trim()}
        data-connection={tracking.connection}
        data-milestone={first?.milestone ?? undefined}
        data-state={tracking.state}
        data-theme={theme}
        data-tone={story?.tone}
        lang={language}
        ref={section}
      >
        {/* What was opened, copied or said belongs to one order. */}
        <Fragment key={orderId}>
          {children}
          <Announcement parcels={told} version={tracking.order} />
        </Fragment>
      </section>
    </TrackerContext.Provider>
  );
}

/** Nobody listens to thirty sentences; what matters most comes first. */
const saidAtOnce = 3;

interface Told {
  /** Its place among the order's parcels, which it keeps, where its id can come later. */
  place: number;
  name: string | null;
  story: Story;
}

/** Says aloud what a live update changed, of each parcel; what was there at first is read as the page is. */
function Announcement({ parcels, version }: { parcels: readonly Told[]; version: unknown }) {
  const [said, say] = useState('');
  const before = useRef<{ headlines: Map<number, string>; version: unknown } | null>(null);
  const headlines = JSON.stringify(parcels.map(({ place, story }) => [place, story.headline]));
  const latest = useRef(parcels);
  latest.current = parcels;
  useEffect(() => {
    const known = before.current;
    const now = new Map<number, string>(JSON.parse(headlines));
    if (now.size > 0) before.current = { headlines: now, version };
    if (!known || known.version === version) return;
    const moved = latest.current.filter(({ place, story }) => known.headlines.get(place) !== story.headline);
    if (moved.length > 0) say(moved.slice(0, saidAtOnce).map(inOneBreath).join(' '));
  }, [headlines, version]);
  return (
    <p className="waybill-aside" role="status">
      {said}
    </p>
  );
}

function inOneBreath({ name, story: { headline, notes, details } }: Told): string {
  const detail = notes[0] ?? details[0] ?? '';
  return `${name ? `${name}: ` : ''}${headline}. ${detail}`.trim();
}
