package store

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// lock takes the file for this process until it is closed. The locked range
// lies beyond the text, so that others can read who has it.
func lock(file *os.File) error {
	err := windows.LockFileEx(windows.Handle(file.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
		&windows.Overlapped{OffsetHigh: math.MaxInt32})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrInUse
	}
	return err
}
