package file_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/testing/trace"
	"kbus.example/kbus/message"
)

// TestTraces replays the recordings of the reference and expects every outcome to be the same. KBUS_TRACES names
// another directory of the same format (testdata/traces/FORMAT.md); a relative one is relative to the module.
func TestTraces(t *testing.T) {
	dir := filepath.Join("testdata", "traces")
	if other := os.Getenv("KBUS_TRACES"); other != "" {
		dir = other
		if !filepath.IsAbs(dir) {
			dir = filepath.Join("..", "..", dir)
		}
	}
	result, err := trace.Run(dir, startMachine)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(result)
	if result.Divergences > 0 {
		t.Fatalf("first divergence: %v", result.First)
	}
}

// The bus has quick paths that must differ from the slow ones in nothing: so the same without them, and with a change
// between any two operations. That some were taken is counted.
func TestTracesQuickAndSlow(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, of := range map[string]struct {
		quick func() bool
		taken bool
	}{
		"quick":   {func() bool { return true }, true},
		"slow":    {func() bool { return false }, false},
		"changes": {func() bool { return random.IntN(4) > 0 }, true},
	} {
		t.Run(name, func(t *testing.T) {
			var machines []*machine
			result, err := trace.Run(filepath.Join("testdata", "traces"), func(c trace.Config) trace.System {
				m := &machine{config: c, files: map[*bus.Ksock]*file.File{}, quick: of.quick}
				for range c.Devices {
					m.addBus()
				}
				machines = append(machines, m)
				return m
			})
			if err != nil {
				t.Fatal(err)
			}
			if result.Divergences > 0 {
				t.Fatalf("first divergence: %v", result.First)
			}
			n := uint64(0)
			for _, m := range machines {
				n += m.quickly()
			}
			if (n > 0) != of.taken {
				t.Errorf("%d messages went a quick way", n)
			}
			t.Logf("%v; %d messages went a quick way", result, n)
		})
	}
}

// onlooker is a tap that counts.
type onlooker map[bus.EventKind]int

func (o onlooker) Blind() bool { return false }
func (o onlooker) Unseen()     { panic("it looks") }

func (o onlooker) KeepsData(*bus.Event) bool { return o[bus.EventSent]%2 == 0 }

func (o onlooker) Tapped(e *bus.Event) {
	o[e.Kind]++
	if e.Kind == bus.EventSent && e.Err == message.OK && (e.Header.ID.IsZero() || len(e.Name) == 0) {
		panic(fmt.Sprintf("a message without id or name: %+v", e))
	}
}

// A tap is shown everything, and nothing differs.
func TestTracesTapped(t *testing.T) {
	tap := onlooker{}
	result, err := trace.Run(filepath.Join("testdata", "traces"), func(c trace.Config) trace.System {
		m := &machine{config: c, files: map[*bus.Ksock]*file.File{}, tap: tap}
		for range c.Devices {
			m.addBus()
		}
		return m
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.Divergences > 0 {
		t.Fatalf("first divergence: %v", result.First)
	}
	for kind := bus.EventSent; kind <= bus.EventUnbound; kind++ {
		if tap[kind] == 0 {
			t.Errorf("no event of kind %d", kind)
		}
	}
	t.Log(result, tap)
}

// TestTracesWithoutPointers replays them as a front end does that shares no memory with its callers and deals in whole
// messages where it can. Both must come to the same.
func TestTracesWithoutPointers(t *testing.T) {
	result, err := trace.RunWithoutPointers(filepath.Join("testdata", "traces"), func(c trace.Config) trace.System {
		return wholeMachine{newMachine(c)}
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.Divergences > 0 {
		t.Fatalf("%v; first divergence: %v", result, result.First)
	}
}

type wholeMachine struct{ *machine }

func (m wholeMachine) Open(device int, mode string) (trace.Ksock, uint32, syscall.Errno) {
	k, errno := m.open(device, mode)
	if errno != 0 {
		return nil, 0, errno
	}
	return wholeKsock{Ksock: k, k: k}, uint32(k.file.Ksock.ID()), 0
}

// wholeKsock hides Place and adds trace.Whole.
type wholeKsock struct {
	trace.Ksock
	k *ksock
}

func (w wholeKsock) SendMessage(h *message.Header, name, data []byte) (message.ID, syscall.Errno) {
	if _, errno := w.Write(message.AppendEntire(nil, h, name, data)); errno != 0 {
		return message.ID{}, errno
	}
	return w.Send()
}

func (w wholeKsock) Receive() (h message.Header, name, data []byte, ok bool, errno syscall.Errno) {
	d, ok := w.k.file.Take()
	if !ok {
		return h, nil, nil, false, 0
	}
	defer w.k.file.Bus.Release(&d)
	return d.Header, bytes.Clone(d.Name), bytes.Clone(d.Data), true, 0
}
