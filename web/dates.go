package web

import (
	"strconv"
	"time"
)

// india is where couriers' days begin: fixed, without summer time.
var india = time.FixedZone("IST", 5*3600+1800)

const dayLayout = "2006-01-02"

// parseDay reads the day at the beginning of a date or date-time text; false
// when there is none.
func parseDay(text string) (time.Time, bool) {
	if len(text) < len(dayLayout) {
		return time.Time{}, false
	}
	day, err := time.Parse(dayLayout, text[:len(dayLayout)])
	return day, err == nil
}

// dayIn is the day of a moment in a zone, as the midnight in UTC of that date.
func dayIn(moment time.Time, zone *time.Location) time.Time {
	year, month, date := moment.In(zone).Date()
	return time.Date(year, month, date, 0, 0, 0, 0, time.UTC)
}

func daysBetween(from, to time.Time) int {
	return int(to.Sub(from) / (24 * time.Hour))
}

// dayInWords is "Tue, 24 Nov", with the year when it is not that of today.
func dayInWords(day time.Time, words *messages, today time.Time) string {
	dates := words.Dates
	template := dates.Day
	if day.Year() != today.Year() {
		template = dates.DayOfYear
	}
	return fill(template,
		"weekday", dates.Weekdays[day.Weekday()],
		"date", strconv.Itoa(day.Day()),
		"month", dates.Months[day.Month()-1],
		"year", strconv.Itoa(day.Year()))
}

// timeInWords is "2:07 pm".
func timeInWords(moment time.Time, words *messages) string {
	half := words.Dates.AM
	if moment.Hour() >= 12 {
		half = words.Dates.PM
	}
	return fill(words.Dates.Time,
		"hour", strconv.Itoa((moment.Hour()+11)%12+1),
		"minute", moment.Format("04"),
		"half", half)
}

// agoInWords is "3 min ago". A moment to come counts as now.
func agoInWords(moment, now time.Time, words *messages) string {
	dates := words.Dates
	switch age := now.Sub(moment); {
	case age < time.Minute:
		return dates.JustNow
	case age < time.Hour:
		return fill(dates.MinutesAgo, "n", strconv.Itoa(int(age/time.Minute)))
	case age < 24*time.Hour:
		return fill(dates.HoursAgo, "n", strconv.Itoa(int(age/time.Hour)))
	case age < 48*time.Hour:
		return dates.DayAgo
	default:
		return fill(dates.DaysAgo, "n", strconv.Itoa(int(age/(24*time.Hour))))
	}
}
