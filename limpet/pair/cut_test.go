package pair_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"kbus.example/kbus"
)

// cutter passes streams on, and cuts the first one when so many bytes have gone one way.
type cutter struct {
	socket  net.Listener
	to      string
	upwards bool // count from who connects, or towards it
	limit   int
	was     bool // the cut has come
	streams sync.WaitGroup
}

func newCutter(t *testing.T, to string, limit int, upwards bool) *cutter {
	socket, err := net.Listen("unix", to+".cut")
	must(t, err)
	c := &cutter{socket: socket, to: to, limit: limit, upwards: upwards}
	c.streams.Go(c.accept)
	t.Cleanup(func() {
		_ = socket.Close()
		c.streams.Wait()
	})
	return c
}

func (c *cutter) accept() {
	first := true
	for {
		down, err := c.socket.Accept()
		if err != nil {
			return
		}
		up, err := net.Dial("unix", c.to)
		if err != nil {
			_ = down.Close()
			continue
		}
		limit := -1
		if first {
			limit, first = c.limit, false
		}
		c.streams.Go(func() { c.pass(up, down, limit, c.upwards) })
		c.streams.Go(func() { c.pass(down, up, limit, !c.upwards) })
	}
}

func (c *cutter) pass(to, from net.Conn, limit int, counted bool) {
	if limit >= 0 && counted {
		n, _ := io.CopyN(to, from, int64(limit))
		c.was = n == int64(limit)
	} else {
		_, _ = io.Copy(to, from)
	}
	_ = to.Close()
	_ = from.Close()
}

// exchange lets an asker on one bus ask a Replier on the other across the cut, and reports whether there was one.
// Whatever happens, each Request has one answer, and in the end there is a Reply.
func exchange(t *testing.T, limit int, upwards bool, dir string) (cut bool) {
	a, b := kbus.NewBus(), kbus.NewBus()
	defer a.Close()
	defer b.Close()
	l, c := options(a, 1, socketIn(t)), options(b, 2, "")
	l.Listen, l.Legacy, c.Legacy = true, true, true
	if dir != "" {
		secure(dir)(&l, &c)
	}
	listener := run(t, l)
	listener.log.await("listening")
	cutter := newCutter(t, l.Address, limit, upwards)
	c.Address = l.Address + ".cut"

	answering(t, open(t, a), "$.Q", "yes")
	asker, news := open(t, b), open(t, a)
	must(t, asker.Bind(t.Context(), "$.News", kbus.Listener))
	watchRepliers(t, asker)
	connector := run(t, c)

	alive, open, answers := 0, map[kbus.ID]bool{}, 0
	for seq := 1; answers == 0; {
		m := next(t, asker, func(*kbus.Message) bool { return true })
		switch {
		case m.Name == "$.News":
			var n int
			if _, err := fmt.Sscan(string(m.Data), &n); err != nil || n <= alive {
				t.Errorf("cut after %d bytes: %v after number %d", limit, m, alive)
			}
			alive = n
		case m.IsReply():
			if !open[m.InReplyTo] {
				t.Errorf("cut after %d bytes: a second answer: %v", limit, m)
			}
			delete(open, m.InReplyTo)
			if kbus.StatusOf(m) == nil {
				answers++
			}
		case binds("$.Q", true)(m):
			_, err := news.Send(t.Context(), kbus.Announcement("$.News", fmt.Sprint(seq)))
			must(t, err)
			seq++
			sent, err := asker.Send(t.Context(), kbus.Request("$.Q", "?"))
			if err == nil {
				open[sent.ID] = true
			} else if !errors.Is(err, kbus.ErrNoReplier) { // lost again already
				t.Fatal(err)
			}
		}
	}
	must(t, connector.stop())
	must(t, listener.stop())
	for m, err := asker.Next(t.Context()); m != nil || err != nil; m, err = asker.Next(t.Context()) {
		must(t, err)
		if m.IsReply() {
			if !open[m.InReplyTo] {
				t.Errorf("cut after %d bytes: a second answer: %v", limit, m)
			}
			delete(open, m.InReplyTo)
		}
	}
	if len(open) > 0 {
		t.Errorf("cut after %d bytes: %d Requests have no answer", limit, len(open))
	}
	_ = cutter.socket.Close()
	cutter.streams.Wait()
	return cutter.was
}

// TestCutAnywhere: a cut after each byte of an exchange, in each direction; through TLS after every 13th.
func TestCutAnywhere(t *testing.T) {
	dir := certificates(t, 1, 2)
	for _, c := range []struct {
		way     string
		upwards bool
		dir     string
		step    int
	}{
		{"up", true, "", 1}, {"down", false, "", 1}, {"up by TLS", true, dir, 13}, {"down by TLS", false, dir, 13},
	} {
		t.Run(c.way, func(t *testing.T) {
			cuts := 0
			if testing.Short() {
				c.step *= 9
			}
			for limit := 0; !t.Failed(); limit += c.step {
				cut := false
				t.Run(fmt.Sprint(limit), func(t *testing.T) { cut = exchange(t, limit, c.upwards, c.dir) })
				if !cut {
					break
				}
				cuts++
			}
			t.Logf("%d cuts", cuts)
			if cuts < 10 {
				t.Errorf("only %d", cuts)
			}
		})
	}
}
