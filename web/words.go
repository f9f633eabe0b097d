package web

import (
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The vocabulary is that of the tracker: the same files, so the same words.
var (
	languages = loadLanguages()
	table     = loadMilestones()
	icons     = loadIcons()
)

const fallback = "en"

// sentenceOf names the sentences that tracking says in a courier's place, by
// their English words, so that every language can say them.
var sentenceOf = func() map[string]string {
	names := map[string]string{}
	for name, words := range languages[fallback].Sentences {
		names[words] = name
	}
	return names
}()

// messages are the words of one language.
type messages struct {
	Language   string                    `json:"-"`
	Milestones map[string]milestoneWords `json:"milestones"`
	Story      map[string]string         `json:"story"`
	// Sentences are what tracking says in a courier's place.
	Sentences map[string]string `json:"sentences"`
	Dates     dateWords         `json:"dates"`
	Labels    map[string]string `json:"labels"`
	Page      map[string]string `json:"page"`
}

type milestoneWords struct{ Label, Headline, Detail, Next string }

type dateWords struct {
	Weekdays, Months              []string
	Day, DayOfYear, Time, AM, PM  string
	Today, Yesterday              string
	JustNow, MinutesAgo, HoursAgo string
	DayAgo, DaysAgo               string
}

// look is how one milestone is drawn.
type look struct {
	Tone, Icon, Path string
	// Ahead is the icon as a step that is still to come, where it is another.
	Ahead string
	Step  int
	// Arriving says that a date of arrival leads; End, that nothing more is expected.
	Arriving, End bool
}

type milestoneTable struct {
	Paths      map[string][]string `json:"paths"`
	Milestones map[string]look     `json:"milestones"`
}

func loadLanguages() map[string]*messages {
	all := map[string]*messages{}
	files, err := fs.Glob(embedded, "tracker/src/vocabulary/??.json")
	if err != nil {
		panic(err)
	}
	for _, name := range files {
		words := &messages{Language: strings.TrimSuffix(path.Base(name), ".json")}
		mustDecode(name, words)
		all[words.Language] = words
	}
	return all
}

func loadMilestones() (table milestoneTable) {
	mustDecode("tracker/src/vocabulary/milestones.json", &table)
	return table
}

func loadIcons() (icons map[string][]string) {
	mustDecode("tracker/src/vocabulary/icons.json", &icons)
	return icons
}

// wordsOf returns the words of a language tag such as "hi-IN", English when we
// do not speak it.
func wordsOf(tag string) *messages {
	language, _, _ := strings.Cut(strings.ToLower(tag), "-")
	if words, ok := languages[language]; ok {
		return words
	}
	return languages[fallback]
}

// Language picks the language of a page from an Accept-Language header: the
// best-liked one that we speak, else English.
func Language(acceptLanguage string) string {
	type offer struct {
		tag     string
		quality float64
	}
	var offers []offer
	for part := range strings.SplitSeq(acceptLanguage, ",") {
		tag, rest, _ := strings.Cut(strings.TrimSpace(part), ";")
		language, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		if _, ok := languages[language]; !ok {
			continue
		}
		quality := 1.0
		if text, ok := strings.CutPrefix(strings.TrimSpace(rest), "q="); ok {
			quality, _ = strconv.ParseFloat(text, 64)
		}
		if quality > 0 {
			offers = append(offers, offer{language, quality})
		}
	}
	if len(offers) == 0 {
		return fallback
	}
	// Of equals the first one named wins.
	best := slices.MaxFunc(offers, func(a, b offer) int {
		switch {
		case a.quality > b.quality:
			return 1
		case a.quality < b.quality:
			return -1
		}
		return 0
	})
	return best.tag
}

// fill replaces each {name} of a template by the value that follows its name.
func fill(template string, values ...string) string {
	pairs := make([]string, 0, len(values))
	for i := 0; i+1 < len(values); i += 2 {
		pairs = append(pairs, "{"+values[i]+"}", values[i+1])
	}
	return strings.NewReplacer(pairs...).Replace(template)
}

// titleCase makes upper-case courier words readable: "IN TRANSIT" becomes
// "In transit".
func titleCase(words string) string {
	plain := strings.ToLower(strings.TrimSpace(strings.ReplaceAll(words, "_", " ")))
	first, size := utf8.DecodeRuneInString(plain)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + plain[size:]
}
