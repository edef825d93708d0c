package loop

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/session"
	"kbus.example/kbus/internal/testing/journal"
	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/message"
)

// bench is one bus that runs, with its log. It is its own host: the smallest there can be.
type bench struct {
	*Loop
	*journal.Journal
	t      *testing.T
	socket string
	called chan bus.Call // what the bus has called for
	burst  chan struct{} // much memory has been given back
	ended  chan struct{}
}

func (b *bench) NewBus(bus.Owner) (uint32, message.Condition)         { return 0, message.ErrTooManyBuses }
func (b *bench) IsAdministrator(uint32, uint32, func() []uint32) bool { return true }
func (b *bench) MayTap(uint32, uint32, func() []uint32) bool          { return true }
func (b *bench) MayJoin(session.Peer) bool                            { return true }

func (b *bench) Called(_ int, calls []bus.Call) {
	for _, c := range calls {
		b.called <- c
	}
}

func (b *bench) Explain(c message.Condition) string {
	if c == message.ErrNotAdministrator {
		return whyNot
	}
	return ""
}

const whyNot = "administrators are others"

func (b *bench) GiveBack() {
	select {
	case b.burst <- struct{}{}:
	default:
	}
}

// start runs a bus; change, if not nil, adjusts what it is.
func start(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	b := &bench{Journal: journal.New(t), t: t, socket: filepath.Join(t.TempDir(), "bus"),
		called: make(chan bus.Call, 10),
		burst:  make(chan struct{}, 1), ended: make(chan struct{})}
	config := Config{
		Socket: listenAt(t, b.socket), Host: b, Limits: DefaultLimits(),
		Log:        logger.New(logger.NewText(b, logger.LevelDebug)),
		RingBytes:  64 << 10, // the tests fill them, and go beyond their ends
		ArenaBytes: 16 << 20,
	}
	if change != nil {
		change(&config)
	}
	var err error
	if b.Loop, err = New(config); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(b.ended)
		b.Run()
		b.End("the bus has ended")
	}()
	t.Cleanup(b.stop)
	return b
}

func listenAt(t *testing.T, path string) Socket {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	}
	if err == nil {
		err = unix.Listen(fd, Backlog)
	}
	if err != nil {
		t.Fatal(err)
	}
	return Socket{FD: fd}
}

func (b *bench) stop() {
	b.Post(b.Finish)
	<-b.ended
}

// open is a Ksock.
func (b *bench) open() *rawclient.Client {
	b.t.Helper()
	return rawclient.Open(b.t, b.socket)
}

// dial is a connection that has said nothing yet.
func (b *bench) dial() *rawclient.Client {
	b.t.Helper()
	return rawclient.Dial(b.t, b.socket)
}

// on does something on the loop and returns when it is done.
func (b *bench) on(do func(*Loop)) {
	done := make(chan struct{})
	b.Post(func() { do(b.Loop); close(done) })
	<-done
}

var announcement, request, replyTo = rawclient.Announcement, rawclient.Request, rawclient.ReplyTo
