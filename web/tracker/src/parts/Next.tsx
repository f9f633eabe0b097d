import type { ComponentProps } from 'react';
import { useNow, useZone } from '../clock';
import { useParcel, useTracker } from '../context';
import { tell } from '../story';

/** What happens now, and what the buyer can do; nothing where there is nothing to say. */
export function Next({ className = '', ...rest }: ComponentProps<'div'>) {
  const { messages } = useTracker();
  const parcel = useParcel();
  const now = useNow();
  const zone = useZone();
  if (!parcel) return null;
  const { next, tone } = tell(parcel, { messages, now, zone });
  if (next.length === 0) return null;
  return (
    <div {...rest} className={`waybill-next ${className}`.trim()} data-tone={tone}>
      <p className="waybill-next-title">{messages.labels.next}</p>
      <p>{next.join(' ')}</p>
    </div>
  );
}
