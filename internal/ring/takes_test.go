//go:build !interleave

package ring

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

var takes = flag.Int("ring.takes", 20_000, "how many messages go through the window in TestTakesBetweenProcesses")

const (
	taker    = "KBUS_TEST_TAKER" // this program is the other process
	emulator = "KBUS_EMULATOR"   // what runs it, if the machine does not

	lastMessage = ^uint64(0)
)

func TestMain(m *testing.M) {
	if os.Getenv(taker) != "" {
		take()
		return
	}
	os.Exit(m.Run())
}

// take takes all there is, up to the last message, and says how many that were and their sum.
func take() {
	s, err := Map(3)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _, t := s.Client()
	var n, sum, before uint64
	for {
		p, ok, err := t.Take(1 + rand.Uint32N(3))
		if err != nil {
			fmt.Println(err)
			return
		}
		if !ok {
			unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
			continue
		}
		v := binary.NativeEndian.Uint64(p)
		t.Release()
		if v == lastMessage {
			break
		}
		if v <= before {
			fmt.Println(v, "came after", before)
			return
		}
		n, sum, before = n+1, sum+v, v
	}
	fmt.Println(n, sum)
}

// Two processes share a window. Each message is taken by the one or taken back by the other, and both know which. (On
// some machines that is not so with words of 64 bits: see the package.)
func TestTakesBetweenProcesses(t *testing.T) {
	s, fd, err := Create(Sizes{4096, 4096, 4096, 512})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	file := os.NewFile(uintptr(fd), "segment")
	defer file.Close()
	line := append(strings.Fields(os.Getenv(emulator)), os.Args[0])
	other := exec.Command(line[0], line[1:]...)
	other.Env = append(os.Environ(), taker+"=1")
	other.ExtraFiles = []*os.File{file}
	said := new(strings.Builder)
	other.Stdout, other.Stderr = said, said
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	_, _, w := s.Daemon()
	var queue []uint64 // what is shown
	var n, sum, back, number uint64
	reconcile := func() {
		taken, err := w.Taken()
		if err != nil {
			other.Process.Kill()
			t.Fatal(err)
		}
		for _, v := range queue[:taken] {
			n, sum = n+1, sum+v
		}
		queue = queue[taken:]
	}
	for range *takes {
		p := w.Stage(8)
		for ; p == nil; p = w.Stage(8) {
			reconcile()
			unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
		}
		number++
		binary.NativeEndian.PutUint64(p, number)
		queue = append(queue, number)
		err := w.Publish()
		if number%5000 == 0 && err == nil {
			err = w.Withdraw()
			reconcile()
			back += uint64(len(queue))
			queue = queue[:0]
		}
		if err != nil {
			other.Process.Kill()
			t.Fatal(err)
		}
	}
	last := w.Stage(8)
	for ; last == nil; last = w.Stage(8) {
		reconcile()
	}
	binary.NativeEndian.PutUint64(last, lastMessage)
	queue = append(queue, lastMessage)
	if err := w.Publish(); err != nil {
		t.Fatal(err)
	}
	if err := other.Wait(); err != nil {
		t.Fatal(err)
	}
	reconcile()
	if got, want := strings.TrimSpace(said.String()), fmt.Sprint(n-1, sum-lastMessage); got != want || len(queue) > 0 {
		t.Errorf("the other process says: %s; this one: %s", got, want)
	} else {
		t.Logf("%s; %d taken back of %d", got, back, number)
	}
}
