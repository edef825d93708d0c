package kbus_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus"
)

// A program that has no addresses left for the memory that the daemon shares, as may be on a machine of 32 bits, goes on
// over the socket.
func TestNoRoomToMap(t *testing.T) {
	d := startDaemon(t, tempDir(t))
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &before); err != nil {
		t.Fatal(err)
	}
	used, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var pages uint64
	fmt.Sscan(string(used), &pages)
	few := unix.Rlimit{Cur: pages*uint64(os.Getpagesize()) + 8<<20, Max: before.Max} // less than the log has
	if err := unix.Setrlimit(unix.RLIMIT_AS, &few); err != nil {
		t.Fatal(err)
	}
	k, err := d.open()
	maps, e := os.ReadFile("/proc/self/maps")
	if err := unix.Setrlimit(unix.RLIMIT_AS, &before); err != nil || e != nil {
		t.Fatal(err, e)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if n := strings.Count(string(maps), "memfd:kbus-"); n != 0 {
		t.Errorf("%d mappings of the daemon's memory", n)
	}
	if err := k.Bind(t.Context(), "$.Cramped", kbus.Listener); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Send(t.Context(), &kbus.Message{Name: "$.Cramped", Data: []byte("over the socket")}); err != nil {
		t.Fatal(err)
	}
	if m, err := k.Receive(t.Context()); err != nil || string(m.Data) != "over the socket" {
		t.Errorf("%v, %v", m, err)
	}
}
