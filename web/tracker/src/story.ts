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
  sentenceOf,
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
  icon: Icon;
  state: 'done' | 'current' | 'next';
}

export interface Story {
  headline: string;
  /** Whether the headline is the courier's own English. */
  couriers: boolean;
  /** What is not as it was promised, each without a full stop. */
  notes: string[];
  /** Sentences that explain the headline, most important first. */
  details: string[];
  /** Sentences on what happens now and what the buyer can do. */
  next: string[];
  tone: Tone;
  icon: Icon;
  steps: Step[];
  latest: Entry | null;
}

const silentAfter = 48 * 3_600_000;

/** Couriers try about three times; after that a parcel is mostly sent back. */
const usualAttempts = 3;

/** The story of one shipment. */
export function tell(shipment: Shipment, reading: Reading): Story {
  const { messages, now } = reading;
  const latest = shipment.trackingHistory.at(-1) ?? null;
  const { milestone } = shipment;
  if (!milestone) {
    const known = shipment.currentStatus;
    return {
      headline: known ? titleCase(known) : messages.labels.waiting,
      couriers: known !== null,
      notes: [],
      details: known ? [] : [messages.labels.waitingDetail],
      next: [],
      tone: 'neutral',
      icon: 'box',
      steps: [],
      latest,
    };
  }

  const look = milestones[milestone];
  const today = now === null ? null : (wallClock(now, indianZone)?.day ?? null);
  const arrival = arrivalOf(shipment, today);
  const late = look.arriving && arrival.day !== null && !arrival.ahead;
  return {
    headline: headlineOf(shipment, milestone, arrival, reading, today),
    couriers: false,
    notes: look.arriving ? notesOf(shipment, arrival, latest, reading, today) : [],
    details: detailsOf(shipment, milestone, messages),
    next: nextOf(shipment, milestone, arrival, messages, today),
    tone: late && look.tone === 'moving' ? 'attention' : look.tone,
    icon: look.icon,
    steps: stepsOf(shipment, milestone, look, messages),
    latest,
  };
}

function notesOf(
  { firstEstimatedDelivery }: Shipment,
  { slip }: Arrival,
  latest: Entry | null,
  { messages, now, zone }: Reading,
  today: string | null,
): string[] {
  const { story } = messages;
  const notes: string[] = [];
  if (slip > 0 && firstEstimatedDelivery) {
    const day = dayInWords(firstEstimatedDelivery, messages, today);
    notes.push(fill(slip === 1 ? story.slipOne : story.slip, { n: slip, day }));
  }
  if (latest && now !== null && now - Date.parse(latest.timestamp) > silentAfter) {
    const day = wallClock(latest.timestamp, zone)?.day;
    if (day) notes.push(fill(story.silent, { day: dayInWords(day, messages, today) }));
  }
  return notes;
}

function detailsOf(shipment: Shipment, milestone: Milestone, messages: Messages): string[] {
  const { story } = messages;
  const look = milestones[milestone];
  const failed = milestone === 'delivery_failed';
  const reason = failed || look.path === 'rto' ? reasonOf(shipment) : null;
  const details = [
    failed && shipment.deliveryAttempts > 0 && fill(story.attempt, { n: shipment.deliveryAttempts }),
    messages.milestones[milestone].detail,
    reason && fill(story.reason, { reason }),
    look.arriving &&
      look.step === 0 &&
      !isScanned(shipment) &&
      (shipment.awbCode ? story.noScan : story.notShipped),
    shipment.corrected && story.corrected,
  ];
  return details.filter((sentence): sentence is string => typeof sentence === 'string' && sentence !== '');
}

function nextOf(
  shipment: Shipment,
  milestone: Milestone,
  { day, ahead }: Arrival,
  messages: Messages,
  today: string | null,
): string[] {
  const { story } = messages;
  const plain = messages.milestones[milestone].next;
  if (milestone !== 'delivery_failed') return plain ? [plain] : [];
  const { deliveryAttempts } = shipment;
  const next = deliveryAttempts < usualAttempts ? plain : fill(story.lastAttempt, { n: deliveryAttempts });
  // A day that the attempt itself used up is no promise any more.
  const promised = day && ahead && day > (lastDay(shipment, milestone) ?? '');
  return promised ? [fill(story.nowExpected, { day: dayInWords(day, messages, today) }), next] : [next];
}

function isScanned({ trackingHistory }: Shipment): boolean {
  return trackingHistory.some(({ scanType }) => scanType === 'scan');
}

/** The line's own title: our word for a milestone, else the courier's, made readable. */
export function titleOf(entry: Entry, messages: Messages): string {
  return entry.milestone
    ? messages.milestones[entry.milestone].label
    : titleCase(entry.status || (entry.description ?? ''));
}

/** Couriers write English, and their words stay theirs. */
export const couriersOwn = { lang: 'en', translate: 'no' } as const;

/** Where a line happened, as people write places: couriers send "Surat_Mega_GW (Gujarat)". */
export function placeOf({ location }: Entry): string | null {
  return location?.replace(/[_\s]+/g, ' ').trim() || null;
}

/** The line's second sentence: ours, or as the courier wrote it. */
export interface Words {
  words: string;
  couriers: boolean;
}

/** What is said of a line beyond its title, or null. */
export function wordsOf({ description }: Entry, title: string, messages: Messages): Words | null {
  if (!description) return null;
  const ours = sentenceOf.get(description);
  const words = ours ? messages.sentences[ours] : description;
  const same = titleCase(words).replace(/[.।]+$/, '') === title;
  return same ? null : { words, couriers: !ours };
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
  // Who is out with it today brings it today, whatever the courier still estimates.
  const out =
    shipment.milestone === 'out_for_delivery' &&
    today !== null &&
    lastDay(shipment, 'out_for_delivery') === today;
  const day = out ? today : dayOf(shipment.estimatedDelivery);
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
  if (!arrival.day) return words.headline;
  const day = dayInWords(arrival.day, messages, today);
  if (!arrival.ahead) return fill(story.late, { day });
  if (milestone === 'in_transit_problem') return fill(story.delayedUntil, { day });
  if (!today) return fill(story.arrivingOn, { day });
  const days = daysBetween(today, arrival.day);
  if (days === 0) return story.arrivingToday;
  return fill(days === 1 ? story.arrivingTomorrow : story.arrivingOn, { day });
}

/** The Indian day on which the parcel was last said to be at a milestone. */
function lastDay({ trackingHistory }: Shipment, at: Milestone): string | null {
  const entry = trackingHistory.findLast(({ milestone }) => milestone === at);
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
    icon: index === at ? look.icon : index < at ? 'check' : (milestones[step].ahead ?? milestones[step].icon),
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
