package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// Realtime is where browsers listen: a server that speaks the Pusher protocol.
type Realtime struct {
	// Key of the app; without it nothing is live.
	Key string
	// Host that browsers reach; "" is the host that served the page or script,
	// and then Port and TLS are that one's too.
	Host string
	// Port is 443 with TLS and 80 without where it is 0.
	Port int
	// TLS is as with the page or script where it is false: from a page that came
	// over TLS browsers open no socket without.
	TLS bool
}

// settings are the names under which the tracker knows a Realtime.
func (r Realtime) settings() map[string]any {
	settings := map[string]any{}
	if r.Key != "" {
		settings["soketiKey"] = r.Key
	}
	if r.Host != "" {
		settings["soketiHost"] = r.Host
		if r.TLS {
			settings["soketiTls"] = true
		}
		if r.Port != 0 {
			settings["soketiPort"] = r.Port
		}
	}
	return settings
}

// Files serves `/assets/…`, [WidgetPath] and [FrameScriptPath], compressed, with
// what a browser must know to keep them. The widget listens at realtime unless an attribute
// says otherwise.
func Files(realtime Realtime) http.Handler {
	files := map[string]file{
		WidgetPath:      newFile(WidgetPath, widgetFor(realtime), forAnHour),
		FrameScriptPath: newFile(FrameScriptPath, mustReadFrame("order-tracker-frame.js"), forAnHour),
		framedStylePath: newFile(framedStylePath, framedStyle, forEver),
	}
	assets := Assets()
	entries, err := fs.ReadDir(sub("dist/assets"), ".")
	if err != nil {
		panic(fmt.Sprintf("web: %v", err))
	}
	for _, entry := range entries {
		name := "/assets/" + entry.Name()
		files[name] = newFile(name, mustRead("dist"+name), forEver)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if found, ok := files[r.URL.Path]; ok {
			found.ServeHTTP(w, r)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/assets/")
		if themeName.MatchString(name) {
			w.Header().Set("Cache-Control", forEver)
			http.ServeFileFS(w, r, assets, name)
			return
		}
		http.NotFound(w, r)
	})
}

const (
	forEver   = "public, max-age=31536000, immutable"
	forAnHour = "public, max-age=3600"
)

// widgetFor puts in front of the script where it listens.
func widgetFor(realtime Realtime) []byte {
	settings, err := json.Marshal(realtime.settings())
	if err != nil {
		panic(fmt.Sprintf("web: encode realtime: %v", err))
	}
	return append(fmt.Appendf(nil, "globalThis.waybillRealtime=%s;\n", settings), Widget()...)
}

// file is one answer, plain and compressed.
type file struct {
	kind, etag, cache string
	plain, gzipped    []byte
}

func newFile(name string, content []byte, cache string) file {
	var packed bytes.Buffer
	// Writing to memory at a level that exists cannot fail.
	zip, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	_, _ = zip.Write(content)
	_ = zip.Close()
	sum := sha256.Sum256(content)
	return file{
		kind:    mime.TypeByExtension(path.Ext(name)),
		etag:    fmt.Sprintf(`"%x"`, sum[:8]),
		cache:   cache,
		plain:   content,
		gzipped: packed.Bytes(),
	}
}

func (f file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", f.kind)
	header.Set("Cache-Control", f.cache)
	header.Set("Vary", "Accept-Encoding")
	header.Set("X-Content-Type-Options", "nosniff")
	// Shops load the widget from pages of their own.
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if !acceptsGzip(r.Header.Get("Accept-Encoding")) {
		header.Set("ETag", f.etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.plain))
		return
	}
	// A weak tag: the same content in another coding.
	header.Set("ETag", "W/"+f.etag)
	if strings.Contains(r.Header.Get("If-None-Match"), f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Encoding", "gzip")
	header.Set("Content-Length", strconv.Itoa(len(f.gzipped)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(f.gzipped)
	}
}

func acceptsGzip(header string) bool {
	for offer := range strings.SplitSeq(header, ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(offer), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			return strings.Trim(strings.TrimPrefix(strings.TrimSpace(quality), "q="), "0.") != "" || quality == ""
		}
	}
	return false
}
