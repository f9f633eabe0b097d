/**
 * What we tell a buyer about one parcel: a sentence, what it means, how far along it is.
 * Pure: the same shipment, moment and zone give the same words here and in the server's page.
 */
import { dayInWords, dayOf, daysBetween, indianZone, wallClock } from './dates';
import type { Entry, Shipment } from './tracking';
import {
  fill,
  type Icon,
  type Messages,
  type Milestone,
  type MilestoneLook,
  milestones,
  paths,
  type Tone,
} from './vocabulary';

/** Where and when the words are read. `now` is null while it is not known (rendering on a server). */
export interface Reading {
  messages: Messages;
  now: number | null;
  zone: string;
}

export interface Step {
  milestone: Milestone;
  label: string;
  state: 'done' | 'current' | 'next';
}

export interface Story {
  headline: string;
  /** Sentences under the headline, most important first. */
  details: string[];
  tone: Tone;
  icon: Icon;
  steps: Step[];
  latest: Entry | null;
}

const silentAfter = 48 * 3_600_000;

/** The story of one shipment. */
export function tell(shipment: Shipment, reading: Reading): Story {
  const { messages, now } = reading;
  const latest = shipment.trackingHistory.at(-1) ?? null;
  const { milestone } = shipment;
  if (!milestone) {
    const known = shipment.currentStatus;
    return {
      headline: known ? titleCase(known) : messages.labels.waiting,
      details: known ? [] : [messages.labels.waitingDetail],
      tone: 'neutral',
      icon: 'box',
      steps: [],
      latest,
    };
  }

  const look = milestones[milestone];
  const words = messages.milestones[milestone];
  const today = now === null ? null : (wallClock(now, indianZone)?.day ?? null);
  const arrival = arrivalOf(shipment, today);
  const details: string[] = [];

  if (milestone === 'delivery_failed') {
    if (shipment.deliveryAttempts > 0) {
      details.push(fill(messages.story.attempt, { n: shipment.deliveryAttempts }));
    }
    const reason = reasonOf(shipment);
    if (reason) details.push(fill(messages.story.reason, { reason }));
  }
  if (look.arriving && arrival.slip > 0 && shipment.firstEstimatedDelivery) {
    const day = dayInWords(shipment.firstEstimatedDelivery, messages, today);
    details.push(
      fill(arrival.slip === 1 ? messages.story.slipOne : messages.story.slip, { n: arrival.slip, day }),
    );
  }
  if (words.detail) details.push(words.detail);
  if (milestone === 'delivery_failed' && arrival.day && arrival.ahead) {
    details.push(fill(messages.story.nowExpected, { day: dayInWords(arrival.day, messages, today) }));
  }
  if (look.arriving && latest && now !== null && now - Date.parse(latest.timestamp) > silentAfter) {
    const day = wallClock(latest.timestamp, reading.zone)?.day;
    if (day) details.push(fill(messages.story.silent, { day: dayInWords(day, messages, today) }));
  }
  if (shipment.corrected) details.push(messages.story.corrected);

  const late = look.arriving && arrival.day !== null && !arrival.ahead;
  return {
    headline: headlineOf(shipment, milestone, arrival, reading, today),
    details,
    tone: late && look.tone === 'moving' ? 'attention' : look.tone,
    icon: look.icon,
    steps: stepsOf(shipment, milestone, look, messages),
    latest,
  };
}

/** The line's own title: our word for a milestone, else the courier's, made readable. */
export function titleOf(entry: Entry, messages: Messages): string {
  return entry.milestone
    ? messages.milestones[entry.milestone].label
    : titleCase(entry.status || (entry.description ?? ''));
}

/** Upper-case courier words made readable: "IN TRANSIT" becomes "In transit". */
export function titleCase(words: string): string {
  const plain = words.replaceAll('_', ' ').trim().toLowerCase();
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

interface Arrival {
  day: string | null;
  /** Whether the day is today or to come, or cannot be judged because today is not known. */
  ahead: boolean;
  /** By how many days it moved since the first promise. */
  slip: number;
}

function arrivalOf(shipment: Shipment, today: string | null): Arrival {
  const day = dayOf(shipment.estimatedDelivery);
  const first = dayOf(shipment.firstEstimatedDelivery);
  return {
    day,
    ahead: day !== null && (today === null || day >= today),
    slip: day && first ? daysBetween(first, day) : 0,
  };
}

function headlineOf(
  shipment: Shipment,
  milestone: Milestone,
  arrival: Arrival,
  { messages, zone }: Reading,
  today: string | null,
): string {
  const { story } = messages;
  const words = messages.milestones[milestone];
  if (milestone === 'delivered') {
    const day = wallClock(shipment.deliveredAt, zone)?.day;
    return day ? fill(story.deliveredOn, { day: dayInWords(day, messages, today) }) : words.headline;
  }
  if (!milestones[milestone].arriving) return words.headline;
  if (milestone === 'out_for_delivery' && today && outSince(shipment) === today) return story.arrivingToday;
  if (!arrival.day) return words.headline;
  const day = dayInWords(arrival.day, messages, today);
  if (!arrival.ahead) return fill(story.late, { day });
  if (milestone === 'in_transit_problem') return fill(story.delayedUntil, { day });
  if (!today) return fill(story.arrivingOn, { day });
  const days = daysBetween(today, arrival.day);
  if (days === 0) return story.arrivingToday;
  return fill(days === 1 ? story.arrivingTomorrow : story.arrivingOn, { day });
}

/** The Indian day on which the parcel was last said to be out for delivery. */
function outSince({ trackingHistory }: Shipment): string | null {
  const entry = trackingHistory.findLast(({ milestone }) => milestone === 'out_for_delivery');
  return entry ? (wallClock(entry.timestamp, indianZone)?.day ?? null) : null;
}

function reasonOf({ undeliveredReason, trackingHistory }: Shipment): string | null {
  const told =
    undeliveredReason ??
    trackingHistory.findLast(({ milestone }) => milestone === 'delivery_failed')?.description;
  return told?.trim().replace(/\.+$/, '') || null;
}

function stepsOf(shipment: Shipment, milestone: Milestone, look: MilestoneLook, messages: Messages): Step[] {
  let path = paths[look.path];
  let at = look.step;
  if (shipment.direction === 'return' && !look.path.startsWith('return')) {
    // A return that is lost or damaged ends its own row of steps, not that of a delivery.
    path = ['return_created', 'return_picked_up', 'return_in_transit', milestone];
    at = path.length - 1;
  }
  return path.map((step, index) => ({
    milestone: step,
    label: messages.milestones[index === at ? milestone : step].label,
    state:
      index < at || (index === at && at === path.length - 1) ? 'done' : index === at ? 'current' : 'next',
  }));
}

/** The lines of one day, newest first. */
export interface Day {
  day: string;
  entries: DayEntry[];
}

export interface DayEntry {
  /** Its place in the whole history: lines of one second can be alike in everything else. */
  place: number;
  entry: Entry;
  hour: number;
  minute: number;
}

/** The newest `limit` lines of a history that is oldest first, grouped by day of the zone, newest first. */
export function daysOf(history: readonly Entry[], zone: string, limit: number): Day[] {
  const days: Day[] = [];
  const first = Math.max(0, history.length - limit);
  for (let place = history.length - 1; place >= first; place -= 1) {
    const entry = history[place];
    const clock = entry && wallClock(entry.timestamp, zone);
    if (!clock) continue;
    let day = days.at(-1);
    if (day?.day !== clock.day) {
      day = { day: clock.day, entries: [] };
      days.push(day);
    }
    day.entries.push({ place, entry, hour: clock.hour, minute: clock.minute });
  }
  return days;
}
