package device

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/testing/descriptor"
	"kbus.example/kbus/message"
)

// close(2) looks as if it waited for the bus, though the kernel does not: whoever asks afterwards finds the Ksock gone,
// whatever others do meanwhile.
func TestCloseIsOrdered(t *testing.T) {
	d := start(t)
	stop := make(chan struct{})
	ended := make(chan unix.Errno, 3)
	for i := range cap(ended) {
		k := d.rw()
		ok(t, k.Bind(fmt.Sprint("$.Chat.", i), 0))
		go func() {
			for {
				select {
				case <-stop:
					ended <- 0
					return
				default:
				}
				_, errno := k.Send(message.Header{}, fmt.Sprint("$.Chat.", i), "chat")
				if errno == 0 {
					_, _, errno = k.Receive()
				}
				if errno != 0 {
					ended <- errno
					return
				}
			}
		}()
	}
	ask := d.rw()
	for i := range 2000 {
		k := d.bound("$.Brief")
		must(t, k.Close())
		if id, errno := ask.Replier("$.Brief"); id != 0 || errno != 0 {
			t.Fatalf("round %d: Ksock %d is still the Replier (%v)", i, id, errno)
		}
	}
	close(stop)
	for range cap(ended) {
		ok(t, <-ended)
	}
}

// Several threads send, on descriptors of their own and on one that they share; all who listen see one order (R4.36).
func TestOneOrder(t *testing.T) {
	d := start(t)
	const senders, each, listeners = 4, 500, 3
	ends := make(chan error)
	var heard [listeners][]message.ID
	for i := range listeners {
		k := d.rw()
		ok(t, k.Bind("$.Order", 0))
		go func() {
			for len(heard[i]) < senders*each {
				m, some, errno := k.Receive()
				switch {
				case errno != 0:
					ends <- errno
					return
				case !some:
					k.Poll(unix.POLLIN, -1)
				default:
					heard[i] = append(heard[i], m.ID)
				}
			}
			ends <- nil
		}()
	}
	for range senders {
		k := d.rw()
		go func() { ends <- sendMany(k, "$.Order", each) }()
	}
	for range senders + listeners {
		must(t, <-ends)
	}
	for i := range heard {
		if fmt.Sprint(heard[i]) != fmt.Sprint(heard[0]) {
			t.Errorf("listener %d saw another order than listener 0", i)
		}
	}
}

// sendMany sends messages that wait for room.
func sendMany(k descriptor.Descriptor, name string, n int) error {
	for range n {
		_, errno := k.Send(message.Header{Flags: message.AllOrWait}, name, "x")
		if errno == unix.EAGAIN {
			if _, err := k.Poll(unix.POLLOUT, -1); err != nil {
				return err
			}
			continue
		}
		if errno != 0 {
			return errno
		}
	}
	return nil
}

// Threads that share a descriptor share one Ksock: each call is whole, and nothing is lost between them.
func TestThreadsShareKsock(t *testing.T) {
	d := start(t)
	k, s := d.rw(), d.rw()
	ok(t, k.Bind("$.Shared", 0))
	const total, threads = 2000, 4
	took := make(chan int)
	done := make(chan struct{})
	for range threads {
		go func() {
			n := 0
			for {
				select {
				case <-done:
					took <- n
					return
				default:
				}
				if ret, _, errno := k.Next(); errno == 0 && ret == 1 {
					n++
				} else {
					k.Poll(unix.POLLIN, 10)
				}
			}
		}()
	}
	must(t, sendMany(s, "$.Shared", total))
	for n := uint32(1); n > 0; {
		n, _, _ = k.Word(file.IoctlNumMsgs, 0)
	}
	close(done)
	sum := 0
	for range threads {
		sum += <-took
	}
	if sum != total {
		t.Errorf("%d messages were taken of %d", sum, total)
	}
}
