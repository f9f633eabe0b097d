package web

import (
	"bytes"
	"fmt"
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A strict policy allows neither style attributes nor inline style sheets, so a
// shop's colour comes as a file whose name says all that is in it.
var themeName = regexp.MustCompile(`^theme-([0-9a-f]{6})\.css$`)

var shopColor = regexp.MustCompile(`^#?([0-9A-Fa-f]{6})$`)

// The backgrounds on which an accent must be readable: the page's in light, the
// card's in dark.
var (
	lightGround = rgb{0xf5, 0xf4, 0xf1}
	darkGround  = rgb{0x17, 0x19, 0x1d}
)

// readable is the contrast that WCAG 2.2 AA asks of text.
const readable = 4.5

// themeFile names the style sheet of a colour such as "#c0392b"; "" when it is
// not one.
func themeFile(color string) string {
	match := shopColor.FindStringSubmatch(strings.TrimSpace(color))
	if match == nil {
		return ""
	}
	return "theme-" + strings.ToLower(match[1]) + ".css"
}

// themedFS is a file system that also has a style sheet for every colour.
type themedFS struct{ fs.FS }

func (t themedFS) Open(name string) (fs.File, error) {
	match := themeName.FindStringSubmatch(name)
	if match == nil {
		return t.FS.Open(name)
	}
	return newThemeFile(name, themeSheet(match[1])), nil
}

func themeSheet(hex string) []byte {
	color := parseRGB(hex)
	return fmt.Appendf(nil, ":root{--waybill-accent:%s;--waybill-accent-dark:%s}\n",
		color.against(lightGround, rgb{}), color.against(darkGround, rgb{255, 255, 255}))
}

type rgb [3]float64

func parseRGB(hex string) rgb {
	var color rgb
	for i := range color {
		part, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			return rgb{}
		}
		color[i] = float64(part)
	}
	return color
}

// against returns the colour, moved towards an end only as far as it takes to be
// readable on a ground.
func (c rgb) against(ground, end rgb) rgb {
	for share := 0.0; share <= 1; share += 0.02 {
		mixed := rgb{}
		for i := range c {
			mixed[i] = math.Round(c[i] + (end[i]-c[i])*share)
		}
		if contrast(mixed, ground) >= readable {
			return mixed
		}
	}
	return end
}

func (c rgb) String() string {
	return fmt.Sprintf("#%02x%02x%02x", uint8(c[0]), uint8(c[1]), uint8(c[2]))
}

// contrast is the ratio of two colours' luminance as WCAG 2.2 defines it.
func contrast(a, b rgb) float64 {
	light, dark := a.luminance(), b.luminance()
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

func (c rgb) luminance() float64 {
	linear := func(part float64) float64 {
		part /= 255
		if part <= 0.04045 {
			return part / 12.92
		}
		return math.Pow((part+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

// memoryFile is a file that was made, not read.
type memoryFile struct {
	*bytes.Reader
	name string
}

func newThemeFile(name string, content []byte) *memoryFile {
	return &memoryFile{Reader: bytes.NewReader(content), name: name}
}

func (f *memoryFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *memoryFile) Close() error               { return nil }
func (f *memoryFile) Name() string               { return f.name }
func (f *memoryFile) Mode() fs.FileMode          { return 0o444 }
func (f *memoryFile) ModTime() time.Time         { return time.Time{} }
func (f *memoryFile) IsDir() bool                { return false }
func (f *memoryFile) Sys() any                   { return nil }
