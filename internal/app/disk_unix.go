//go:build linux || darwin

package app

import (
	"io/fs"
	"syscall"
)

// unixModes: permission bits are those of the file.
const unixModes = true

// freeSpace is how many bytes this user may still write in a folder.
func freeSpace(dir string) (free int64, known bool) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return 0, false
	}
	return int64(disk.Bavail) * int64(disk.Bsize), true //nolint:gosec,unconvert // the types differ by system; a disk's size fits
}

// ownerOf is the number of the user a file belongs to.
func ownerOf(file fs.FileInfo) int {
	if stat, ok := file.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return 0
}
