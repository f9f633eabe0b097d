import { type ComponentProps, useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react';
import { useNow, useZone } from '../clock';
import { type HeadingLevel, TrackerContext } from '../context';
import { useLanguage } from '../language';
import { useOnScreen } from '../onScreen';
import { byImportance } from '../parcels';
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
  const story = first ? tell(first, { messages, now, zone }) : null;
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
        {children}
        <Announcement story={story} version={tracking.order} />
      </section>
    </TrackerContext.Provider>
  );
}

/** Says aloud what a live update changed; what was there at first is read as the page is. */
function Announcement({ story, version }: { story: Story | null; version: unknown }) {
  const [said, say] = useState('');
  const before = useRef<{ headline: string; version: unknown } | null>(null);
  const headline = story?.headline ?? null;
  const detail = [...(story?.notes ?? []), ...(story?.details ?? [])][0] ?? '';
  useEffect(() => {
    if (headline === null) return;
    const moved =
      before.current && before.current.version !== version && before.current.headline !== headline;
    if (moved) say(`${headline}. ${detail}`.trim());
    before.current = { headline, version };
  }, [headline, detail, version]);
  return (
    <p className="waybill-aside" role="status">
      {said}
    </p>
  );
}
