#!/bin/sh
# coreos/go-systemd v22.7.0, daemon.SdNotify: telling the manager blocks for ever when the manager does not read.
#
# Guess, written down before the first run: the notice is a datagram to whoever looks after the program, so it is dropped or gives
# an error when the manager stands still; it never blocks.
# Seen: when the kernel's queue of the socket is full (net.unix.max_dgram_qlen, 10 datagrams or 512), SdNotify waits without any limit,
# and goes on when the manager reads. There is no call with a context or a time limit.
#
# For those who write services next to KBUS (and for kbusd): "WATCHDOG=1" or a status line belongs into a goroutine of its own, never into the
# loop that serves.
#
# Needs Go. Uses a Unix socket only.
. "$(dirname "$0")/begin.sh"
go_program github.com/coreos/go-systemd/v22@v22.7.0 <<'E'
package main

import (
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

const notices = 20_000

func main() {
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: os.Getenv("NOTIFY_SOCKET"), Net: "unixgram"})
	if err != nil {
		panic(err)
	}
	var told atomic.Int64
	done := make(chan error, 1)
	go func() {
		for range notices {
			if _, err := daemon.SdNotify(false, "WATCHDOG=1"); err != nil {
				done <- err
				return
			}
			told.Add(1)
		}
		done <- nil
	}()
	last, still := int64(-1), 0
	for still < 30 { // three seconds without one more
		time.Sleep(100 * time.Millisecond)
		if now := told.Load(); now != last {
			last, still = now, 0
		} else {
			still++
		}
	}
	fmt.Fprintln(os.Stderr, "told before it stood still:", last)
	select {
	case err := <-done:
		fmt.Println("the manager does not read: all told or dropped, error", err)
	default:
		fmt.Println("the manager does not read: blocked for 3 seconds")
	}
	go func() {
		for b := make([]byte, 100); ; {
			manager.Read(b)
		}
	}()
	fmt.Println("the manager reads: error", <-done, "after", told.Load())
}
E
NOTIFY_SOCKET="$dir/notify" timeout 60 ./run >seen
as_found <<'E'
the manager does not read: blocked for 3 seconds
the manager reads: error <nil> after 20000
E
