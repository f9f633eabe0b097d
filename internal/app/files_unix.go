//go:build unix

package app

import "syscall"

// openFiles is how many files this process may have open. The runtime has
// raised the limit to the most that it may be.
func openFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fewFiles
	}
	return int(min(limit.Cur, manyFiles))
}
