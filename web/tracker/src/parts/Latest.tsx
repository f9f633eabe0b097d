import { type ComponentProps, Fragment } from 'react';
import { useNow } from '../clock';
import { useParcel, useTracker } from '../context';
import { agoInWords } from '../dates';
import { titleOf } from '../story';
import { Icon } from './Icon';

const dot = <span className="waybill-dot">· </span>;

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
      {/* Lines break between its parts, sooner than in one of them, and a dot at the start of a line is not seen. */}
      <span className="waybill-parts">
        <span className="waybill-line">
          {[...new Set([newest.location, titleOf(newest, messages)])].filter(Boolean).map((part, index) => (
            <Fragment key={part}>
              {index > 0 && ' '}
              <span className="waybill-part">
                {index > 0 && dot}
                {part}
              </span>
            </Fragment>
          ))}{' '}
          {ago && (
            <span className="waybill-part waybill-ago">
              {dot}
              {ago}
            </span>
          )}
        </span>
      </span>
    </p>
  );
}
