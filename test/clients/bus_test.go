package clients

import (
	"bufio"
	"encoding/hex"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// bus is the daemon that a script plays. It says nothing by itself, except what a door asks aside (see door).
type bus struct {
	t      *testing.T
	aside  map[wire.Op]bool
	frames chan frame

	mu     sync.Mutex // for writing, and what follows
	conn   *net.UnixConn
	wanted uint32 // features
	rings  *rings // nil: the socket

	granting   bool        // rings are granted
	introduced chan *rings // after a Hello, if so
	all        []*rings
	over       chan struct{}
}

// frame is a request of the client.
type frame struct {
	header  wire.Header
	payload []byte
	conn    *net.UnixConn
}

func listen(t *testing.T, d *door) *bus {
	d.path = filepath.Join(t.TempDir(), "bus0.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: d.path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	if d.web {
		d.address = gateway(t, d.path)
	}
	b := &bus{t: t, aside: d.aside, frames: make(chan frame, 1024), granting: d.rings, introduced: make(chan *rings, 1)}
	go func() {
		for {
			conn, err := l.AcceptUnix()
			if err != nil {
				return
			}
			go b.read(conn)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		b.hangUp()
		for _, r := range b.all {
			r.close()
		}
	})
	return b
}

// read takes frames until the connection ends.
func (b *bus) read(conn *net.UnixConn) {
	over := make(chan struct{})
	defer close(over)
	b.mu.Lock()
	b.conn, b.over, b.rings = conn, over, nil
	b.mu.Unlock()
	defer conn.Close() // the client waits for that
	from := &stream{conn: conn}
	in := bufio.NewReader(from)
	for {
		head := make([]byte, wire.HeaderBytes)
		if _, err := io.ReadFull(in, head); err != nil {
			return
		}
		f := frame{header: wire.ParseHeader(head), conn: conn}
		f.payload = make([]byte, f.header.PayloadBytes)
		if _, err := io.ReadFull(in, f.payload); err != nil {
			return
		}
		if !b.answerAside(f) {
			b.frames <- f
		}
		if f.header.Op == wire.OpHello && b.granting {
			if from.rings = <-b.introduced; from.rings != nil {
				from.copy, _ = conn.File()
				defer from.copy.Close()
			}
		}
	}
}

// answerAside answers what is not the script's affair. WaitReadable is not answered: nothing ever waits to be read.
func (b *bus) answerAside(f frame) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.header.Op == wire.OpHello {
		hello, _ := wire.ParseHello(f.payload)
		b.wanted = hello.Features
	}
	if !b.aside[f.header.Op] {
		return false
	}
	if f.header.Op != wire.OpWaitReadable {
		b.send(wire.AppendFrame(nil, wire.Header{Op: f.header.Op, Seq: f.header.Seq}, nil))
	}
	return true
}

// do is what a line of the script says.
func (b *bus) do(p *player, line string) {
	line, text, _ := strings.Cut(line, " text=")
	words := strings.Fields(line)[1:]
	if b.conn == nil && words[0] != "dies" {
		p.fatalf("nobody is connected")
	}
	switch words[0] {
	case "dies":
		b.hangUp()
	case "sends":
		raw, err := hex.DecodeString(words[1])
		if err != nil {
			p.fatalf("%v", err)
		}
		b.write(raw, nil)
	case "shows":
		m, _ := messageOf(p, words)
		if err := b.rings.show(&m); err != nil {
			p.fatalf("the window: %v", err)
		}
	case "rings":
		if !b.rings.untilAsleep(p.patience) {
			p.fatalf("the client does not sleep")
		}
		b.rings.ring()
	case "wants":
		b.rings.window.Want()
	case "took":
		n, err := b.rings.window.Taken()
		if want := number(p, words[1]); err != nil || n != int(want) {
			p.fatalf("the client has taken %d more, %v", n, err)
		}
	case "says":
		b.write(wire.AppendFrame(nil, wire.Header{Op: opNamed(p, words[1])}, nil), words)
	case "answers":
		f, known := p.frames[words[1]]
		if !known {
			p.fatalf("there is no frame %s", words[1])
		}
		b.answer(p, f, words[2:], strings.Trim(text, "'"))
	default:
		p.fatalf("what does the bus do?")
	}
}

func (b *bus) answer(p *player, f frame, words []string, text string) {
	h := wire.Header{Op: f.header.Op, Seq: f.header.Seq, Condition: conditionNamed(p, words[0])}
	m, isMessage := messageOf(p, words)
	payload := []byte(text)
	switch {
	case isMessage:
		marked := b.wanted&wire.FeatureMissed != 0 && m.Missed > 0
		if h.Arg = 1; marked {
			wire.Mark(&m.Header, m.Missed)
		}
		if payload = wire.AppendMessage(payload, &m.Header, []byte(m.Name), m.Data); marked {
			payload = wire.AppendMissed(payload, m.Missed)
		}
	case h.Op == wire.OpHello && h.Condition == message.OK:
		granted := b.wanted & wire.FeatureMissed
		if b.granting {
			granted |= b.wanted & wire.FeatureRings
		}
		payload = wire.AppendWelcome(payload, wire.Welcome{Version: wire.Version, Features: granted, AbsMaxMessageBytes: 409600,
			Server: "script"})
	case m.ID != message.ID{}:
		payload = wire.AppendID(payload, m.ID)
	}
	for _, word := range words[1:] {
		key, value, isPair := strings.Cut(word, "=")
		switch {
		case key == "sent":
			n := append(strings.Split(value, ","), "0", "0")
			payload = wire.AppendSent(nil, wire.Sent{ID: id(p, n[0]), Reached: number(p, n[1]), Skipped: number(p, n[2])})
		case key == "hex":
			payload, _ = hex.DecodeString(value)
		case key == "seq":
			h.Seq = number(p, value)
		case !isPair && word[0] >= '0' && word[0] <= '9':
			h.Arg = number(p, word)
		}
	}
	raw := wire.AppendFrame(nil, h, payload)
	if h.Op == wire.OpHello && b.granting {
		b.introduce(p, raw, h.Condition == message.OK)
		return
	}
	b.write(raw, words)
}

// introduce answers a Hello to which rings are granted, if it is not refused.
func (b *bus) introduce(p *player, raw []byte, granted bool) {
	var r *rings
	if b.mu.Lock(); granted {
		var err error
		if r, err = introduce(b.conn, raw); err != nil {
			p.t.Errorf("%s: no rings: %v", p.where, err)
		}
		if r != nil {
			b.all = append(b.all, r)
		}
	} else {
		b.conn.Write(raw)
	}
	b.rings = r
	b.mu.Unlock()
	b.introduced <- r
}

// send sends bytes the way that the client has. The caller has the lock.
func (b *bus) send(raw []byte) {
	if b.rings != nil {
		b.rings.give(raw)
		return
	}
	b.conn.Write(raw)
}

func (b *bus) write(raw []byte, words []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, word := range words {
		if n, isOnly := strings.CutPrefix(word, "only="); isOnly {
			only, _ := strconv.Atoi(n)
			raw = raw[:only]
		}
	}
	if !slices.Contains(words, "bytewise") {
		b.send(raw)
		return
	}
	for i := range raw {
		b.send(raw[i : i+1])
		b.untilRead()
	}
}

// untilRead gives a client that reads the chance to have read what was written.
func (b *bus) untilRead() {
	raw, err := b.conn.SyscallConn()
	if err != nil {
		return
	}
	for range 1000 {
		left := 0
		raw.Control(func(fd uintptr) { left, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
		if left == 0 {
			return
		}
		runtime.Gosched()
	}
}

func (b *bus) hangUp() {
	b.mu.Lock()
	conn, over := b.conn, b.over
	b.mu.Unlock()
	if conn == nil {
		return
	}
	if raw, err := conn.SyscallConn(); err == nil { // there may be a copy
		raw.Control(func(fd uintptr) { unix.Shutdown(int(fd), unix.SHUT_RDWR) })
	}
	conn.Close()
	<-over
}

// quiet sees to it that the client has sent nothing that the script does not have.
func (b *bus) quiet(p *player) {
	<-b.over
	select {
	case f := <-b.frames:
		p.fatalf("the client has sent %q, which it should not", p.request(f))
	default:
	}
}

func opNamed(p *player, name string) wire.Op {
	for op := range 256 {
		if wire.Op(op).String() == name || strconv.Itoa(op) == name {
			return wire.Op(op)
		}
	}
	p.fatalf("there is no operation %q", name)
	return 0
}

func conditionNamed(p *player, name string) message.Condition {
	for _, c := range message.Conditions() {
		if c.Name() == name {
			return c
		}
	}
	if name != message.OK.Name() {
		p.fatalf("there is no condition %q", name)
	}
	return message.OK
}
