package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// What clients have under way when the daemon is replaced goes on, byte by byte. Each of these is with sockets and with rings.

// replace has a new process take over. The old one has been ended by then, and the new one serves.
func (p *process) replace() {
	p.t.Helper()
	p.signalNow(syscall.SIGUSR2)
	p.replaced()
}

// signalNow signals the process that is the daemon.
func (p *process) signalNow(which syscall.Signal) {
	p.t.Helper()
	if err := syscall.Kill(cmp.Or(p.now, p.Process.Pid), which); err != nil {
		p.t.Fatal(err)
	}
}

// replaced waits until a new process has taken over.
func (p *process) replaced() {
	p.t.Helper()
	if p.now == 0 {
		p.t.Cleanup(func() { syscall.Kill(p.now, syscall.SIGKILL) })
	}
	if _, err := fmt.Sscanf(p.wait("notify: MAINPID="), "notify: MAINPID=%d", &p.now); err != nil {
		p.t.Fatal(err)
	}
	p.wait("notify: READY=1")
}

// both runs a test with clients over sockets and with clients over rings.
func both(t *testing.T, test func(t *testing.T, p *process, open func() *rawclient.Client), args ...string) {
	for name, open := range map[string]func(testing.TB, string) *rawclient.Client{
		"sockets": rawclient.Open, "rings": rawclient.OpenRings,
	} {
		t.Run(name, func(t *testing.T) {
			p := runKbusd(t, args...)
			test(t, p, func() *rawclient.Client { return open(t, p.path(0)) })
		})
	}
}

func TestReplacedWithinARequest(t *testing.T) {
	both(t, func(t *testing.T, p *process, open func() *rawclient.Client) {
		c := open()
		c.Bind("$.A", false)
		for cut := 1; cut < 90; cut += 11 {
			reset, _ := c.Append(nil, wire.OpReset, 0, 0, nil)
			data := bytes.Repeat([]byte{byte(cut)}, cut*500)
			request, _ := c.Append(nil, wire.OpSendMessage, 0, 0, rawclient.Message(message.Header{}, "$.A", data))
			cut = min(cut, len(request)-1)
			c.Raw(append(reset, request[:cut]...))
			c.Next() // so the beginning of the request has been read, too
			p.replace()
			c.Raw(request[cut:])
			if f := c.Next(); f.Op != wire.OpSendMessage || f.Condition != message.OK {
				t.Fatalf("cut at %d: %v %v", cut, f.Op, f.Condition)
			}
			if m := c.Must(wire.OpNext, 0, nil).Parse(t); !bytes.Equal(m.Data, data) {
				t.Fatalf("cut at %d: %d bytes have come", cut, len(m.Data))
			}
		}
	})
}

func TestReplacedWithWaitingRequests(t *testing.T) {
	both(t, func(t *testing.T, p *process, open func() *rawclient.Client) {
		replier, asker, reader, teller := open(), open(), open(), open()
		replier.Bind("$.Q", true)
		reader.Bind("$.A", false)
		reader.Must(wire.OpMaxMessages, 1, nil)
		next := replier.Put(wire.OpNextWait, 0, nil)
		p.replace()
		call := asker.Put(wire.OpCall, 0, rawclient.Request("$.Q", "?"))
		f := replier.Next()
		asked := f.Parse(t)
		if f.Seq != next || string(asked.Data) != "?" {
			t.Fatalf("the Replier gets %v, number %d: %v", f.Op, f.Seq, &asked)
		}
		p.replace() // the Request has been read, and its caller waits
		replier.Must(wire.OpSendMessage, 0, rawclient.ReplyTo(asked, "!"))
		if f := asker.Next(); f.Seq != call || string(f.Parse(t).Data) != "!" {
			t.Fatalf("the caller gets %v, number %d", f.Op, f.Seq)
		}

		say := func(flags message.Flags, text string) message.Condition {
			return teller.Ask(wire.OpSendMessage, 0, rawclient.Message(message.Header{Flags: flags}, "$.A", []byte(text))).Condition
		}
		if c := say(0, "1"); c != message.OK {
			t.Fatal(c)
		}
		if c := say(message.AllOrWait, "2"); c != message.ErrPending {
			t.Fatal(c)
		}
		sent := teller.Put(wire.OpWaitSent, 0, nil)
		p.replace()
		if m := reader.Must(wire.OpNext, 0, nil).Parse(t); string(m.Data) != "1" {
			t.Errorf("first is %v", &m)
		}
		if f := teller.Next(); f.Seq != sent || f.Condition != message.OK {
			t.Errorf("who waits for room gets %v, number %d", f.Op, f.Seq)
		}
		if m := reader.Must(wire.OpNext, 0, nil).Parse(t); string(m.Data) != "2" {
			t.Errorf("second is %v", &m)
		}
	})
}

// A Replier that dies after the hand-over still owes what it was asked before.
func TestReplacedBeforeADeath(t *testing.T) {
	both(t, func(t *testing.T, p *process, open func() *rawclient.Client) {
		replier, asker := open(), open()
		replier.Bind("$.Q", true)
		asker.Put(wire.OpCall, 0, rawclient.Request("$.Q", "1"))
		replier.Must(wire.OpNextWait, 0, nil)
		asker.Put(wire.OpCall, 0, rawclient.Request("$.Q", "2"))
		p.replace()
		replier.Close()
		names := map[string]bool{}
		for range 2 {
			m := asker.Next().Parse(t)
			names[m.Name] = true
		}
		if !names[message.NameGoneAway] || !names[message.NameIgnored] {
			t.Errorf("the Statuses are %v", names)
		}
	})
}

func TestReplacedWithUnreadResults(t *testing.T) {
	both(t, func(t *testing.T, p *process, open func() *rawclient.Client) {
		const messages, length = 200, 20_000
		reader, teller := open(), open()
		reader.Bind("$.A", false)
		reader.Must(wire.OpMaxMessages, 2*messages, nil)
		for i := range messages {
			teller.Must(wire.OpSendMessage, 0, rawclient.Message(message.Header{}, "$.A", bytes.Repeat([]byte{byte(i)}, length)))
			reader.Put(wire.OpNextWait, 0, nil)
		}
		for range 3 {
			p.replace()
		}
		for i := range messages {
			if m := reader.Next().Parse(t); len(m.Data) != length || m.Data[0] != byte(i) || m.Data[length-1] != byte(i) {
				t.Fatalf("message %d is %d bytes of %d", i, len(m.Data), m.Data[0])
			}
		}
	})
}

func TestReplacedBytewise(t *testing.T) {
	both(t, func(t *testing.T, p *process, open func() *rawclient.Client) {
		c := open()
		c.Bind("$.A", false)
		entire := message.AppendEntire(nil, &message.Header{}, []byte("$.A"), []byte("hello"))
		for cut := 1; cut < len(entire); cut += 9 {
			c.Must(wire.OpWrite, 0, entire[:cut])
			p.replace()
			c.Must(wire.OpWrite, 0, entire[cut:])
			c.Must(wire.OpSend, 0, nil)
			length := c.Must(wire.OpNextMsg, 0, nil).Arg
			got := c.Must(wire.OpRead, uint32(cut), nil).Payload
			p.replace()
			got = append(got, c.Must(wire.OpRead, length, nil).Payload...)
			if len(got) != int(length) || !bytes.Contains(got, []byte("hello")) {
				t.Fatalf("cut at %d: %q", cut, got)
			}
		}
	})
}

func TestReplacedWithTap(t *testing.T) {
	p := runKbusd(t)
	tap := rawclient.Dial(t, p.path(0))
	tap.Hello(0)
	seq := tap.Put(wire.OpTap, 0, wire.AppendTapFilter(nil, wire.TapFilter{Kinds: wire.TapAnnouncements, DataBytes: 100}))
	tap.Next()
	c := p.open()
	for i := range 3 {
		p.replace()
		c.Must(wire.OpSendMessage, 0, rawclient.Announcement("$.A", fmt.Sprint(i)))
		f := tap.Next()
		var e wire.TapEvent
		if !wire.ParseTapEvent(f.Payload, &e) || f.Seq != seq || string(e.Data) != fmt.Sprint(i) || e.Missed != 0 {
			t.Errorf("the tap is shown %+v", e)
		}
	}
}

// Switches, buses that were made, ids, and the names that others asked for stay.
func TestReplacedDaemonIsTheSame(t *testing.T) {
	both(t, func(t *testing.T, p *process, open func() *rawclient.Client) {
		c := open()
		c.Must(wire.OpVerbose, 1, nil)
		c.Must(wire.OpMaxMessageSize, 5000, nil)
		if n := c.Must(wire.OpNewBus, 0, nil).Arg; n != 1 {
			t.Errorf("the new bus is %d", n)
		}
		on1 := rawclient.Open(t, p.path(1))
		on1.Bind("$.A", false)
		p.replace()
		on1.Must(wire.OpSendMessage, 0, rawclient.Announcement("$.A", "x"))
		on1.Must(wire.OpNext, 0, nil)
		if v := c.Must(wire.OpVerbose, 0xFFFFFFFF, nil).Arg; v != 1 {
			t.Errorf("verbose is %d", v)
		}
		if v := c.Must(wire.OpMaxMessageSize, 0, nil).Arg; v != 5000 {
			t.Errorf("the longest message is %d", v)
		}
		if n := c.Must(wire.OpNewBus, 0, nil).Arg; n != 2 {
			t.Errorf("the next new bus is %d", n)
		}
		rawclient.Open(t, p.path(2))
		was := c.Must(wire.OpInfo, 0, nil).Payload
		p.replace()
		if is := c.Must(wire.OpInfo, 0, nil).Payload; !bytes.Equal(is, was) {
			t.Errorf("the bus says of itself\n% x\nand said\n% x", is, was)
		}
	})
}

// Rules hold for who was there before, too.
func TestReplacedWithRules(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "kbusd.toml")
	writeFile(t, config, "buses = 1\n")
	writeFile(t, filepath.Join(dir, "rules.d", "10-a.toml"), "[[rule]]\nallow = \"open\"\n[[rule]]\nallow = \"send\"\nname = \"$.A\"\n")
	both(t, func(t *testing.T, p *process, open func() *rawclient.Client) {
		c := open()
		for range 2 {
			for name, want := range map[string]message.Condition{"$.A": message.OK, "$.B": message.ErrDenied} {
				if got := c.Ask(wire.OpSendMessage, 0, rawclient.Announcement(name, "")).Condition; got != want {
					t.Errorf("to send %s is %v", name, got)
				}
			}
			p.replace()
		}
		if err := os.WriteFile(filepath.Join(dir, "rules.d", "20-b.toml"), []byte("[[rule]]\nallow = \"send\"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(filepath.Join(dir, "rules.d", "20-b.toml"))
		if err := syscall.Kill(p.now, syscall.SIGUSR2); err != nil {
			t.Fatal(err)
		}
		p.wait("nobody takes over", "rules in force")
		c.Must(wire.OpReset, 0, nil)
	}, "--config", config)
}

// A federator's word and the Binds that wait for it.
func TestReplacedWithFederator(t *testing.T) {
	both(t, func(t *testing.T, p *process, open func() *rawclient.Client) {
		federator, c := open(), open()
		federator.Must(wire.OpFederate, 1, nil)
		federator.Must(wire.OpVouch, 0, wire.AppendVouch(nil, 1<<62))
		bind := c.Put(wire.OpBind, 1, []byte("$.Q"))
		request := federator.Must(wire.OpNextBindRequest, 0, nil)
		p.replace()
		federator.Must(wire.OpDecide, request.Arg, wire.AppendDecision(nil, message.OK))
		if f := c.Next(); f.Seq != bind || f.Condition != message.OK {
			t.Errorf("the Bind ends in %v, number %d", f.Condition, f.Seq)
		}
		p.replace()
		federator.Close()
		c.Put(wire.OpReset, 0, nil)
		c.Next()
		next := open()
		for next.Must(wire.OpReplier, 0, []byte("$.Q")).Arg != 0 { // until the daemon has seen the end of the federator
		}
	})
}

// Who keeps more than a limit that has been lowered since is let keep it, and is in nobody's way: a new daemon takes over.
func TestReplacedAboveALimit(t *testing.T) {
	config := filepath.Join(t.TempDir(), "kbusd.toml")
	write(t, config, "")
	both(t, func(t *testing.T, p *process, open func() *rawclient.Client) {
		first, other := open(), open()
		first.Bind("$.A", false)
		entire := message.AppendEntire(nil, &message.Header{}, []byte("$.A"), make([]byte, 300_000))
		reload := func() {
			if err := syscall.Kill(cmp.Or(p.now, p.Process.Pid), syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			p.wait("notify: RELOADING=1")
			p.wait("notify: READY=1")
		}
		first.Must(wire.OpWrite, 0, entire[:200_000])
		write(t, config, "limits.user-buffer-bytes = 100000\n")
		reload()
		p.replace()
		other.Must(wire.OpReset, 0, nil)
		write(t, config, "")
		reload()
		first.Must(wire.OpWrite, 0, entire[200_000:])
		first.Must(wire.OpSend, 0, nil)
		if m := first.Must(wire.OpNext, 0, nil).Parse(t); len(m.Data) != 300_000 {
			t.Errorf("%d bytes have come", len(m.Data))
		}
	}, "--config", config)
}
