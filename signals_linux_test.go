package kbus_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"kbus.example/kbus"
)

// tick has signals come all the time, in whatever thread and call this process happens to be, until the test ends.
func tick(t *testing.T, every time.Duration) (ticks <-chan os.Signal) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGALRM)
	interval := unix.NsecToTimeval(every.Nanoseconds())
	if _, err := unix.Setitimer(unix.ITIMER_REAL, unix.Itimerval{Interval: interval, Value: interval}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Setitimer(unix.ITIMER_REAL, unix.Itimerval{})
		signal.Stop(c)
	})
	return c
}

// shootAll sends the signal to every thread of this process, over and over, until it is told to end: a timer's goes to any one of
// them, which is hardly ever one that is in the kernel.
func shootAll(t *testing.T) (end func()) {
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		for {
			threads, err := os.ReadDir("/proc/self/task")
			if err != nil {
				t.Error(err)
				return
			}
			for _, thread := range threads {
				if id, err := strconv.Atoi(thread.Name()); err == nil {
					_ = unix.Tgkill(os.Getpid(), id, unix.SIGALRM) // it may have ended meanwhile
				}
			}
			select {
			case <-done:
				return
			default:
			}
		}
	}()
	return func() {
		close(done)
		<-over
	}
}

// A timer that ticks lengthens no limit of time, and ends nothing before its time.
func TestDaemonStandsStillTicking(t *testing.T) {
	tick(t, 2*time.Millisecond)
	standsStill(t)
}

// crowd has as many wait for a daemon that stands still as can.
func (d *daemon) crowd(w *world) {
	there := &unix.SockaddrUnix{Name: kbus.SocketPath(d.dir, 0)}
	for full := false; !full; {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		w.must(err)
		w.Cleanup(func() { unix.Close(fd) })
		if err = unix.Connect(fd, there); err != unix.EAGAIN {
			w.must(err)
		}
		full = err == unix.EAGAIN
	}
}

// sockets is how many this process has.
func sockets(w *world) (n int) {
	all, err := os.ReadDir("/proc/self/fd")
	w.must(err)
	for _, one := range all {
		if link, _ := os.Readlink("/proc/self/fd/" + one.Name()); strings.HasPrefix(link, "socket:") {
			n++
		}
	}
	return n
}

// A Reopen that nobody accepts is ended by Close, which is all that ends it.
func TestReopenClosedUnaccepted(t *testing.T) {
	w, d := &world{TB: t}, startDaemon(t, tempDir(t))
	k, err := d.open()
	w.must(err)
	d.kill()
	w.fails(k.Bind(w.Context(), "$.A", kbus.Listener), kbus.ErrBusGone)
	again := startDaemon(t, d.dir)
	again.stop(t)
	again.crowd(w)
	before, given := sockets(w), make(chan error)
	go func() {
		_, err := k.Reopen(w.Context())
		given <- err
	}()
	for sockets(w) == before {
		runtime.Gosched()
	}
	closed := make(chan error)
	go func() { closed <- k.Close() }()
	w.fails(<-given, kbus.ErrClosed)
	w.must(<-closed)
}

// As many as can wait for a daemon that stands still are waiting: who comes then is told in time, too.
func TestNobodyAccepts(t *testing.T) {
	w, d := &world{TB: t}, startDaemon(t, tempDir(t))
	d.stop(t)
	d.crowd(w)
	ctx, done := context.WithTimeout(w.Context(), moment)
	defer done()
	_, err := kbus.Open(ctx, 0, kbus.Dir(d.dir))
	w.fails(err, context.DeadlineExceeded)
	w.fails(err, kbus.ErrCanceled)
	d.goOn()
	k, err := d.open()
	w.must(err)
	k.Close()
}

// Signals in the middle of sends, calls and receives change nothing: each message is heard once, whole and in order, and
// each call has its own answer.
func TestSignals(t *testing.T) {
	onBoth(t, func(w *world, d *daemon, opts ...kbus.Option) {
		ticks := tick(t, 200*time.Microsecond)
		defer shootAll(t)()
		const rounds = 300
		open := func(name string, as kbus.Role) *kbus.Ksock {
			k, err := d.open(opts...)
			w.must(err)
			w.Cleanup(func() { k.Close() })
			_, err = k.Queue().SetLimit(w.Context(), 10*rounds)
			w.must(err)
			w.must(k.Bind(w.Context(), name, as))
			return k
		}
		k, listener, replier := open("$.Mine", kbus.Listener), open("$.News", kbus.Listener), open("$.R", kbus.Replier)
		var all sync.WaitGroup
		defer all.Wait()
		all.Go(func() {
			for range rounds {
				if err := echo(w.Context(), replier); err != nil {
					w.Error(err)
					return
				}
			}
		})
		all.Go(func() {
			for i := range rounds {
				m, err := listener.Receive(w.Context())
				if err != nil || string(m.Data) != news(i) {
					w.Errorf("message %d: %.80v, %v", i, m, err)
					return
				}
			}
		})
		for i := range rounds {
			w.send(k, kbus.Announcement("$.News", news(i)))
			w.send(k, kbus.Announcement("$.Mine", fmt.Sprint(i)))
			m, err := k.Call(w.Context(), kbus.Request("$.R", fmt.Sprint(i)))
			w.must(err)
			is(w, "the answer", string(m.Data), fmt.Sprint(i))
			m, err = k.Receive(w.Context())
			w.must(err)
			is(w, "what was received", string(m.Data), fmt.Sprint(i))
		}
		<-ticks
	})
}

// echo answers one Request with what it has brought.
func echo(ctx context.Context, k *kbus.Ksock) error {
	m, err := k.Receive(ctx)
	if err != nil {
		return err
	}
	reply, err := m.Reply([]byte(string(m.Data)))
	if err == nil {
		_, err = k.Send(ctx, reply)
	}
	return err
}

// news is the data of message i: some fit in a ring, some are in the log, some are in several pieces.
func news(i int) string {
	return fmt.Sprint(i, " ") + strings.Repeat("x", []int{0, 1000, 30_000, 390_000}[i%4])
}
