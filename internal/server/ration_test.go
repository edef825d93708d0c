package server

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/testing/journal"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A client may be thrown out as often as it likes: the log says ten times why, and then how many more there were.
func TestLogOfOneKindIsBounded(t *testing.T) {
	const visits = 50
	b := start(t, nil)
	for range visits {
		bad := b.dial()
		bad.Write([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
		bad.Ended()
	}
	other := b.dial() // of another kind, and not left out
	other.Write(wire.AppendFrame(nil, wire.Header{Op: wire.OpNext, Seq: 1}, nil))
	other.Ended()
	b.Await("connection ended", "protocol violation")
	b.Stop(0)
	b.Wait()
	if n := b.Count("connection ended", "announces a payload", "level=WARN msg=\"connection ended\""); n != linesOfAKind {
		t.Errorf("%d lines", n)
	}
	b.Await("lines left out", fmt.Sprint("lines=", visits-linesOfAKind), `like="connection ended"`, "announces a payload",
		fmt.Sprint("uid=", os.Getuid()), "bus=0")
}

// Refusals by a limit too, though each connection has its own word for it.
func TestLogOfRefusalsIsBounded(t *testing.T) {
	const visits = 30
	b := start(t, func(c *Config) { c.Limits.UserBindings = 1 })
	keeper := b.open()
	keeper.Bind("$.Only", false)
	for range visits {
		c := b.open()
		if f := c.Ask(wire.OpBind, 0, []byte("$.More")); f.Condition != message.ErrUserBindings {
			t.Fatalf("got %v", f.Condition)
		}
		c.Close()
	}
	b.Stop(0)
	b.Wait()
	if n := b.Count("msg=refused", "limit=user-bindings"); n != linesOfAKind {
		t.Errorf("%d lines", n)
	}
	b.Await("lines left out", fmt.Sprint("lines=", visits-linesOfAKind), "like=refused", "limit=user-bindings")
}

// After its time a kind has its lines again. Users, buses and reasons are counted apart, and numbers make no kind.
func TestRation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := journal.New(t)
		r := newRation(logger.NewText(j, logger.LevelInfo))
		log := logger.New(r)
		bus := log.With("bus", 3)
		say := func(times int, on *logger.Logger, uid int) {
			for i := range times {
				on.Warn("ended", "uid", uid, "pid", i, "reason", fmt.Sprintf("%d bytes too many", i))
			}
		}
		lines := func(want int, words ...string) {
			t.Helper()
			if got := j.Count(append(words, "msg=ended")...); got != want {
				t.Errorf("%d lines with %q; want %d", got, words, want)
			}
		}
		say(25, log, 1)
		lines(10, "uid=1")
		say(12, log, 2)
		lines(10, "uid=2")
		say(12, bus, 1)
		lines(10, "bus=3")
		log.Warn("ended", "uid", 1, "reason", "another")
		lines(1, "another")
		for range 30 {
			log.Info("what the daemon does")
		}
		if n := j.Count("what the daemon does"); n != 30 {
			t.Errorf("%d of 30 lines that are not counted", n)
		}
		time.Sleep(rationTime)
		synctest.Wait()
		for _, left := range [][]string{{"lines=15", "uid=1"}, {"lines=2", "uid=2"}, {"lines=2", "bus=3"}} {
			if j.Count(append(left, "lines left out", "like=ended")...) != 1 {
				t.Errorf("no line says %q", left)
			}
		}
		say(1, log, 1)
		lines(22, "uid=1") // 10, 10 of the bus, "another", and this
		time.Sleep(rationTime)
		synctest.Wait()
		before := j.Count("msg=ended")
		for i := range mostKinds + 500 {
			say(1, log, 100+i)
		}
		if n := j.Count("msg=ended") - before; n != mostKinds+linesOfAKind {
			t.Errorf("%d lines of too many kinds", n)
		}
		r.end()
	})
}
