package clients

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// library is the door of this process: package kbus. Each operation has a goroutine.
type library struct {
	rings bool
	lines chan string

	k       *kbus.Ksock
	pipe    *kbus.Pipe
	cancels map[string]context.CancelFunc
}

func newLibrary(t *testing.T, rings bool) *library {
	l := &library{rings: rings, lines: make(chan string, 1024), cancels: map[string]context.CancelFunc{}}
	t.Cleanup(func() {
		if l.k != nil {
			l.k.Close()
		}
	})
	return l
}

func (l *library) ended() <-chan string { return l.lines }

func (l *library) said() string { return "" }

func (l *library) perform(o operation) {
	if o.verb == "giveup" {
		l.cancels[o.label]()
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancels[o.label] = cancel
	go func() { l.lines <- o.label + " " + l.do(ctx, o) }()
}

func (l *library) do(ctx context.Context, o operation) string {
	switch o.verb {
	case "find":
		os.Setenv("KBUS_DIR", o.argument)
		defer os.Unsetenv("KBUS_DIR")
		k, err := kbus.Open(ctx, 0)
		return opened(l, k, err)
	case "open":
		dir, _ := filepath.Split(o.argument)
		options := []kbus.Option{kbus.Dir(dir), kbus.Rings(l.rings)}
		if o.keep {
			options = append(options, kbus.KeepLateAnswer())
		}
		k, err := kbus.Open(ctx, 0, options...)
		return opened(l, k, err)
	case "close":
		return failedOr(l.k.Close(), "ends")
	case "send":
		sent, err := l.k.Send(ctx, &o.message)
		if sent.Pending {
			return fmt.Sprintf("pending %s 0 0", plain(sent.ID))
		}
		return failedOr(err, fmt.Sprintf("sent %s %d %d", plain(sent.ID), sent.Reached, sent.Skipped))
	case "call":
		m, err := l.k.Call(ctx, &o.message)
		return got(m, err)
	case "next":
		m, err := l.k.Next(ctx)
		return got(m, err)
	case "wait":
		m, err := l.k.Receive(ctx)
		return got(m, err)
	case "listen":
		return failedOr(l.k.Bind(ctx, o.argument, kbus.Listener), "ends")
	case "bind":
		return failedOr(l.k.Bind(ctx, o.argument, kbus.Replier), "ends")
	case "waitsent":
		return failedOr(l.k.WaitSent(ctx), "ends")
	case "reopen":
		r, err := l.k.Reopen(ctx)
		return failedOr(err, fmt.Sprint("ends ", r.ID))
	case "pipe":
		return failedOr(l.pipe.Send(ctx, &o.message), "ends")
	case "flush":
		totals, err := l.pipe.Flush(ctx)
		return failedOr(err, fmt.Sprint("ends ", totals.Accepted))
	}
	return l.set(ctx, o)
}

func opened(l *library, k *kbus.Ksock, err error) string {
	if err != nil {
		return failedOr(err, "")
	}
	l.k, l.pipe = k, k.Pipe()
	return fmt.Sprint("ends ", k.ID())
}

// set is for operations on the Ksock and its queue.
func (l *library) set(ctx context.Context, o operation) string {
	switch o.verb {
	case "discard":
		return failedOr(l.k.Discard(ctx), "ends")
	case "nummsgs":
		n, err := l.k.Queue().Len(ctx)
		return failedOr(err, fmt.Sprint("ends ", n))
	case "maxmsgs":
		n, _ := strconv.Atoi(o.argument)
		now, err := l.k.Queue().SetLimit(ctx, uint32(n))
		return failedOr(err, fmt.Sprint("ends ", now))
	}
	return "fails 38 there is no such operation"
}

func got(m *kbus.Message, err error) string {
	var status *kbus.StatusError
	switch {
	case errors.As(err, &status):
		m = status.Status
	case err != nil:
		return failedOr(err, "")
	case m == nil:
		return "nothing"
	}
	data := "-"
	if len(m.Data) > 0 {
		data = fmt.Sprintf("%x", m.Data)
	}
	return fmt.Sprintf("gets %x %s %s %d %d %d %d %s", m.Name, plain(m.ID), plain(m.InReplyTo), m.To, m.From, m.Flags, m.Missed, data)
}

// failedOr says why something has failed, or what it ends in if it has not.
func failedOr(err error, otherwise string) string {
	var condition message.Condition
	var errno syscall.Errno
	switch {
	case err == nil:
		return otherwise
	case errors.Is(err, context.Canceled):
		return "late"
	case errors.As(err, &condition):
		errno = condition.Errno()
	case !errors.As(err, &errno):
		errno = syscall.EINVAL
	}
	return fmt.Sprintf("fails %d %v", errno, err)
}

func plain(id kbus.ID) string { return fmt.Sprintf("%d:%d", id.Network, id.Serial) }
