package client

import (
	"errors"
	"fmt"
	"strings"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// operations are what a line of a script may begin with.
var operations = map[string]func(*script){
	// new [keeplate] [readahead N] [window] [in two]
	"new": (*script).begin,

	"reopen": func(s *script) { // a new connection, which inherits what was not received
		old := s.core
		s.begin()
		s.core.Inherit(old)
	},

	// The program.
	"ask":      (*script).ask,     // NAME OPERATION [N] [$.Message ...] [text=T] [id=N:N]
	"receive":  (*script).receive, // NAME: inbox, then window, then the bus, as driver.Take
	"next":     func(s *script) { s.got(s.core.Pop(nil)) },
	"putback":  func(s *script) { s.core.PutBack(s.message()) },
	"reply":    func(s *script) { s.got(s.core.PopReply(id(s.word()))) }, // of the inbox, to that Request
	"cancel":   func(s *script) { s.core.Cancel(s.question()) },
	"abandon":  func(s *script) { s.core.Abandon(s.question()) },
	"unclaim":  func(s *script) { s.say("%v", s.core.Withdraw(s.question())) },
	"after":    func(s *script) { s.core.After(s.question(), s.question()) }, // SEND NEXT
	"kept":     func(s *script) { s.say("%d", s.core.Kept()) },
	"look":     (*script).look,                                                   // PLACE
	"looked":   func(s *script) { s.looked(s.word()) },                           // PLACE, when it had to wait
	"giveback": func(s *script) { s.core.GiveBack(s.places[s.word()]) },          // PLACE
	"pipe":     (*script).pipe,                                                   // PIPE $.Message ...: a message, if the way is clear
	"through":  func(s *script) { s.core.SeenThrough(uint64(number(s.word()))) }, // WaitSent has come back
	"flush":    (*script).flush,                                                  // NAME PIPE: a wait for its results
	"unwait":   func(s *script) { s.core.EndWait(s.question()) },                 // NAME
	"totals":   (*script).totals,                                                 // PIPE

	// The bus, and what happens.
	"bus":         (*script).bus,   // FRAME [| FRAME]: OPERATION SEQ CONDITION N [$.Message ... [, $.Message ...]] [id=N:N] [said=T]
	"shows":       (*script).shows, // $.Message ...: in the window; or "more"
	"lost":        func(s *script) { s.core.Lost(strings.Join(s.rest(), " ")) },
	"close":       func(s *script) { s.say("before: %s", s.core.Close().Name()) },
	"deaf":        func(s *script) { s.core.Deaf() },
	"stuck":       func(s *script) { s.stuck = true },
	"takes":       func(s *script) { s.takes(int(number(s.word()))) }, // so many bytes of what is stuck
	"unstuck":     func(s *script) { s.stuck = false },
	"outstanding": func(s *script) { s.say("%d", s.core.Outstanding()) },
}

func (s *script) rest() []string {
	rest := s.words
	s.words = nil
	return rest
}

func (s *script) check(err error) {
	if err != nil {
		s.say("broken: %v", err)
	}
}

func (s *script) got(m *message.Message) {
	if m == nil {
		s.say("nothing")
	} else {
		s.say("%v", m)
	}
}

func (s *script) begin() {
	var o Options
	o.ReadAhead, s.window = 1, nil
	inTwo := false
	for len(s.words) > 0 {
		switch s.word() {
		case "keeplate":
			o.KeepLate = true
		case "readahead":
			o.ReadAhead = number(s.word())
		case "window":
			s.window = &shown{}
		case "intwo":
			inTwo = true
		}
	}
	s.core, s.stuck, s.taken = New(o), false, nil
	s.questions, s.places, s.pipes = map[string]*Question{}, map[string]*Borrowing{}, map[string]*Pipe{}
	hello := s.core.Hello(wire.ModeRead|wire.ModeWrite, wire.FeatureMissed)
	s.core.Start(hello)
	frames, _ := s.core.Out()
	s.core.SentBytes(len(frames))
	w := wire.Welcome{Version: wire.Version, AbsMaxMessageBytes: 20000, Features: wire.FeatureMissed}
	s.receiveBytes(wire.AppendFrame(nil, wire.Header{Op: wire.OpHello, Seq: 1, Arg: 1}, wire.AppendWelcome(nil, w)))
	s.core.Completed()
	if _, err := s.core.Welcome(hello); err != nil {
		panic(err)
	}
	s.core.Release(hello)
	s.core.SendsInTwo(inTwo)
	if s.window != nil {
		s.core.Look(s.window)
	}
}

func (s *script) question() *Question { return s.questions[s.word()] }

func opNamed(name string) wire.Op {
	for op := range 256 {
		if wire.Op(op).String() == name {
			return wire.Op(op)
		}
	}
	panic("no operation " + name)
}

// fresh makes a question of the next word's name.
func (s *script) fresh(op wire.Op) *Question {
	name := s.word()
	q := s.core.Question(op)
	q.Tag = name
	s.questions[name] = q
	return q
}

func (s *script) ask() {
	name := s.word()
	op := opNamed(s.word())
	s.words = append([]string{name}, s.words...)
	q := s.fresh(op)
	for len(s.words) > 0 {
		w := s.words[0]
		key, value, _ := strings.Cut(w, "=")
		switch {
		case strings.HasPrefix(w, "$"):
			q.Message = s.message()
			continue
		case key == "text":
			q.Text = value
		case key == "proxy":
			q.Bytes = wire.AppendProxy(nil, wire.Proxy{Name: value})
		case key == "id":
			q.ID = id(value)
		case w == "lazy":
			q.Flags = wire.Lazy
		case w == "request":
			q.Request = true
		default:
			q.Arg = number(w)
		}
		s.word()
	}
	s.start(q)
}

func (s *script) start(q *Question) {
	if condition := s.core.Start(q); condition != message.OK {
		s.say("%s: it cannot be asked: %s %s", q.Tag, condition.Name(), q.Reason)
	}
}

func (s *script) receive() {
	q := s.fresh(wire.OpNextWait)
	s.take(q)
}

func (s *script) take(q *Question) {
	if m := s.core.Pop(q.Into); m != nil {
		s.say("%s: %v", q.Tag, m)
		return
	}
	if s.window == nil {
		q.Arg = s.core.ReadAhead()
		s.start(q)
		return
	}
	m, awaited, err := s.core.TakeNow(q.Into)
	s.check(err)
	if m != nil {
		q.Got, q.Awaited, q.Answered = m, awaited, true
		s.complete(q)
		return
	}
	q.Arg = 1
	s.core.AwaitTake(q)
	s.check(s.core.ServeReaders())
}

func (s *script) look() {
	name := s.words[0]
	q := s.fresh(wire.OpNextWait)
	p := s.core.Borrowing()
	s.places[name], q.Into = p, &p.Message
	s.take(q)
	if q.Answered {
		s.looked(name)
	}
}

// looked ends the look that has waited.
func (s *script) looked(name string) {
	p := s.places[name]
	s.core.Borrowed(p, s.questions[name].Answered)
	s.say("%s", map[bool]string{true: "it stays where it lies", false: "it is a copy"}[p.lent])
}

func (s *script) pipe() {
	name := s.word()
	p := s.pipes[name]
	if p == nil {
		p = &Pipe{}
		s.pipes[name] = p
	}
	m := s.message()
	switch way, upTo := s.core.Way(); {
	case way == WayRoom:
		s.say("not before all have room, up to message %d", upTo)
		return
	case way == WayResults:
		s.say("not before %d results have come", upTo)
		return
	case way == WayEnded:
		s.say("it has ended: %s", s.core.Ended().Name())
		return
	}
	if condition := s.core.CheckMessage(m); condition != message.OK {
		s.core.Refuse(p, m, condition)
	} else if s.core.Pipe(p, m) {
		s.say("time to send")
		s.core.Collected()
	}
}

func (s *script) flush() {
	name := s.word()
	if q := s.core.WaitResults(s.pipes[s.word()].Last); q != nil {
		q.Tag = name
		s.questions[name] = q
	} else {
		s.say("%s: nothing to wait for", name)
	}
}

func (s *script) totals() {
	p := s.pipes[s.word()]
	s.say("%+v", p.Totals)
	for f := p.Failure(); f != nil; f = p.Failure() {
		s.say("message %d %s: %v %s", f.Index, f.Name, f.Err, f.Text)
	}
}

// bus takes frames that come together.
func (s *script) bus() {
	var b []byte
	for first := true; first || s.has("|"); first = false {
		h := wire.Header{Op: opNamed(s.word()), Seq: number(s.word())}
		for c := message.OK; c.Name() != s.words[0]; c++ {
			h.Condition = c + 1
		}
		s.word()
		var payload []byte
		for len(s.words) > 0 && s.words[0] != "|" {
			w := s.words[0]
			key, value, _ := strings.Cut(w, "=")
			switch {
			case strings.HasPrefix(w, "$"):
				m := s.message()
				wire.Mark(&m.Header, m.Missed)
				payload = wire.AppendMissed(wire.AppendMessage(payload, &m.Header, []byte(m.Name), m.Data), m.Missed)
				h.Arg++
				continue
			case w == ",":
			case key == "sent":
				payload = wire.AppendSent(nil, wire.Sent{ID: id(value), Reached: 1})
			case key == "id":
				payload = wire.AppendID(nil, id(value))
			case key == "said":
				payload = []byte(value)
			default:
				h.Arg = number(w)
			}
			s.word()
		}
		b = wire.AppendFrame(b, h, payload)
	}
	s.receiveBytes(b)
}

// receiveBytes gives the Core bytes, as many at a time as it has space for.
func (s *script) receiveBytes(b []byte) {
	for len(b) > 0 {
		n := copy(s.core.Space(), b)
		if err := s.core.Received(n); err != nil {
			s.say("broken: %v", err)
			return
		}
		b = b[n:]
	}
}

func (s *script) shows() {
	if s.has("more") {
		s.window.more = true
	} else {
		s.window.list = append(s.window.list, shownMessage{*s.message(), s.has("awaited"), s.has("inlog")})
	}
	if s.window.expected {
		s.say("the link wakes us")
		s.check(s.core.ServeReaders())
	}
}

// shown is a Window for scripts: a list, and what the bus is told about it.
type shown struct {
	list     []shownMessage
	held     int // the first of list are claimed
	more     bool
	expected bool
	kept     uint32
	broken   bool
}

type shownMessage struct {
	message.Message
	awaited, inArena bool
}

func (w *shown) Take(h *message.Header, most uint32, _ wire.Marks) (name, data []byte, f wire.Following, ok bool, err error) {
	if w.broken {
		return nil, nil, f, false, errors.New("scribbled over")
	}
	if len(w.list) == 0 {
		return nil, nil, f, false, nil
	}
	if w.held == 0 {
		w.held = min(int(most), len(w.list))
	}
	m := &w.list[0]
	*h = m.Header
	return []byte(m.Name), m.Data, wire.Following{Missed: m.Missed}, true, nil
}

func (w *shown) pop() (awaited bool) {
	awaited = w.list[0].awaited
	w.list, w.held = w.list[1:], w.held-1
	return awaited
}

func (w *shown) Held() uint32    { return uint32(w.held) }
func (w *shown) Release() bool   { return w.pop() }
func (w *shown) InArena() bool   { return w.list[0].inArena }
func (w *shown) Empty() bool     { return len(w.list) == 0 && !w.more }
func (w *shown) More() bool      { return w.more }
func (w *shown) Expect(yes bool) { w.expected = yes }

func (w *shown) Keep() (number uint32, awaited bool) {
	w.kept++
	return w.kept, w.pop()
}

func (w *shown) GiveBack(number uint32, lasts bool) {
	if number == 0 {
		panic(fmt.Sprint("given back what was not lent, lasts ", lasts))
	}
	w.kept--
}
