package web

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"html/template"
	"strings"
)

//go:embed frame
var frameFiles embed.FS

// FrameScriptPath is the script that shops load beside a frame with the tracking
// page, so that the frame is as high as what is in it.
//
// It asks the page in the frame, which answers nobody but the pages that may
// frame it, and says nothing but a height.
const FrameScriptPath = "/embed/order-tracker-frame.js"

var (
	framedStyle     = mustReadFrame("framed.css")
	framedStylePath = fmt.Sprintf("/assets/framed-%x.css", firstBytes(framedStyle))
	framedScript    = template.JS(mustReadFrame("framed.js")) //nolint:gosec // it is part of the binary
)

func mustReadFrame(name string) []byte {
	content, err := frameFiles.ReadFile("frame/" + name)
	if err != nil {
		panic(fmt.Sprintf("web: %v", err))
	}
	return content
}

func firstBytes(content []byte) []byte {
	sum := sha256.Sum256(content)
	return sum[:6]
}

// template names the form of a page that stands by itself or in a frame.
func (f Frame) template(page string) string {
	if f.Framed {
		return "framed-" + page
	}
	return page
}

// ancestors are who may frame the page, as a policy says it.
func (f Frame) ancestors() string {
	if !f.Framed || len(f.Framers) == 0 {
		return "'none'"
	}
	return strings.Join(f.Framers, " ")
}

// What the templates of framed pages add.

// Look is the theme of the tracker: light, dark or auto.
func (f Frame) Look() string {
	if f.Framed && (f.FrameTheme == "light" || f.FrameTheme == "dark") {
		return f.FrameTheme
	}
	return "auto"
}

// FramedStyle is the path of the style sheet of framed pages.
func (f Frame) FramedStyle() string { return framedStylePath }

// FramedScript tells the framing page the height, once it has asked.
func (f Frame) FramedScript() template.JS { return framedScript }

// FramerList is the origins that may ask, with blanks between.
func (f Frame) FramerList() string { return strings.Join(f.Framers, " ") }
