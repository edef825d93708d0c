package ordered

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/store"
	"kbus.example/kbus/message"
)

// left is the checkpoint that a member which has stopped has left.
func (g *node) left() checkpoint {
	g.Helper()
	b, err := os.ReadFile(g.checkpoint)
	must(g.T, err)
	p, ok := parseCheckpoint(b)
	if !ok {
		g.Fatalf("%q is no place", b)
	}
	return p
}

// leave has it have left another.
func (g *node) leave(p checkpoint) {
	g.Helper()
	must(g.T, os.WriteFile(g.checkpoint, p.bytes(), 0o600))
}

// What is ordered while a member is not there its outlet gets when it is back.
func TestResumed(t *testing.T) {
	h := newCluster(t)
	a, b := h.member(1), h.member(2)
	listener := b.listener("$.A")
	var want []string
	for round := range 3 {
		for n := range 20 {
			text := fmt.Sprint(round, "/", n)
			want = append(want, text)
			a.order("$.A", text)
			if n == 10 {
				b.stop()
			}
		}
		b.join()
	}
	a.order("$.A", "last")
	receives(t, listener, append(want, "last")...)
	nothing(t, listener)
}

// An entry may have been delivered in part. Then the rest is, and what was delivered and not noted the bus knows. Other
// messages may have come between those of the entry on their bus, more than the outlet remembers.
func TestHalfDelivered(t *testing.T) {
	for _, apart := range []uint32{1, forgotten} {
		for unnoted := range uint32(2) {
			t.Run(fmt.Sprint(apart, " apart, ", unnoted, " not noted"), func(t *testing.T) {
				h := newCluster(t)
				log := h.stream(keepBytes)
				b := h.member(2)
				listener := b.listener("$.A")
				_, err := listener.Queue().SetLimit(b.Context(), 3)
				must(t, err)
				h.entry(1, 5, 1).add("0", 1, 7).store(log)
				e := h.entry(1, 5, 2)
				var want []string
				for n := range uint32(8) {
					want = append(want, fmt.Sprint(n))
					e.add(fmt.Sprint(n+1), 10+n*apart, 7)
				}
				e.store(log)
				b.awaitRoom()
				b.stop()
				p := b.left()
				if p.entry != 1 || p.messages != 2 {
					t.Fatalf("3 messages were delivered, and the place is %+v", p)
				}
				p.messages -= unnoted
				b.leave(p)
				b.begin()
				receives(t, listener, append(want, "8")...)
				b.awaitDelivered(6)
				nothing(t, listener)
				if s := status(t, b.out); s.Copies != uint64(unnoted) || s.Received != 6 || s.ToDeliver != 0 {
					t.Errorf("%d copies, %d delivered, %d to be delivered", s.Copies, s.Received, s.ToDeliver)
				}
			})
		}
	}
}

const forgotten = message.ReplayWindowSize

// awaitRoom returns when a message waits for room on the outlet.
func (g *node) awaitRoom() {
	g.Helper()
	o, err := g.out.Observe(g.Context())
	must(g.T, err)
	defer o.Close()
	for {
		list, err := o.List(g.Context())
		must(g.T, err)
		for _, k := range list {
			if k.Sending {
				return
			}
		}
	}
}

func (g *node) awaitDelivered(n uint64) {
	g.Helper()
	for s := status(g.T, g.out); s.Received < n || s.ToDeliver > 0; s = status(g.T, g.out) { // a message counts a step before its entry is served
	}
}

// Another life of the outlet has heard nothing, and another stream has other entries: what is ordered from now on is
// what they get.
func TestElsewhere(t *testing.T) {
	h := newCluster(t)
	a, b := h.member(1), h.member(2)
	listener := b.listener("$.A")
	a.order("$.A", "before")
	receives(t, listener, "before")
	b.stop()
	a.order("$.A", "missed")
	b.out.Close()
	b.out = kbus.NewBus()
	listener = b.listener("$.A")
	b.join()
	a.order("$.A", "heard")
	receives(t, listener, "heard")

	b.stop()
	a.stop()
	_, err := h.nc.Request("$JS.API.STREAM.DELETE."+StreamName("test"), nil, store.Patience)
	must(t, err)
	a.join()
	for range 5 { // more than the stream had
		a.order("$.A", "missed")
	}
	b.join()
	a.order("$.A", "heard")
	receives(t, listener, "heard")
	nothing(t, listener)
}

// A server that is behind what the outlet has had is not believed at once: it may be parted from the others.
func TestBehind(t *testing.T) {
	h := newCluster(t)
	log := h.stream(keepBytes)
	b := h.member(2)
	listener := b.listener("$.A")
	h.entry(1, 5, 1).add("1", 1, 7).store(log)
	receives(t, listener, "1")
	b.awaitCheckpoint(1)
	b.stop()
	ahead := b.left()
	ahead.entry = 2
	b.leave(ahead)
	var logged logLines
	ready := b.begin(func(c *Config) { c.Log = slog.New(logged.handler()) })
	logged.await("the outlet has had 2")
	h.entry(1, 5, 2).add("2, which it has had", 2, 7).store(log)
	<-ready
	h.entry(1, 5, 3).add("3", 3, 7).store(log)
	receives(t, listener, "3")
}

// What the stream has no more is told, and then it goes on with the oldest that there is.
func TestLost(t *testing.T) {
	h := newCluster(t)
	log := h.stream(20_000)
	b := h.member(2)
	listener := b.listener("$.*")
	data := strings.Repeat("x", 1000)
	count := uint64(0)
	order := func(n int) (last uint64) {
		for range n {
			count++
			last = h.entry(1, 5, count).add(data, uint32(count), 7).store(log)
		}
		return last
	}
	order(1)
	receives(t, listener, data)
	b.awaitCheckpoint(1)
	b.stop()
	half := b.left()
	half.messages = 1 // of an entry that is lost too
	b.leave(half)
	last := order(50)
	state, err := log.State(t.Context())
	must(t, err)
	b.join()
	m := receiveOne(t, listener)
	var news struct {
		Stream string
		Lost   uint64
	}
	must(t, json.Unmarshal(m.Data, &news))
	if m.Name != "$.KBUS.Federation.Lost" || news.Stream != "kb_test_order" || news.Lost != state.First-2 || news.Lost < 20 {
		t.Errorf("%v, and entries from 2 to %d are lost", m, state.First-1)
	}
	for n := state.First; n <= last; n++ {
		if m := receiveOne(t, listener); m.ID.Serial != uint32(n) {
			t.Fatalf("instead of entry %d: %v", n, m)
		}
	}
	b.awaitCheckpoint(last)
	nothing(t, listener)
	if s := status(t, b.out); s.LostEntries != news.Lost {
		t.Errorf("%d entries are lost, and %d were told", s.LostEntries, news.Lost)
	}
}

// awaitCheckpoint returns when an entry has been noted.
func (g *node) awaitCheckpoint(entry uint64) {
	g.Helper()
	for g.left().entry < entry {
	}
}

// The outlet takes messages that are as long as its daemon allows. One that is too long is told to be lost, and the rest
// comes.
func TestTooLong(t *testing.T) {
	h := newCluster(t)
	log := h.stream(keepBytes)
	a := h.node(3)
	_, err := ksock(t, a.out).Settings().SetMaxMessageBytes(a.Context(), 1000)
	must(t, err)
	a.join()
	long := a.listener("$.A")
	b := h.node(2)
	b.out.Close()
	b.out = kbus.NewBus(kbus.MessageLimit(1000))
	b.join()
	listener := b.listener("$.*")
	h.entry(1, 5, 1).add("before", 1, 7).add(strings.Repeat("x", 2000), 2, 7).add("after", 3, 7).store(log)
	receives(t, long, "before", strings.Repeat("x", 2000), "after")
	receives(t, listener, "before", `{"stream":"kb_test_order","lost":0,"messages":1}`, "after")
	if s := status(t, b.out); s.Undelivered != 1 {
		t.Errorf("%d were not taken", s.Undelivered)
	}
}

// Without a file the member goes on without, and says so once. What is somebody else's is left alone.
func TestBookmark(t *testing.T) {
	var logged bytes.Buffer
	log := slog.New(slog.NewTextHandler(&logged, nil))
	dir := t.TempDir()
	theirs := filepath.Join(dir, "theirs")
	must(t, os.WriteFile(theirs, []byte("something else, of 28 bytes."), 0o600))
	for _, path := range []string{filepath.Join(dir, "no", "place"), dir, theirs} {
		logged.Reset()
		m, err := openBookmark(path, log)
		must(t, err)
		if _, ok := m.read(); ok {
			t.Errorf("%s is read", path)
		}
		m.write(checkpoint{entry: 7})
		m.write(checkpoint{entry: 8})
		m.close()
		if n := strings.Count(logged.String(), "\n"); n != 1 || !strings.Contains(logged.String(), "--place") {
			t.Errorf("%s: %s", path, &logged)
		}
	}
	if text, err := os.ReadFile(theirs); err != nil || !strings.HasPrefix(string(text), "something") {
		t.Errorf("%q, %v", text, err)
	}
	m, err := openBookmark("", log)
	must(t, err)
	m.write(checkpoint{})

	path := filepath.Join(dir, "place")
	m, err = openBookmark(path, log)
	must(t, err)
	if p, ok := m.read(); ok {
		t.Errorf("a new file says %+v", p)
	}
	want := checkpoint{incarnation: 1, stream: -2, entry: 3, messages: 4}
	m.write(want)
	if p, ok := m.read(); !ok || p != want {
		t.Errorf("%+v came back as %+v", want, p)
	}
	logged.Reset()
	must(t, m.file.Close())
	m.write(want)
	m.write(want)
	if n := strings.Count(logged.String(), "\n"); n != 1 {
		t.Errorf("%s", &logged)
	}
}
