// Package web holds everything a browser is given, inside the binary: the
// hosted tracking page, the pages around it, and the script that shops embed.
//
// It promises that a page says the same before its script runs as after: both
// take their words, icons and steps from the same files and follow the same
// rules, and a test compares them. Pages work without JavaScript and under
// [ContentSecurityPolicy]; nothing that a courier or a shop wrote becomes markup.
//
// The built files under dist/ are committed, so that Go alone builds the binary;
// `npm run check:stale` fails when they are not what a fresh build gives.
package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
)

//go:embed dist templates tracker/src/vocabulary
var embedded embed.FS

// WidgetPath is where shops load the script from.
const WidgetPath = "/embed/order-tracker.js"

// Assets returns the files of `/assets/…`. Their names change with their
// content, so a browser may keep them for ever. Beside the built files it has
// `theme-rrggbb.css` for every colour: see [Shop].
func Assets() fs.FS {
	return themedFS{sub("dist/assets")}
}

// Widget returns the script that defines `<order-tracker>`, with all it needs.
// Where it listens must then be said by attributes; [Files] serves it with that
// built in.
func Widget() []byte {
	return mustRead("dist" + WidgetPath)
}

// The page's script and style sheet, as the build named them.
var script, style = builtNames()

func builtNames() (script, style string) {
	var manifest map[string]struct {
		File string   `json:"file"`
		CSS  []string `json:"css"`
	}
	mustDecode("dist/assets/manifest.json", &manifest)
	page := manifest["page.tsx"]
	return page.File, page.CSS[0]
}

func sub(dir string) fs.FS {
	files, err := fs.Sub(embedded, dir)
	if err != nil {
		panic(fmt.Sprintf("web: %v", err))
	}
	return files
}

// mustRead and mustDecode read files that are part of the binary: a fault in
// them is one of the build, and every test of the package meets it.
func mustRead(name string) []byte {
	content, err := embedded.ReadFile(name)
	if err != nil {
		panic(fmt.Sprintf("web: %v", err))
	}
	return content
}

func mustDecode(name string, into any) {
	if err := json.Unmarshal(mustRead(name), into); err != nil {
		panic(fmt.Sprintf("web: decode %s: %v", name, err))
	}
}
