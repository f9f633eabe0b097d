//go:build unix

package store

import (
	"os"
	"syscall"
)

// giveToOwnerOf makes root's file the folder's owner's. Others cannot give
// files away, and need not.
func giveToOwnerOf(dir, file string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Chown(file, int(owner.Uid), int(owner.Gid))
}
