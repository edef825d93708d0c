package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// TERM: systemd is told, who waits gets its answer, and the exit status is 0.
func TestTerm(t *testing.T) {
	p := runKbusd(t, "--drain", "1h")
	asker, replier := p.open(), p.open()
	replier.Bind("$.Q", true)
	call := asker.Put(wire.OpCall, 0, rawclient.Message(message.Header{Flags: message.WantAReply}, "$.Q", nil))
	replier.Put(wire.OpNextWait, 0, nil)
	asked := replier.Next().Parse(t)
	p.signal(syscall.SIGTERM)
	p.wait("notify: STOPPING=1")
	if f := replier.Next(); f.Op != wire.OpStopping {
		t.Errorf("the replier got %v", f.Op)
	}
	asker.Next()
	reply := message.Header{InReplyTo: asked.ID, To: asked.From}
	replier.Must(wire.OpSendMessage, 0, rawclient.Message(reply, "$.Q", []byte("!")))
	if f := asker.Next(); f.Seq != call || string(f.Parse(t).Data) != "!" {
		t.Errorf("the asker got %v, number %d", f.Op, f.Seq)
	}
	p.exits(exitOK)
	if left, _ := os.ReadDir(p.dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// At the deadline it ends by itself; a second signal does not wait for that.
func TestTermWithUnreadQueue(t *testing.T) {
	for _, second := range []bool{false, true} {
		drain := "50ms"
		if second {
			drain = "1h"
		}
		p := runKbusd(t, "--drain", drain)
		c := p.open()
		c.Bind("$.Unread", false)
		c.Must(wire.OpSendMessage, 0, rawclient.Message(message.Header{}, "$.Unread", nil))
		p.signal(syscall.SIGINT)
		c.Next() // Stopping
		if second {
			p.signal(syscall.SIGTERM)
		}
		p.exits(exitOK)
	}
}

// HUP: the file is read again, and taken whole or not at all.
func TestHangup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kbusd.toml")
	write(t, file, "buses = 1\n")
	p := runKbusd(t, "--config", file, "--log-level", "info")
	c := p.open()
	reload := func(text string) {
		write(t, file, text)
		p.signal(syscall.SIGHUP)
		p.wait("notify: RELOADING=1 MONOTONIC_USEC=")
		p.wait("notify: READY=1")
	}
	bind := func(name string) message.Condition { return c.Ask(wire.OpBind, 0, []byte(name)).Condition }

	reload("buses = 2\nsocket.mode = \"0600\"\n[limits]\nuser-bindings = 1\n[log]\nlevel = \"error\"\n")
	p.wait("reloaded", "1 -> 2", "16384 -> 1", "0666", "0600")
	bind("$.A")
	if got := bind("$.B"); got != message.ErrUserBindings {
		t.Errorf("the limit is not in force: %v", got)
	}
	rawclient.Open(t, p.path(1))

	for _, bad := range []struct{ text, says string }{
		{"buses = 2\nlimits.user-bindings = 5\nlimits.bogus = 1\n", file + ":3: unknown key"},
		{"buses = 2\nlimits.user-bindings = 5\ndrain = 1", file + ":3: drain:"},
		{"buses = 2\nlimits.user-bindings = 5\nlog.format = \"json\"\n", file + ":3: log.format cannot change"},
		{"buses = 1\nlimits.user-bindings = 5\n", file + ":1: buses can only grow"},
		{"buses = 2\nlimits.user-bindings = 5\nlimits.set-aside = 5\n", file + ":3: limits.set-aside cannot change"},
		{"buses = 2\nlimits.user-bindings = 5\nsocket.group = \"no such group\"\n", "unknown group"},
	} {
		reload(bad.text)
		p.wait("reload refused", bad.says)
		if got := bind("$.B"); got != message.ErrUserBindings {
			t.Errorf("a refused file is in force: %v", got)
		}
	}
	reload("buses = 2\n")
	p.wait("reloaded")
	if got := bind("$.B"); got != message.OK {
		t.Errorf("without the limit: %v", got)
	}
}

func TestHangupWithoutFile(t *testing.T) {
	p := runKbusd(t)
	p.signal(syscall.SIGHUP)
	p.wait("reloaded", "without --config")
	p.open()
}

// The watchdog is fed while the buses turn. That a bus which does not turn is noticed, the server's own tests show.
func TestWatchdog(t *testing.T) {
	p := command(t, t.TempDir(), "export WATCHDOG_USEC=30000 WATCHDOG_PID=$$")
	p.start()
	for range 5 {
		p.wait("notify: WATCHDOG=1")
	}
}

// Sockets that systemd made are used as they are, and are there again for the next daemon.
func TestSocketActivation(t *testing.T) {
	dir := t.TempDir()
	var given []*os.File
	for _, name := range []string{"bus2.sock", "bus0.sock"} {
		given = append(given, listening(t, filepath.Join(dir, name)))
	}
	early := rawclient.Dial(t, filepath.Join(dir, "bus0.sock")) // before there is a daemon
	start := func() *process {
		p := command(t, dir, "export LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=b:a", "--buses", "1", "--socket-mode", "0600")
		p.ExtraFiles = given
		p.start()
		p.wait("notify: READY=1")
		return p
	}
	p := start()
	early.Hello(3)
	for _, bus := range []int{0, 1, 2} { // bus 1 is needed to have a bus 2
		if w, ok := wire.ParseWelcome(rawclient.Dial(t, p.path(bus)).Hello(3).Payload); !ok || int(w.Bus) != bus {
			t.Errorf("behind %s is bus %d", p.path(bus), w.Bus)
		}
	}
	if err := os.Remove(p.path(0)); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.wait("the socket that was handed over is gone", p.path(0), "kbusd.socket")
	p.wait("reloaded")
	p.signal(syscall.SIGTERM)
	p.exits(exitOK)
	between := rawclient.Dial(t, p.path(2))
	start()
	between.Hello(3)
}

func listening(t *testing.T, path string) *os.File {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	defer l.Close()
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// What is handed over must be what the daemon can use; sockets for another process are none of its business.
func TestWrongSocketsHandedOver(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		file   *os.File
		reason string
	}{
		{listening(t, filepath.Join(dir, "other.sock")), "other.sock"},
		{listening(t, filepath.Join(dir, "bus256.sock")), "N from 0 to 255"},
		{listening(t, filepath.Join(dir, "bus01.sock")), "bus01.sock"},
		{os.Stdin, "descriptor 3 of 1"},
	} {
		p := command(t, t.TempDir(), "export LISTEN_PID=$$ LISTEN_FDS=1")
		p.ExtraFiles = []*os.File{c.file}
		p.start()
		p.exits(exitFailure)
		p.wait("cannot start", c.reason)
	}
	p := command(t, t.TempDir(), "export LISTEN_PID=1 LISTEN_FDS=1")
	p.ExtraFiles = []*os.File{os.Stdin}
	p.start()
	p.wait("notify: READY=1")
}

// Out of descriptors, clients are refused and told why, those who are there go on, and when some leave others can come.
func TestOutOfDescriptors(t *testing.T) {
	p := command(t, t.TempDir(), "ulimit -n 40; unset NOTIFY_SOCKET") // whose descriptor would be there for a while, and then for a client
	p.start()
	p.wait("buses are open")
	p.wait("limits.connections is above what the system allows")
	var in []*rawclient.Client
	var refused *rawclient.Frame
	for refused == nil {
		c := rawclient.Dial(t, p.path(0))
		c.Write(helloFrame)
		switch f := c.Next(); {
		case f.Condition == message.OK:
			in = append(in, c)
		default:
			refused = &f
		}
	}
	if refused.Condition != message.ErrBusConnections || !strings.Contains(string(refused.Payload), "file descriptors") {
		t.Errorf("refused with %v %q", refused.Condition.Name(), refused.Payload)
	}
	if len(in) < 20 {
		t.Errorf("only %d clients came in", len(in))
	}
	for range 50 { // one episode, one line
		c := rawclient.Dial(t, p.path(0))
		if f := c.Next(); f.Condition != message.ErrBusConnections {
			t.Errorf("refused with %v", f.Condition.Name())
		}
	}
	for _, c := range in {
		c.Must(wire.OpReset, 0, nil)
	}
	in[0].CloseWrite()
	in[0].Drain()
	p.open().Must(wire.OpReset, 0, nil)
	p.wait("connections refused: out of descriptors")
	p.wait("accepting connections again", "refused=51")
	p.signal(syscall.SIGTERM)
	p.exits(exitOK)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.lines {
		if has(line, []string{"out of descriptors"}) {
			t.Errorf("told again: %s", line)
		}
	}
}

var helloFrame = wire.AppendFrame(nil, wire.Header{Op: wire.OpHello, Seq: 1, Arg: wire.ModeRead | wire.ModeWrite},
	wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1}))
