//go:build !linux && !darwin

package app

import "io/fs"

// Elsewhere neither is looked at.
const unixModes = false

func freeSpace(string) (free int64, known bool) { return 0, false }

func ownerOf(fs.FileInfo) int { return 0 }
