package web

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

var files = sync.OnceValue(func() http.Handler {
	return Files(Realtime{Key: "demo", Host: "live.example", Port: 443, TLS: true})
})

func get(t *testing.T, target string, header http.Header) *http.Response {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, target, nil)
	request.Header = header
	recorder := httptest.NewRecorder()
	files().ServeHTTP(recorder, request)
	return recorder.Result()
}

func body(t *testing.T, reader io.Reader) string {
	t.Helper()
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestFilesOfThePageCanBeKeptForEver(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]string{script: "text/javascript", style: "text/css", "theme-c0392b.css": "text/css"} {
		answer := get(t, "/assets/"+name, http.Header{})
		if answer.StatusCode != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s", name, answer.StatusCode, answer.Header.Get("Content-Type"))
		}
		if cache := answer.Header.Get("Cache-Control"); !strings.Contains(cache, "immutable") {
			t.Errorf("%s: Cache-Control %q", name, cache)
		}
		if body(t, answer.Body) == "" {
			t.Errorf("%s is empty", name)
		}
	}
	for _, name := range []string{"/assets/", "/assets/none.js", "/assets/theme-red.css", "/assets/../embed.go"} {
		if answer := get(t, name, http.Header{}); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", name, answer.StatusCode)
		}
	}
}

func TestFilesAreCompressedForWhoAsks(t *testing.T) {
	t.Parallel()
	answer := get(t, WidgetPath, http.Header{"Accept-Encoding": {"br, gzip;q=0.8"}})
	unpacked, err := gzip.NewReader(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	packed := body(t, unpacked)
	plain := body(t, get(t, WidgetPath, http.Header{"Accept-Encoding": {"gzip;q=0"}}).Body)
	if packed != plain {
		t.Error("the compressed widget is not the plain one")
	}
	if !strings.HasPrefix(plain, `globalThis.waybillRealtime={"soketiHost":"live.example","soketiKey":"demo","soketiPort":443,"soketiTls":true};`) {
		t.Errorf("widget begins %.200s", plain)
	}
	if !strings.HasSuffix(plain, string(Widget())) {
		t.Error("the widget's script is not in it")
	}
	again := get(t, WidgetPath, http.Header{"Accept-Encoding": {"gzip"}, "If-None-Match": {answer.Header.Get("ETag")}})
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("unchanged widget answered %d", again.StatusCode)
	}
}

func TestThePageStaysSmall(t *testing.T) {
	t.Parallel()
	const limit = 100 << 10
	total := 0
	for _, name := range []string{script, style} {
		answer := get(t, "/assets/"+name, http.Header{"Accept-Encoding": {"gzip"}})
		total += len(body(t, answer.Body))
	}
	if total > limit {
		t.Errorf("script and style sheet are %d bytes compressed, more than %d", total, limit)
	}
	t.Logf("script and style sheet: %d bytes compressed", total)
}

func TestAssetsIsAFileSystem(t *testing.T) {
	t.Parallel()
	if err := fstest.TestFS(Assets(), script, style); err != nil {
		t.Error(err)
	}
	if _, err := fs.ReadFile(Assets(), "theme-zzzzzz.css"); err == nil {
		t.Error("a colour that is none has a style sheet")
	}
}

func TestShopColorsAreMadeReadable(t *testing.T) {
	t.Parallel()
	for _, color := range []string{"000000", "ffffff", "ffe600", "1d5bd1", "c0392b", "7f7f7f"} {
		light := parseRGB(color).against(lightGround, rgb{})
		dark := parseRGB(color).against(darkGround, rgb{255, 255, 255})
		if contrast(light, lightGround) < readable || contrast(dark, darkGround) < readable {
			t.Errorf("%s becomes %s in light and %s in dark", color, light, dark)
		}
	}
	if got := parseRGB("1d5bd1").against(lightGround, rgb{}).String(); got != "#1d5bd1" {
		t.Errorf("a readable colour became %s", got)
	}
	if got := themeFile(" #C0392B "); got != "theme-c0392b.css" {
		t.Errorf("themeFile = %q", got)
	}
	if got := themeFile("red"); got != "" {
		t.Errorf("themeFile of a word = %q", got)
	}
}
