//go:build !linux

package transport

import (
	"context"
	"fmt"
	"runtime"
)

// Dial fails: the daemon runs on Linux, and so do its clients. Elsewhere a program has the bus inside itself.
func Dial(context.Context, string, bool) (Link, error) {
	return nil, fmt.Errorf("kbusd is for Linux, and this is %s: there is only a bus inside the program (NewBus)", runtime.GOOS)
}
