import type { ComponentProps, ReactNode } from 'react';
import { useNow, useZone } from '../clock';
import { useParcel, useTracker } from '../context';
import { agoInWords } from '../dates';
import { tell, titleOf } from '../story';
import type { Entry } from '../tracking';
import type { Icon as IconName, Tone } from '../vocabulary';
import { Icon } from './Icon';

/** The one sentence that matters, what it means, and the newest line of the history. */
export function Status(props: ComponentProps<'div'>) {
  const { tracking, messages } = useTracker();
  const parcel = useParcel();
  const now = useNow();
  const zone = useZone();
  const { labels } = messages;

  if (parcel) {
    const story = tell(parcel, { messages, now, zone });
    return (
      <Sentence {...props} headline={story.headline} icon={story.icon} tone={story.tone}>
        {story.details.length > 0 && <p className="waybill-details">{story.details.join(' ')}</p>}
        {story.latest && <Latest entry={story.latest} now={now} />}
      </Sentence>
    );
  }
  switch (tracking.state) {
    case 'missing':
      return (
        <Sentence {...props} headline={labels.missing} icon="question" tone="neutral">
          <p className="waybill-details">{labels.missingDetail}</p>
        </Sentence>
      );
    case 'unreachable':
      return (
        <Sentence {...props} headline={labels.unreachable} icon="alert" tone="attention">
          <p className="waybill-details">{labels.unreachableDetail}</p>
          <button className="waybill-button" onClick={tracking.refresh} type="button">
            {labels.retry}
          </button>
        </Sentence>
      );
    case 'loading':
      return <Skeleton {...props} />;
    default:
      return (
        <Sentence {...props} headline={labels.waiting} icon="clock" tone="neutral">
          <p className="waybill-details">{labels.waitingDetail}</p>
        </Sentence>
      );
  }
}

interface SentenceProps extends ComponentProps<'div'> {
  headline: string;
  icon: IconName;
  tone: Tone;
  children: ReactNode;
}

function Sentence({ headline, icon, tone, children, className = '', ...rest }: SentenceProps) {
  const { headingLevel } = useTracker();
  const Heading = `h${headingLevel}` as const;
  return (
    <div {...rest} className={`waybill-status ${className}`.trim()} data-tone={tone}>
      <span className="waybill-badge">
        <Icon name={icon} />
      </span>
      <div className="waybill-sentence">
        <Heading className="waybill-headline">{headline}</Heading>
        {children}
      </div>
    </div>
  );
}

function Latest({ entry, now }: { entry: Entry; now: number | null }) {
  const { messages } = useTracker();
  const ago = now === null ? null : agoInWords(entry.timestamp, now, messages);
  return (
    <p className="waybill-latest">
      {[titleOf(entry, messages), entry.location, ago].filter(Boolean).join(' · ')}
    </p>
  );
}

function Skeleton({ className = '', ...rest }: ComponentProps<'div'>) {
  const { messages } = useTracker();
  return (
    <div {...rest} className={`waybill-status waybill-skeleton ${className}`.trim()} data-tone="neutral">
      <span className="waybill-badge" />
      <div className="waybill-sentence">
        <span className="waybill-aside">{messages.labels.loading}</span>
        <span className="waybill-bone" data-size="headline" />
        <span className="waybill-bone" data-size="line" />
        <span className="waybill-bone" data-size="short" />
      </div>
    </div>
  );
}
