//go:build !linux

// Package machine is what the library asks the machine and not a bus. On other systems than Linux there are buses within a
// program only, and little to ask.
package machine

import (
	"os"
	"time"
)

var started = time.Now()

// SinceBoot is how long ago this program was started, since no other program is on its buses.
func SinceBoot() time.Duration { return time.Since(started) }

// Process is nil: a bus within the program knows no other process.
func Process(pid uint32) *os.File { return nil }
