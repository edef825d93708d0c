package conformance

import (
	"encoding/hex"
	"fmt"
	"slices"
	"syscall"
	"testing"

	"kbus.example/kbus/internal/testing/trace"
	"kbus.example/kbus/message"
	"kbus.example/kbus/test/conformance/driver"
)

// Messages that one language makes are read by each other, byte for byte. All front ends are on one bus; each sends
// every kind of message to each, itself too, and what arrives must have exactly the bytes that the message has to have.
// A row of the table counts, for each front end, from how many others it read everything so.

const crossTitle = "read from each other"

// guest is a front end on the common bus.
type guest struct {
	*front
	system trace.System
}

// placed is a system that can be told which test it belongs to now.
type placed interface{ within(*testing.T) }

func (l *library) within(t *testing.T)      { l.fail = t.Fatal }
func (f *frames) within(t *testing.T)       { f.t = t }
func (d *device) within(t *testing.T)       { d.t = t }
func (s *drivenSystem) within(t *testing.T) { s.host.t, s.host.watch.fail = t, t.Fatal }

func readEachOther(t *testing.T, columns []*front) {
	common := &driverSlot{dir: shortDir(t)}
	if slices.ContainsFunc(columns, func(f *front) bool { return f.exact && f.missing == "" }) {
		var err error
		if common.devices, err = startDevices(common.dir); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { common.devices.end() })
	}
	d := startDaemon(t, common, ordinary, false)
	d.mixed = true
	guests := invite(t, d, columns)
	row := &group{title: crossTitle}
	theTable.groups = append(theTable.groups, row)
	for _, from := range guests {
		row.cases = append(row.cases, &tableCase{name: "what " + from.name + " sends"})
		for _, f := range columns {
			if f.inside != nil {
				theTable.leaveOut(f, row, "its bus is in its own process")
			}
		}
		for _, to := range guests {
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				t.Cleanup(func() { theTable.note(to.front, row, t.Failed()) })
				from.system.(placed).within(t)
				to.system.(placed).within(t)
				correspond(t, from.system, to.system)
			})
		}
	}
}

// invite attaches all front ends that can be, to one daemon.
func invite(t *testing.T, d *daemon, columns []*front) (guests []guest) {
	for _, f := range columns {
		if f.missing != "" || f.broken != nil || f.inside != nil {
			continue
		}
		var s *driverSlot
		if f.drivers != nil {
			var err error
			if s, err = f.drivers.start(d.dir, d.apart); err != nil {
				t.Fatal(err)
			}
			if s.process != nil {
				t.Cleanup(s.process.Kill)
			}
		}
		guests = append(guests, guest{f, f.attach(t, d, s)})
	}
	return guests
}

// ends are a Ksock of each of the two.
type ends struct {
	t            *testing.T
	from, to     trace.Ksock
	fromID, toID uint32
}

func correspond(t *testing.T, from, to trace.System) {
	e := ends{t: t}
	open := func(s trace.System) (trace.Ksock, uint32) {
		k, id, errno := s.Open(0, "rw")
		if errno != 0 {
			t.Fatalf("open: %v", errno)
		}
		t.Cleanup(k.Close)
		return k, id
	}
	e.from, e.fromID = open(from)
	e.to, e.toID = open(to)
	e.announcements()
	e.requests()
	e.bindEvent()
}

// announcements of every padding, with every field.
func (e *ends) announcements() {
	e.must(e.to.Bind([]byte("$.Cross.*"), 0))
	for n := range 6 {
		e.passes(&message.Message{Name: "$.Cross.Abcdef"[:9+n], Data: made(n)}, 0)
	}
	e.passes(&message.Message{Name: "$.Cross.Long", Data: made(100_000)}, 0)
	e.passes(&message.Message{Name: "$.Cross." + named("*992")[2:], Data: made(1001)}, 0)
	e.passes(&message.Message{
		Name: "$.Cross.All", Data: []byte("all"),
		Header: message.Header{
			ID: message.ID{Network: 9, Serial: 0xFFFFFFFF}, To: 77, OrigFrom: message.Origin{Network: 3, Local: 4},
			FinalTo: message.Origin{Network: 5, Local: 6}, Flags: message.Urgent | 0xABCD0000,
		},
	}, 0)
}

// requests, the Reply, a stateful Request, and the Status that says why there is no Reply to it.
func (e *ends) requests() {
	e.must(e.to.Bind([]byte("$.Ask"), 1))
	asks := message.Header{Flags: message.WantAReply}
	e.passes(&message.Message{Name: "$.Ask", Data: []byte("?"), Header: asks}, message.WantYouToReply)
	stateful := message.Header{Flags: message.WantAReply, To: message.KsockID(e.toID), FinalTo: message.Origin{Network: 1, Local: 2}}
	e.passes(&message.Message{Name: "$.Ask", Header: stateful}, message.WantYouToReply)

	e.must(e.from.Bind([]byte("$.Answer"), 1))
	asked := e.send(e.to, &message.Message{Name: "$.Answer", Header: asks})
	e.receive(e.from)
	answers := message.Header{InReplyTo: asked, To: message.KsockID(e.toID)}
	e.passes(&message.Message{Name: "$.Answer", Data: []byte("!"), Header: answers}, 0)

	asked = e.send(e.to, &message.Message{Name: "$.Answer", Header: asks})
	e.must(e.from.Unbind([]byte("$.Answer"), 1))
	e.arrives(&message.Message{Name: "$.KBUS.Replier.Unbound", Header: message.Header{
		ID: message.ID{Serial: asked.Serial + 1}, InReplyTo: asked, From: message.KsockID(e.fromID), To: message.KsockID(e.toID), Flags: message.Synthetic,
	}})
}

// bindEvent is the one message of the bus that has data.
func (e *ends) bindEvent() {
	if _, errno := e.to.Value("reportreplierbinds", 1); errno != 0 {
		e.t.Fatalf("reportreplierbinds: %v", errno)
	}
	e.receive(e.to) // of its own binding
	e.must(e.to.Bind([]byte("$.KBUS.ReplierBindEvent"), 0))
	e.must(e.from.Bind([]byte("$.Seen"), 1))
	last, _ := e.from.LastSent()
	b := e.receive(e.to)
	h, name, data, c := message.ParseEntire(b, uint32(len(b)))
	event, ok := message.ParseBindEvent(data)
	want := message.BindEvent{Bind: true, Binder: message.KsockID(e.fromID), Name: "$.Seen"}
	if c != message.OK || !ok || event != want || string(name) != "$.KBUS.ReplierBindEvent" || h.ID.Serial <= last.Serial {
		e.t.Errorf("a bind event arrives as %x", b)
	}
	if _, errno := e.to.Value("reportreplierbinds", 0); errno != 0 {
		e.t.Fatalf("reportreplierbinds: %v", errno)
	}
}

// passes sends m from one to the other.
func (e *ends) passes(m *message.Message, added message.Flags) {
	m.ID = e.send(e.from, m)
	m.From, m.Flags = message.KsockID(e.fromID), m.Flags|added
	e.arrives(m)
}

func (e *ends) arrives(m *message.Message) {
	e.t.Helper()
	want := hex.EncodeToString(driver.Entire(&m.Header, []byte(m.Name), m.Data))
	if got := hex.EncodeToString(e.receive(e.to)); got != want {
		e.t.Errorf("%v arrives as\n     %s\nwant %s", m, brief(got), brief(want))
	}
}

func brief(hexadecimal string) string {
	if len(hexadecimal) > 600 {
		return fmt.Sprintf("%s... (%d bytes)", hexadecimal[:600], len(hexadecimal)/2)
	}
	return hexadecimal
}

func (e *ends) send(k trace.Ksock, m *message.Message) message.ID {
	e.t.Helper()
	id, errno := say(k, &messageSpec{Message: *m, cut: -1})
	if errno != 0 {
		e.t.Fatalf("%v: %v", m, errno)
	}
	return id
}

func (e *ends) receive(k trace.Ksock) []byte {
	e.t.Helper()
	b, errno := receive(k)
	if errno != 0 {
		e.t.Fatalf("receive: %v", errno)
	}
	return b
}

func (e *ends) must(errno syscall.Errno) {
	e.t.Helper()
	if errno != 0 {
		e.t.Fatal(errno)
	}
}
