import { type ComponentProps, Fragment } from 'react';
import { useNow } from '../clock';
import { useParcel, useTracker } from '../context';
import { agoInWords } from '../dates';
import { titleOf } from '../story';
import { Icon } from './Icon';

/** The newest line of the history: what, where, and how long ago. */
export function Latest({ className = '', ...rest }: ComponentProps<'p'>) {
  const { messages } = useTracker();
  const parcel = useParcel();
  const now = useNow();
  const newest = parcel?.trackingHistory.at(-1);
  if (!newest) return null;
  const ago = now === null ? null : agoInWords(newest.timestamp, now, messages);
  return (
    <p {...rest} className={`waybill-latest ${className}`.trim()}>
      <Icon name="pin" />
      <span className="waybill-aside">{messages.labels.latest}: </span>
      <span>
        {[...new Set([newest.location, titleOf(newest, messages)])].filter(Boolean).map((part, index) => (
          <Fragment key={part}>
            {index > 0 && ' '}
            <span className="waybill-part">
              {index > 0 && '· '}
              {part}
            </span>
          </Fragment>
        ))}
        {ago && <span className="waybill-ago"> · {ago}</span>}
      </span>
    </p>
  );
}
