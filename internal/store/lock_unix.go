//go:build unix

package store

import (
	"errors"
	"os"
	"syscall"
)

// lock takes the file for this process until it is closed, or says who cannot.
func lock(file *os.File) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a descriptor fits
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrInUse
	}
	return err
}
