/**
 * Days and times in words. A day is text (YYYY-MM-DD) and never passes through a time zone;
 * a moment is shown in the zone that is handed in.
 */
import { fill, type Messages } from './vocabulary';

export const indianZone = 'Asia/Kolkata';

const dayPattern = /^(\d{4})-(\d{2})-(\d{2})/;
const millisecondsPerDay = 86_400_000;

/** A moment as the wall clock of a zone shows it. */
export interface WallClock {
  /** YYYY-MM-DD */
  day: string;
  hour: number;
  minute: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
    formats.set(zone, format);
  }
  return format;
}

/** The wall clock of a zone at a moment, or null when the moment cannot be read. */
export function wallClock(moment: string | number | null, zone: string): WallClock | null {
  const date = new Date(moment ?? Number.NaN);
  if (Number.isNaN(date.getTime())) return null;
  const part: Record<string, string> = {};
  for (const { type, value } of formatOf(zone).formatToParts(date)) part[type] = value;
  return {
    day: `${part.year}-${part.month}-${part.day}`,
    hour: Number(part.hour),
    minute: Number(part.minute),
  };
}

/** The day part of a date or date-time text, unshifted; null when there is none. */
export function dayOf(text: string | null): string | null {
  return dayPattern.exec(text ?? '')?.[0] ?? null;
}

/** How many days lie from one day to another. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / millisecondsPerDay);
}

/** "Tue, 24 Nov", with the year when it is not that of `today`. */
export function dayInWords(day: string, messages: Messages, today: string | null): string {
  const [, year = '', month = '', date = ''] = dayPattern.exec(day) ?? [];
  const { dates } = messages;
  return fill(today && !today.startsWith(year) ? dates.dayOfYear : dates.day, {
    weekday: dates.weekdays[new Date(day).getUTCDay()] ?? '',
    date: Number(date),
    month: dates.months[Number(month) - 1] ?? '',
    year,
  });
}

/** "2:07 pm" */
export function timeInWords({ hour, minute }: WallClock, { dates }: Messages): string {
  return fill(dates.time, {
    hour: hour % 12 || 12,
    minute: String(minute).padStart(2, '0'),
    half: hour < 12 ? dates.am : dates.pm,
  });
}

/** "3 min ago"; null when the moment cannot be read. A moment to come counts as now. */
export function agoInWords(moment: string | number | null, now: number, { dates }: Messages): string | null {
  const then = new Date(moment ?? Number.NaN).getTime();
  if (Number.isNaN(then)) return null;
  const minutes = Math.floor((now - then) / 60_000);
  if (minutes < 1) return dates.justNow;
  if (minutes < 60) return fill(dates.minutesAgo, { n: minutes });
  if (minutes < 24 * 60) return fill(dates.hoursAgo, { n: Math.floor(minutes / 60) });
  const days = Math.floor(minutes / (24 * 60));
  return days === 1 ? dates.dayAgo : fill(dates.daysAgo, { n: days });
}

/** Whether a zone is India's, under its name of today or its older one. */
export function isIndian(zone: string): boolean {
  return zone === indianZone || zone === 'Asia/Calcutta';
}

/** The zone in words: Indian time by name, any other by its offset or short name. */
export function zoneInWords(zone: string, language: string, messages: Messages): string {
  if (isIndian(zone)) return messages.labels.indianTime;
  const parts = new Intl.DateTimeFormat(language, { timeZone: zone, timeZoneName: 'short' }).formatToParts();
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? zone;
}
