import type { ComponentProps } from 'react';
import { useNow, useZone } from '../clock';
import { useParcel, useTracker } from '../context';
import { tell } from '../story';
import { fill } from '../vocabulary';
import { Icon } from './Icon';

/** The steps of a parcel's journey; turning back, a return or a loss replaces those that will not come. */
export function Progress({ className = '', ...rest }: ComponentProps<'div'>) {
  const { messages, tracking } = useTracker();
  const parcel = useParcel();
  const now = useNow();
  const zone = useZone();
  if (!parcel) return tracking.state === 'loading' ? <Skeleton className={className} {...rest} /> : null;

  const { steps, tone } = tell(parcel, { messages, now, zone });
  if (steps.length === 0) return null;
  const ahead = steps.findIndex(({ state }) => state === 'current');
  const at = ahead < 0 ? steps.length - 1 : ahead;
  return (
    <div {...rest} className={`waybill-progress ${className}`.trim()} data-tone={tone}>
      <ol aria-label={messages.labels.progress} className="waybill-steps">
        {steps.map((step, index) => (
          <li
            aria-current={index === at ? 'step' : undefined}
            className="waybill-step"
            data-current={index === at || undefined}
            data-state={step.state}
            key={step.milestone}
          >
            <span className="waybill-node">
              <Icon name={step.icon} />
            </span>
            <span className="waybill-step-label">{step.label}</span>
            {step.state === 'done' && <span className="waybill-aside"> ({messages.labels.done})</span>}
          </li>
        ))}
      </ol>
      <p aria-hidden="true" className="waybill-step-caption">
        <strong>{steps[at]?.label}</strong> · {fill(messages.labels.step, { n: at + 1, total: steps.length })}
      </p>
    </div>
  );
}

function Skeleton({ className = '', ...rest }: ComponentProps<'div'>) {
  return (
    <div {...rest} aria-hidden="true" className={`waybill-progress ${className}`.trim()} data-tone="neutral">
      <div className="waybill-steps">
        {['a', 'b', 'c', 'd', 'e'].map((step) => (
          <span className="waybill-step" data-state="next" key={step}>
            <span className="waybill-node" />
          </span>
        ))}
      </div>
    </div>
  );
}
