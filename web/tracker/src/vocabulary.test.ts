import { expect, test } from 'vitest';
import { dayInWords, timeInWords } from './dates';
import { type Language, languages } from './vocabulary';

// The server has no Intl, so the names of days and months stand in the vocabulary; they are Intl's all the same.
test.each<[Language, string, 'short' | 'long']>([
  ['en', 'en', 'short'],
  ['hi', 'hi-IN', 'long'],
])('the days and months of %s are those of its calendar', (language, locale, width) => {
  const { weekdays, months } = languages[language].dates;
  const name = (part: 'weekday' | 'month', month: number, day: number) =>
    new Intl.DateTimeFormat(locale, { [part]: width, timeZone: 'UTC' }).format(Date.UTC(2026, month, day));
  expect(weekdays).toEqual(weekdays.map((_, index) => name('weekday', 10, 22 + index)));
  expect(months).toEqual(months.map((_, index) => name('month', index, 5)));
});

test('dates and times have Latin digits in every language', () => {
  for (const messages of Object.values(languages)) {
    const words = [
      dayInWords('2027-01-24', messages, '2026-11-23'),
      timeInWords({ day: '', hour: 14, minute: 7 }, messages),
    ];
    expect(
      words
        .join(' ')
        .match(/\p{Nd}+/gu)
        ?.join(' '),
    ).toBe('24 2027 2 07');
  }
});
