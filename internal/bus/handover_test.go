package bus_test

import (
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/form"
	"kbus.example/kbus/message"
)

// TestScriptsHandedOver: every script has the same outcomes when the bus is handed over before each line.
func TestScriptsHandedOver(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			runScript(t, file, script{handsOver: true})
		})
	}
}

// handOver puts another bus in the place of the bus: one made from its state, after that has been bytes. A bus with
// something under way stays. So does one that is about to be asked why the last operation failed.
func (s *script) handOver(next string) {
	if !s.handsOver || s.bus == nil || strings.HasPrefix(next, "why") {
		return
	}
	state, err := bus.StateOf(s.bus)
	if err == bus.ErrAtWork {
		return
	}
	b, ksocks := must2(bus.FromState(passed(must(state, err)), bus.Config{Limits: s.limits}))
	at, asked := 0, map[*bus.Ksock]message.Message{}
	for k := range s.bus.Ksocks() {
		ksocks[at].Tag = k.Tag
		s.ksocks[k.Tag.(string)] = ksocks[at]
		if m, ok := s.asked[k]; ok {
			asked[ksocks[at]] = m
		}
		if s.acting == k {
			s.acting = ksocks[at]
		}
		at++
	}
	s.bus, s.asked = b, asked
	b.InPieces(s.pieces)
	b.SetAdministrators(func(o bus.Owner) bool { return o.Administrator })
}

// passed is a state as another process gets it.
func passed(s *bus.State) *bus.State {
	var got bus.State
	c := form.Reader(1, form.Append(nil, 1, s.Code))
	got.Code(c)
	must(0, c.Err())
	return &got
}

func must2[T, U any](t T, u U, err error) (T, U) {
	must(0, err)
	return t, u
}

// TestBadStates: what does not fit together in a state is an error, whatever it is.
func TestBadStates(t *testing.T) {
	b := bus.New(bus.Config{})
	k, _ := b.Open(bus.Owner{UID: 7})
	b.Bind(k, "$.A", false)
	b.Send(k, &message.Header{}, []byte("$.A"), []byte("x"))
	for name, spoil := range map[string]func(*bus.State){
		"a message out of nowhere":    func(s *bus.State) { s.Ksocks[0].Queue.Entries[0].Message = 5 },
		"no message":                  func(s *bus.State) { s.Ksocks[0].Queue.Entries[0].Message = bus.None },
		"a binding out of nowhere":    func(s *bus.State) { s.Ksocks[0].Queue.Entries[0].Via = -3 },
		"an entry twice":              func(s *bus.State) { q := &s.Ksocks[0].Queue; q.Entries = append(q.Entries, q.Entries[0]) },
		"a binding of nobody":         func(s *bus.State) { s.Bindings[0].Ksock = 1 },
		"a binding made before time":  func(s *bus.State) { s.Bindings[0].Made = 0 },
		"a message that nobody has":   func(s *bus.State) { s.Messages = append(s.Messages, s.Messages[0]) },
		"a charge that is too large":  func(s *bus.State) { s.Charges[7]++ },
		"a charge of nobody":          func(s *bus.State) { s.Charges[8] = 1 },
		"nobody is woken":             func(s *bus.State) { s.Wakes.Readers = []int{bus.None} },
		"who does not wait, waits":    func(s *bus.State) { s.Wakes.Pending = []int{0} },
		"an event set aside for none": func(s *bus.State) { s.Aside.Events = []bus.AsideState{{Number: 1}} },
		"closed Ksocks, too few":      func(s *bus.State) { s.Departed.Recent = nil },
		"closed Ksocks, and the next": func(s *bus.State) { s.Departed.Next = -1 },
	} {
		s := passed(must(bus.StateOf(b)))
		spoil(s)
		if _, _, err := bus.FromState(s, bus.Config{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, _, err := bus.FromState(passed(must(bus.StateOf(b))), bus.Config{}); err != nil {
		t.Error("not spoilt:", err)
	}
}
