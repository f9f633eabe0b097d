import type { ComponentProps, ReactNode } from 'react';
import { ParcelContext, useTracker } from '../context';
import { nameOf } from '../parcels';

export interface ParcelsProps extends ComponentProps<'div'> {
  /** What is shown for each parcel. */
  children: ReactNode;
}

/** Its children once for each parcel, the one that matters most first; once while none is known. */
export function Parcels({ children, className = '', ...rest }: ParcelsProps) {
  const { shipments, tracking, messages } = useTracker();
  const known = tracking.order?.shipments ?? [];
  return (
    <div {...rest} className={`waybill-parcels ${className}`.trim()}>
      {shipments.length === 0 && <div className="waybill-parcel">{children}</div>}
      {shipments.map((parcel) => {
        const name = nameOf(parcel, known, messages);
        return (
          // By its place, which it keeps: it has no id of ours while only the shop has told of it.
          <ParcelContext.Provider key={known.indexOf(parcel)} value={parcel}>
            {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms */}
            <div
              aria-label={name ?? undefined}
              className="waybill-parcel"
              data-direction={parcel.direction}
              role="group"
            >
              {name && <p className="waybill-parcel-name">{name}</p>}
              {children}
            </div>
          </ParcelContext.Provider>
        );
      })}
    </div>
  );
}
