package load

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the unit of CPU times in /proc: a hundredth of a second on Linux,
// whatever the kernel's own clock.
const tick = 10 * time.Millisecond

// CPU is the time that processes have spent so far, user and system together.
// It needs Linux's /proc.
func CPU(pids ...int) (time.Duration, error) {
	var total time.Duration
	for _, pid := range pids {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, fmt.Errorf("read a process's CPU time: %w", err)
		}
		// The name in parentheses may hold anything; fields are counted behind it.
		fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
		if len(fields) < 13 {
			return 0, errors.New("read a process's CPU time: too few fields")
		}
		for _, f := range fields[11:13] {
			n, err := strconv.ParseInt(string(f), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("read a process's CPU time: %w", err)
			}
			total += time.Duration(n) * tick
		}
	}
	return total, nil
}

// Memory is the resident memory of processes in bytes, now and at its highest.
func Memory(pids ...int) (now, highest int64, err error) {
	for _, pid := range pids {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return 0, 0, fmt.Errorf("read a process's memory: %w", err)
		}
		now += kilobytes(raw, "VmRSS:")
		highest += kilobytes(raw, "VmHWM:")
	}
	return now, highest, nil
}

func kilobytes(status []byte, name string) int64 {
	_, rest, _ := bytes.Cut(status, []byte(name))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	return n << 10
}

// Busy is the CPU time that the whole machine has spent so far, on all its
// cores together. What processes under test have not spent of it went to
// others.
func Busy() (time.Duration, error) {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("read the machine's CPU time: %w", err)
	}
	line, _, _ := bytes.Cut(raw, []byte("\n"))
	var total time.Duration
	for i, f := range bytes.Fields(line) {
		const idle, iowait, steal = 4, 5, 8 // the name is the first; behind steal, guests are counted twice
		if i == 0 || i == idle || i == iowait || i > steal {
			continue
		}
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the machine's CPU time: %w", err)
		}
		total += time.Duration(n) * tick
	}
	return total, nil
}
