package web

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// The tracker's own tests write these files: each order with what the tracker
// tells of it. The server must tell the same.
func TestTheServerTellsWhatTheTrackerTells(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("tracker/testdata/stories-*.json")
	if err != nil || len(files) != len(languages) {
		t.Fatalf("%d files of stories for %d languages (%v)", len(files), len(languages), err)
	}
	type parcel struct {
		Name string `json:"name"`
		story
		Timeline []string `json:"timeline"`
	}
	for _, file := range files {
		var golden struct {
			Now      time.Time `json:"now"`
			Language string    `json:"language"`
			Stories  []struct {
				Name  string   `json:"name"`
				Order snapshot `json:"order"`
				Told  []parcel `json:"told"`
			} `json:"stories"`
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(content, &golden); err != nil {
			t.Fatal(err)
		}
		words := wordsOf(golden.Language)
		for _, want := range golden.Stories {
			got := []parcel{}
			for _, view := range parcelViews(want.Order.Shipments, words, golden.Now) {
				told := parcel{Name: view.Name, story: view.Story, Timeline: []string{}}
				for _, day := range slices.Concat(view.Days, view.Older) {
					for _, line := range day.Entries {
						text := line.Time + " | " + line.Title
						if line.Place != "" {
							text += " | " + line.Place
						}
						if line.Words != "" {
							text += " | " + line.Words
						}
						told.Timeline = append(told.Timeline, text)
					}
				}
				got = append(got, told)
			}
			if g, w := encode(t, got), encode(t, want.Told); g != w {
				t.Errorf("%s, %s:\n got %s\nwant %s", golden.Language, want.Name, g, w)
			}
		}
	}
}

func encode(t *testing.T, value any) string {
	t.Helper()
	text, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryMilestoneHasItsWordsAndLook(t *testing.T) {
	t.Parallel()
	if got, want := len(table.Milestones), len(tracking.Milestones); got != want {
		t.Errorf("%d milestones in the vocabulary, %d in tracking", got, want)
	}
	tones := []string{"neutral", "moving", "good", "attention", "bad"}
	for _, milestone := range tracking.Milestones {
		name := string(milestone)
		look, ok := table.Milestones[name]
		if !ok {
			t.Errorf("%s is not drawn", name)
			continue
		}
		if !slices.Contains(tones, look.Tone) || len(icons[look.Icon]) == 0 {
			t.Errorf("%s: tone %q, icon %q", name, look.Tone, look.Icon)
		}
		if path := table.Paths[look.Path]; look.Step < 0 || look.Step >= len(path) {
			t.Errorf("%s: step %d of path %q", name, look.Step, look.Path)
		}
		if look.End != milestone.Terminal() {
			t.Errorf("%s: end is %v, but tracking says %v", name, look.End, milestone.Terminal())
		}
		for language, words := range languages {
			if said := words.Milestones[name]; said.Label == "" || said.Headline == "" {
				t.Errorf("%s has no words in %s", name, language)
			}
		}
	}
}

func TestEveryLanguageSaysTheSameThings(t *testing.T) {
	t.Parallel()
	var keys func(prefix string, value any) []string
	keys = func(prefix string, value any) []string {
		var all []string
		switch value := value.(type) {
		case map[string]any:
			for key, inner := range value {
				all = append(all, keys(prefix+"."+key, inner)...)
			}
		case []any:
			all = append(all, fmt.Sprintf("%s[%d]", prefix, len(value)))
		case string:
			all = append(all, prefix+" "+placeholders(value))
		}
		slices.Sort(all)
		return all
	}
	read := func(language string) []string {
		var raw any
		mustDecode("tracker/src/vocabulary/"+language+".json", &raw)
		return keys("", raw)
	}
	want := read(fallback)
	for language := range languages {
		if got := read(language); !slices.Equal(got, want) {
			t.Errorf("%s has other keys or placeholders than %s:\n%v\n%v", language, fallback, got, want)
		}
	}
}

var placeholder = regexp.MustCompile(`\{\w+\}`)

// placeholders are sorted: languages order their words differently.
func placeholders(template string) string {
	return strings.Join(slices.Sorted(slices.Values(placeholder.FindAllString(template, -1))), "")
}

// What tracking says in a courier's place is English; a sentence that the
// vocabulary does not know would stay so on a Hindi page.
func TestEverySentenceOfTrackingIsInTheVocabulary(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../internal/tracking/timeline.go")
	if err != nil {
		t.Fatal(err)
	}
	_, describe, _ := strings.Cut(string(source), "func describe(")
	describe, _, _ = strings.Cut(describe, "\n}\n")
	said := regexp.MustCompile(`return "([^"]+)"`).FindAllStringSubmatch(describe, -1)
	if len(said) == 0 {
		t.Fatal("tracking says nothing of its own where it did")
	}
	for _, match := range said {
		if sentenceOf[match[1]] == "" {
			t.Errorf("no vocabulary has %q", match[1])
		}
	}
}
