import { createContext, useContext } from 'react';
import type { KnownShipment } from './merge';
import type { Tracking } from './store';
import type { Language, Messages } from './vocabulary';

export type HeadingLevel = 1 | 2 | 3 | 4 | 5 | 6;

/** What `OrderTracker.Root` tells the parts inside it. */
export interface TrackerScope {
  tracking: Tracking & { refresh: () => void };
  /** The shipments in the order in which they are shown; the one that matters most comes first. */
  shipments: readonly KnownShipment[];
  language: Language;
  messages: Messages;
  headingLevel: HeadingLevel;
}

export const TrackerContext = createContext<TrackerScope | null>(null);

/** The parcel that parts are about: set by `OrderTracker.Parcels`, else the first one. */
export const ParcelContext = createContext<KnownShipment | null>(null);

/** The scope of the surrounding `OrderTracker.Root`. Throws outside of one. */
export function useTracker(): TrackerScope {
  const scope = useContext(TrackerContext);
  if (!scope) throw new Error('parts of OrderTracker belong inside OrderTracker.Root');
  return scope;
}

/** The parcel to show, or null while none is known. */
export function useParcel(): KnownShipment | null {
  const chosen = useContext(ParcelContext);
  const { shipments } = useTracker();
  return chosen ?? shipments[0] ?? null;
}
