import { type ComponentProps, useEffect, useId, useRef, useState } from 'react';
import { useNow, useZone } from '../clock';
import { useParcel, useTracker } from '../context';
import { dayInWords, daysBetween, indianZone, isIndian, timeInWords, wallClock, zoneInWords } from '../dates';
import { couriersOwn, type Day, daysOf, placeOf, titleOf, wordsOf } from '../story';
import type { Entry } from '../tracking';
import { fill, type Messages, milestones } from '../vocabulary';

export interface TimelineProps extends ComponentProps<'div'> {
  /** How many lines are shown before "show all", 3 by default. */
  initial?: number;
}

/** What happened when and where, by day, newest first. */
export function Timeline({ initial = 3, className = '', ...rest }: TimelineProps) {
  const { messages, language } = useTracker();
  const parcel = useParcel();
  const zone = useZone();
  const [all, setAll] = useState(false);
  const listId = useId();
  const button = useRef<HTMLButtonElement>(null);
  const wasAll = useRef(all);
  useEffect(() => {
    // A long list that closes above the button would take it off the screen.
    if (wasAll.current && !all) button.current?.scrollIntoView?.({ block: 'nearest' });
    wasAll.current = all;
  }, [all]);
  const history = parcel?.trackingHistory ?? [];
  if (history.length === 0) return null;

  const { labels } = messages;
  const days = daysOf(history, zone, all ? history.length : initial);
  return (
    <div {...rest} className={`waybill-timeline ${className}`.trim()}>
      <div id={listId}>
        {days.map((day) => (
          <DayGroup day={day} key={day.day} />
        ))}
      </div>
      {history.length > initial && (
        <button
          aria-controls={listId}
          aria-expanded={all}
          className="waybill-button"
          onClick={() => setAll(!all)}
          ref={button}
          type="button"
        >
          {all ? labels.showFewer : fill(labels.showAll, { n: history.length })}
        </button>
      )}
      <p className="waybill-zone">{fill(labels.zone, { zone: zoneInWords(zone, language, messages) })}</p>
    </div>
  );
}

/** When it was where the parcel is, for a viewer whose clock shows another time. */
function inIndia({ timestamp }: Entry, zone: string, messages: Messages): string | undefined {
  const there = isIndian(zone) ? null : wallClock(timestamp, indianZone);
  if (!there) return undefined;
  const day = dayInWords(there.day, messages, null);
  return fill(messages.labels.inIndia, { time: timeInWords(there, messages), day });
}

function DayGroup({ day: { day, entries } }: { day: Day }) {
  const { messages } = useTracker();
  const now = useNow();
  const zone = useZone();
  const today = now === null ? null : (wallClock(now, zone)?.day ?? null);
  const age = today === null ? -1 : daysBetween(day, today);
  const { dates } = messages;
  const words = age === 0 ? dates.today : age === 1 ? dates.yesterday : dayInWords(day, messages, today);
  return (
    <div className="waybill-day">
      <p className="waybill-day-name">{words}</p>
      <ol aria-label={words} className="waybill-entries">
        {entries.map(({ place, entry, hour, minute }) => {
          const title = titleOf(entry, messages);
          const said = wordsOf(entry, title, messages);
          const location = placeOf(entry);
          return (
            <li
              className="waybill-entry"
              data-tone={entry.milestone ? milestones[entry.milestone].tone : 'neutral'}
              key={place}
            >
              <time
                className="waybill-time"
                dateTime={entry.timestamp}
                title={inIndia(entry, zone, messages)}
              >
                {timeInWords({ day, hour, minute }, messages)}
              </time>
              <div className="waybill-event">
                <p className="waybill-event-title" {...(entry.milestone ? {} : couriersOwn)}>
                  {title}
                </p>
                {location && (
                  <p className="waybill-place" {...couriersOwn}>
                    {location}
                  </p>
                )}
                {said && (
                  <p className="waybill-words" {...(said.couriers ? couriersOwn : {})}>
                    {said.words}
                  </p>
                )}
              </div>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
