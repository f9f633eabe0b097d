import { type ComponentProps, Fragment } from 'react';
import { useNow } from '../clock';
import { useParcel, useTracker } from '../context';
import { agoInWords } from '../dates';
import { couriersOwn, placeOf, titleOf } from '../story';
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
  const place = placeOf(newest);
  const title = titleOf(newest, messages);
  const parts = [
    { said: place, couriers: true },
    { said: title === place ? null : title, couriers: !newest.milestone },
  ].filter(({ said }) => said);
  return (
    <p {...rest} className={`waybill-latest ${className}`.trim()}>
      <Icon name="pin" />
      <span className="waybill-aside">{messages.labels.latest}: </span>
      {/* Lines break between its parts, sooner than in one of them, and a dot at the start of a line is not seen. */}
      <span className="waybill-parts">
        <span className="waybill-line">
          {parts.map(({ said, couriers }, index) => (
            <Fragment key={said}>
              {index > 0 && ' '}
              <span className="waybill-part" {...(couriers ? couriersOwn : {})}>
                {index > 0 && dot}
                {said}
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
