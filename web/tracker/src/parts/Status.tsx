import type { ComponentProps, ReactNode } from 'react';
import { useNow, useZone } from '../clock';
import { useParcel, useTracker } from '../context';
import { couriersOwn, tell } from '../story';
import type { Icon as IconName, Tone } from '../vocabulary';
import { Icon } from './Icon';

/** The one sentence that matters, what is not as promised, and what it means; children stand under it. */
export function Status({ children, ...rest }: ComponentProps<'div'>) {
  const { tracking, messages } = useTracker();
  const parcel = useParcel();
  const now = useNow();
  const zone = useZone();
  const { labels } = messages;

  if (parcel) {
    const { headline, couriers, icon, tone, notes, details } = tell(parcel, { messages, now, zone });
    return (
      <Sentence {...rest} couriers={couriers} headline={headline} icon={icon} tone={tone}>
        {notes.map((note) => (
          <p className="waybill-note" key={note}>
            {note}
          </p>
        ))}
        {details.length > 0 && <p className="waybill-details">{details.join(' ')}</p>}
        {children}
      </Sentence>
    );
  }
  switch (tracking.state) {
    case 'missing':
      return (
        <Sentence {...rest} headline={labels.missing} icon="question" tone="neutral">
          <p className="waybill-details">{labels.missingDetail}</p>
        </Sentence>
      );
    case 'unreachable':
      return (
        <Sentence {...rest} headline={labels.unreachable} icon="alert" tone="attention">
          <p className="waybill-details">{labels.unreachableDetail}</p>
          <button className="waybill-button" onClick={tracking.refresh} type="button">
            {labels.retry}
          </button>
        </Sentence>
      );
    case 'loading':
      return <Skeleton {...rest} />;
    default:
      return (
        <Sentence {...rest} headline={labels.waiting} icon="clock" tone="neutral">
          <p className="waybill-details">{labels.waitingDetail}</p>
        </Sentence>
      );
  }
}

interface SentenceProps extends ComponentProps<'div'> {
  headline: string;
  couriers?: boolean;
  icon: IconName;
  tone: Tone;
  children: ReactNode;
}

function Sentence({
  headline,
  couriers = false,
  icon,
  tone,
  children,
  className = '',
  ...rest
}: SentenceProps) {
  const { headingLevel } = useTracker();
  const Heading = `h${headingLevel}` as const;
  return (
    <div {...rest} className={`waybill-status ${className}`.trim()} data-tone={tone}>
      <span className="waybill-badge">
        <Icon name={icon} />
      </span>
      <div className="waybill-sentence">
        <Heading className="waybill-headline" {...(couriers ? couriersOwn : {})}>
          {headline}
        </Heading>
        {children}
      </div>
    </div>
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
