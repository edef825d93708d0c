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

	"kbus"
	"kbus/limpet/federation/store"
	"kbus/message"
)

// left is the place that a bowl which has stopped has left.
func (g *guest) left() place {
	g.Helper()
	b, err := os.ReadFile(g.place)
	must(g.T, err)
	p, ok := parsePlace(b)
	if !ok {
		g.Fatalf("%q is no place", b)
	}
	return p
}

// leave has it have left another.
func (g *guest) leave(p place) {
	g.Helper()
	must(g.T, os.WriteFile(g.place, p.bytes(), 0o600))
}

// What is ordered while a bowl is not there its outlet gets when it is back.
func TestResumed(t *testing.T) {
	h := newHall(t)
	a, b := h.bowl(1), h.bowl(2)
	ear := b.ear("$.A")
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
	hears(t, ear, append(want, "last")...)
	nothing(t, ear)
}

// An entry may have been delivered in part. Then the rest is, and what was delivered and not noted the bus knows. Other
// messages may have come between those of the entry on their bus, more than the outlet remembers.
func TestHalfDelivered(t *testing.T) {
	for _, apart := range []uint32{1, forgotten} {
		for unnoted := range uint32(2) {
			t.Run(fmt.Sprint(apart, " apart, ", unnoted, " not noted"), func(t *testing.T) {
				h := newHall(t)
				log := h.stream(keepBytes)
				b := h.bowl(2)
				ear := b.ear("$.A")
				_, err := ear.SetMaxMessages(3)
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
				hears(t, ear, append(want, "8")...)
				b.awaitDelivered(6)
				nothing(t, ear)
				if s := status(t, b.out); s.Copies != uint64(unnoted) || s.Heard != 6 || s.ToDeliver != 0 {
					t.Errorf("%d copies, %d delivered, %d to be delivered", s.Copies, s.Heard, s.ToDeliver)
				}
			})
		}
	}
}

const forgotten = message.ReplayWindowSize

// awaitRoom returns when a message waits for room on the outlet.
func (g *guest) awaitRoom() {
	g.Helper()
	o, err := g.out.Observe()
	must(g.T, err)
	defer o.Close()
	for {
		list, err := o.List()
		must(g.T, err)
		for _, k := range list {
			if k.Sending != 0 {
				return
			}
		}
	}
}

func (g *guest) awaitDelivered(n uint64) {
	g.Helper()
	for status(g.T, g.out).Heard < n {
	}
}

// Another life of the outlet has heard nothing, and another stream has other entries: what is ordered from now on is
// what they get.
func TestElsewhere(t *testing.T) {
	h := newHall(t)
	a, b := h.bowl(1), h.bowl(2)
	ear := b.ear("$.A")
	a.order("$.A", "before")
	hears(t, ear, "before")
	b.stop()
	a.order("$.A", "missed")
	b.out.Close()
	b.out = kbus.NewBus()
	ear = b.ear("$.A")
	b.join()
	a.order("$.A", "heard")
	hears(t, ear, "heard")

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
	hears(t, ear, "heard")
	nothing(t, ear)
}

// A server that is behind what the outlet has had is not believed at once: it may be parted from the others.
func TestBehind(t *testing.T) {
	h := newHall(t)
	log := h.stream(keepBytes)
	b := h.bowl(2)
	ear := b.ear("$.A")
	h.entry(1, 5, 1).add("1", 1, 7).store(log)
	hears(t, ear, "1")
	b.awaitPlace(1)
	b.stop()
	ahead := b.left()
	ahead.entry = 2
	b.leave(ahead)
	var said said
	ready := b.begin(func(c *Config) { c.Log = slog.New(said.handler()) })
	said.await("the outlet has had 2")
	h.entry(1, 5, 2).add("2, which it has had", 2, 7).store(log)
	<-ready
	h.entry(1, 5, 3).add("3", 3, 7).store(log)
	hears(t, ear, "3")
}

// What the stream has no more is told, and then it goes on with the oldest that there is.
func TestLost(t *testing.T) {
	h := newHall(t)
	log := h.stream(20_000)
	b := h.bowl(2)
	ear := b.ear("$.*")
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
	hears(t, ear, data)
	b.awaitPlace(1)
	b.stop()
	half := b.left()
	half.messages = 1 // of an entry that is lost too
	b.leave(half)
	last := order(50)
	state, err := log.State(t.Context())
	must(t, err)
	b.join()
	m := hears1(t, ear)
	var news struct {
		Stream string
		Lost   uint64
	}
	must(t, json.Unmarshal(m.Data, &news))
	if m.Name != "$.KBUS.Federation.Lost" || news.Stream != "kb_test_order" || news.Lost != state.First-2 || news.Lost < 20 {
		t.Errorf("%v, and entries from 2 to %d are lost", m, state.First-1)
	}
	for n := state.First; n <= last; n++ {
		if m := hears1(t, ear); m.ID.Serial != uint32(n) {
			t.Fatalf("instead of entry %d: %v", n, m)
		}
	}
	b.awaitPlace(last)
	nothing(t, ear)
	if s := status(t, b.out); s.LostEntries != news.Lost {
		t.Errorf("%d entries are lost, and %d were told", s.LostEntries, news.Lost)
	}
}

// awaitPlace returns when an entry has been noted.
func (g *guest) awaitPlace(entry uint64) {
	g.Helper()
	for g.left().entry < entry {
	}
}

// The outlet takes messages that are as long as its daemon allows. One that is too long is told to be lost, and the rest
// comes.
func TestTooLong(t *testing.T) {
	h := newHall(t)
	log := h.stream(keepBytes)
	a := h.guest(3)
	_, err := ksock(t, a.out).SetMaxMessageSize(1000)
	must(t, err)
	a.join()
	long := a.ear("$.A")
	b := h.guest(2)
	b.out.Close()
	b.out = kbus.NewBus(kbus.MessageLimit(1000))
	b.join()
	ear := b.ear("$.*")
	h.entry(1, 5, 1).add("before", 1, 7).add(strings.Repeat("x", 2000), 2, 7).add("after", 3, 7).store(log)
	hears(t, long, "before", strings.Repeat("x", 2000), "after")
	hears(t, ear, "before", `{"stream":"kb_test_order","lost":0,"messages":1}`, "after")
	if s := status(t, b.out); s.Undelivered != 1 {
		t.Errorf("%d were not taken", s.Undelivered)
	}
}

// Without a file the bowl goes on without, and says so once. What is somebody else's is left alone.
func TestBookmark(t *testing.T) {
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	dir := t.TempDir()
	theirs := filepath.Join(dir, "theirs")
	must(t, os.WriteFile(theirs, []byte("something else, of 28 bytes."), 0o600))
	for _, path := range []string{filepath.Join(dir, "no", "place"), dir, theirs} {
		said.Reset()
		m, err := openBookmark(path, log)
		must(t, err)
		if _, ok := m.read(); ok {
			t.Errorf("%s is read", path)
		}
		m.write(place{entry: 7})
		m.write(place{entry: 8})
		m.close()
		if n := strings.Count(said.String(), "\n"); n != 1 || !strings.Contains(said.String(), "--place") {
			t.Errorf("%s: %s", path, &said)
		}
	}
	if text, err := os.ReadFile(theirs); err != nil || !strings.HasPrefix(string(text), "something") {
		t.Errorf("%q, %v", text, err)
	}
	m, err := openBookmark("", log)
	must(t, err)
	m.write(place{})

	path := filepath.Join(dir, "place")
	m, err = openBookmark(path, log)
	must(t, err)
	if p, ok := m.read(); ok {
		t.Errorf("a new file says %+v", p)
	}
	want := place{incarnation: 1, stream: -2, entry: 3, messages: 4}
	m.write(want)
	if p, ok := m.read(); !ok || p != want {
		t.Errorf("%+v came back as %+v", want, p)
	}
	said.Reset()
	must(t, m.file.Close())
	m.write(want)
	m.write(want)
	if n := strings.Count(said.String(), "\n"); n != 1 {
		t.Errorf("%s", &said)
	}
}
