package device

import (
	"fmt"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/testing/descriptor"
	"kbus.example/kbus/message"
)

// Everybody who waits is woken. Two programs play ping-pong, each sleeping until the other has sent: a wake-up that
// is lost leaves both asleep, and the test hangs.
func TestWaiting(t *testing.T) {
	for name, wait := range map[string]func(testing.TB, descriptor.Descriptor) func(){
		"poll": waitPoll, "select": waitSelect, "epoll": waitEpoll, "epoll, edge-triggered": waitEpollEdge,
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t)
			const rounds = 1000
			failed := make(chan error, 2)
			play := func(me, other string, first bool) {
				k := d.rw()
				ok(t, k.Bind(me, 0))
				ready := wait(t, k)
				failed <- nil
				go func() {
					for i := range rounds {
						if i > 0 || !first {
							ready()
							m, some, errno := k.Receive()
							if !some || errno != 0 || m.Name != me {
								failed <- fmt.Errorf("round %d: woken for nothing: %v, %v", i, some, errno)
								return
							}
						}
						if _, errno := k.Send(message.Header{}, other, "ball"); errno != 0 {
							failed <- errno
							return
						}
					}
					failed <- nil
				}()
			}
			play("$.Pong", "$.Ping", false)
			<-failed
			play("$.Ping", "$.Pong", true)
			for range 3 {
				must(t, <-failed)
			}
		})
	}
}

func waitPoll(t testing.TB, d descriptor.Descriptor) func() {
	return func() { d.Poll(unix.POLLIN, -1) }
}

func waitSelect(t testing.TB, d descriptor.Descriptor) func() {
	return func() {
		for {
			var set unix.FdSet
			set.Set(int(d))
			if _, err := unix.Select(int(d)+1, &set, nil, nil, nil); err != unix.EINTR {
				return
			}
		}
	}
}

func waitEpoll(t testing.TB, d descriptor.Descriptor) func() { return epoll(t, d, unix.EPOLLIN) }

func waitEpollEdge(t testing.TB, d descriptor.Descriptor) func() {
	return epoll(t, d, unix.EPOLLIN|unix.EPOLLET)
}

func epoll(t testing.TB, d descriptor.Descriptor, events uint32) func() {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	must(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	must(t, unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, int(d), &unix.EpollEvent{Events: events, Fd: int32(d)}))
	return func() {
		var ready [1]unix.EpollEvent
		for {
			if _, err := unix.EpollWait(fd, ready[:], -1); err != unix.EINTR {
				return
			}
		}
	}
}

// full makes a Ksock that takes one message, and has it.
func (d *daemon) full(name string) descriptor.Descriptor {
	d.t.Helper()
	k := d.rw()
	_, _, errno := k.Word(file.IoctlMaxMsgs, 1)
	ok(d.t, errno)
	ok(d.t, k.Bind(name, 0))
	_, errno = k.Send(message.Header{}, name, "full")
	ok(d.t, errno)
	return k
}

// sending makes a Ksock whose message waits for room, and a second thread that waits until it has been sent.
func (d *daemon) sending(name string, events int16) (k descriptor.Descriptor, sent chan int16) {
	d.t.Helper()
	k = d.rw()
	id, errno := k.Send(message.Header{Flags: message.AllOrWait}, name, "waits")
	want(d.t, errno, unix.EAGAIN)
	if id.IsZero() {
		d.t.Error("EAGAIN comes without an id (R3.67)")
	}
	if ready, _ := k.Poll(unix.POLLOUT, 0); ready != 0 {
		d.t.Fatalf("poll gives %#x while sending", ready)
	}
	sent = make(chan int16)
	go func() {
		ready, _ := k.Poll(events, -1)
		sent <- ready
	}()
	return k, sent
}

// Whoever waits to write is woken by everything that may make room, and its poll then sends the message (R3.92, F6).
func TestRoom(t *testing.T) {
	for name, make := range map[string]func(*daemon, descriptor.Descriptor){
		"read":    func(d *daemon, full descriptor.Descriptor) { full.Next() },
		"raised":  func(d *daemon, full descriptor.Descriptor) { full.Word(file.IoctlMaxMsgs, 2) },
		"closed":  func(d *daemon, full descriptor.Descriptor) { full.Close() },
		"unbound": func(d *daemon, full descriptor.Descriptor) { full.Unbind("$.Full", 0) },
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t)
			other := d.rw()
			full := d.full("$.Full")
			k, sent := d.sending("$.Full", unix.POLLOUT)
			make(d, full)
			if ready := <-sent; ready != unix.POLLOUT {
				t.Errorf("poll gives %#x", ready)
			}
			_, errno := k.ID(file.IoctlSend)
			want(t, errno, unix.ENOMSG) // it has gone
			_ = other
		})
	}
}

// Until somebody polls, a message that has room is not sent: the bus does not try by itself for a device (Q5).
func TestNotSentBeforePoll(t *testing.T) {
	d := start(t)
	full := d.full("$.Full")
	k := d.rw()
	_, errno := k.Send(message.Header{Flags: message.AllOrWait}, "$.Full", "waits")
	want(t, errno, unix.EAGAIN)
	full.Next()
	if _, n, _ := full.Next(); n != 0 {
		t.Error("it was sent before anybody polled")
	}
	if ready, _ := k.Poll(unix.POLLIN, 0); ready != 0 { // asking for something else drives it too
		t.Errorf("poll gives %#x", ready)
	}
	if _, n, _ := full.Next(); n == 0 {
		t.Error("poll did not send it")
	}
}

// A pending message that ends by what another thread does wakes who waits to write.
func TestPendingEndsElsewhere(t *testing.T) {
	d := start(t)
	d.full("$.Full")
	k, sent := d.sending("$.Full", unix.POLLOUT)
	k.Ioctl(file.IoctlDiscard, nil)
	if ready := <-sent; ready != unix.POLLOUT {
		t.Errorf("poll gives %#x", ready)
	}
}

// A Request that can no more be delivered becomes a Status, for which even who waits to read only is woken (F10).
func TestPendingRequestFails(t *testing.T) {
	d := start(t)
	r := d.open(unix.O_RDWR)
	_, _, errno := r.Word(file.IoctlMaxMsgs, 1)
	ok(t, errno)
	ok(t, r.Bind("$.Gone", 1))
	ask := d.rw()
	_, errno = ask.Send(message.Header{Flags: message.WantAReply}, "$.Gone", "first")
	ok(t, errno)
	k := d.rw()
	_, errno = k.Send(message.Header{Flags: message.WantAReply | message.AllOrWait}, "$.Gone", "second")
	want(t, errno, unix.EAGAIN)
	woken := make(chan int16)
	go func() {
		ready, _ := k.Poll(unix.POLLIN, -1)
		woken <- ready
	}()
	r.Close()
	if ready := <-woken; ready != unix.POLLIN {
		t.Errorf("poll gives %#x", ready)
	}
	if m, _, _ := k.Receive(); m.Name != message.NameDisappeared {
		t.Errorf("got %q", m.Name)
	}
}

// Many descriptors in one epoll, each ready exactly when it has a message.
func TestEpollOfMany(t *testing.T) {
	d := start(t)
	const many = 50
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	must(t, err)
	defer unix.Close(fd)
	for i := range many {
		k := d.rw()
		ok(t, k.Bind(fmt.Sprint("$.Many.", i), 0))
		must(t, unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, int(k), &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(k), Pad: int32(i)}))
	}
	s := d.rw()
	for i := range 10 * many {
		i = i * 7 % many
		_, errno := s.Send(message.Header{}, fmt.Sprint("$.Many.", i), "x")
		ok(t, errno)
		var ready [4]unix.EpollEvent
		n, err := unix.EpollWait(fd, ready[:], -1)
		for err == unix.EINTR {
			n, err = unix.EpollWait(fd, ready[:], -1)
		}
		if n != 1 || ready[0].Pad != int32(i) || ready[0].Events != unix.EPOLLIN {
			t.Fatalf("%d are ready, and not %d: %v", n, i, ready[0])
		}
		descriptor.Descriptor(ready[0].Fd).Next()
	}
}

// A Ksock that nobody can read from or write to can still be polled, and calls ioctl (R3.6, R3.90, R3.91).
func TestModes(t *testing.T) {
	d := start(t)
	for _, c := range []struct {
		flags       int
		read, write unix.Errno
		ready       int16
	}{
		{unix.O_RDONLY, 0, unix.EBADF, unix.POLLIN},
		{unix.O_WRONLY, unix.EBADF, 0, unix.POLLIN | unix.POLLOUT},
		{unix.O_RDWR | unix.O_NONBLOCK, 0, 0, unix.POLLIN | unix.POLLOUT},
		{unix.O_ACCMODE, unix.EBADF, unix.EBADF, unix.POLLIN},
	} {
		k := d.open(c.flags)
		ok(t, k.Bind("$.Mode", 0))
		_, errno := k.Write([]byte("Kbus")) // the first guard is right
		want(t, errno, c.write)
		k.Ioctl(file.IoctlDiscard, nil)
		_, errno = d.rw().Send(message.Header{}, "$.Mode", "x")
		ok(t, errno)
		if ready, _ := k.Poll(unix.POLLIN|unix.POLLOUT, 0); ready != c.ready {
			t.Errorf("flags %#x: poll gives %#x", c.flags, ready)
		}
		_, n, errno := k.Next()
		ok(t, errno)
		got, errno := k.Read(make([]byte, n))
		if want(t, errno, c.read); errno == 0 && got != int(n) {
			t.Errorf("read %d of %d", got, n)
		}
		k.Close()
	}
	if _, _, errno := unix.Syscall(unix.SYS_LSEEK, uintptr(d.rw()), 0, 0); kind() == "fuse" && errno != unix.ESPIPE {
		t.Errorf("lseek: %v", errno)
	}
}

// 4 bytes that lie at the end of memory are room enough for a number that is told; the kernel wants 8 of one that is
// given, as the ioctl's number says.
func TestNumberAtTheEnd(t *testing.T) {
	d := start(t)
	k := d.rw()
	page := guarded(t)
	ret, errno := k.Ioctl(file.IoctlKsockID, unsafe.Pointer(&page[len(page)-4]))
	if ret != 0 || errno != 0 {
		t.Errorf("%d, %v", ret, errno)
	}
}
