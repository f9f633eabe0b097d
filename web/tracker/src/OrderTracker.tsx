import { Connection } from './parts/Connection';
import { Facts } from './parts/Facts';
import { Latest } from './parts/Latest';
import { Next } from './parts/Next';
import { Parcels } from './parts/Parcels';
import { Progress } from './parts/Progress';
import { Root, type RootProps } from './parts/Root';
import { Status } from './parts/Status';
import { Timeline } from './parts/Timeline';

export interface OrderTrackerProps extends Omit<RootProps, 'children'> {
  /** Whether the history, the courier and the connection are shown; `false` is the form for a list of orders. */
  showTimeline?: boolean | undefined;
}

/** Live tracking of one order: every parcel of it, the one that matters most first. */
function Tracker({ showTimeline = true, ...rest }: OrderTrackerProps) {
  return (
    <Root {...rest} data-compact={showTimeline ? undefined : true}>
      <Parcels>
        <Status>{!showTimeline && <Latest />}</Status>
        <Progress />
        {showTimeline && (
          <>
            <Next />
            <Latest />
            <Timeline />
            <Facts />
          </>
        )}
      </Parcels>
      {showTimeline && <Connection />}
    </Root>
  );
}

/** The whole tracker, and its parts for a layout of one's own: `OrderTracker.Root` around any of the others. */
export const OrderTracker = /* @__PURE__ */ Object.assign(Tracker, {
  Root,
  Parcels,
  Status,
  Progress,
  Next,
  Latest,
  Timeline,
  Facts,
  Connection,
});
