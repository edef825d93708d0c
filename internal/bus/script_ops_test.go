package bus_test

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
)

// The operations of scripts. Of the bus:
//
//	bus [FIELD=N...]        a fresh bus; fields of bus.Config and bus.Limits, in lower case
//	limits [FIELD=N...]     fields of bus.Limits; the others become "none"
//	open NAME... [max=N] [uid=N] [pid=N] [once=1]    Ksocks, ids from 1 on; their maxmsgs, owner and onlyonce
//	    [modern=1] [stranger=1]    they are original Ksocks of somebody who may administer the bus, unless these say otherwise
//	replier TEXT            REPLIER: the id of who is bound to exactly that text
//	who TEXT                who would get a message of that name: the Replier, and a Listener for each binding
//	pieces N                from now on an operation looks at about N entries of a queue, and the rest is done by
//	sweep N                 N steps of it; told is what is left: Statuses to make, or other things
//	startable [NAME...]     the names whose Replier somebody can start; calls: which are wanted now, and which have one
//	notstarted NAME "why"   it was not
//	woken, due              who was given something to read; whose waiting message should be tried again
//	verbose V, maxmsgsize N, stop
//	restore, switched       put switches of the bus back; which have been turned, by whom
//	why [CONDITION]         more about the condition that the last operation has ended in, else who made a Bind or Unbind fail
//	card TEXT               the card of a Replier
//	peer N                  who is behind a Ksock
//	ksocks, bindings, stats    reports, newest first
//	bytes                   charged for messages: name, data and 128 each
//
// Of a Ksock, after its name:
//
//	bind TEXT [replier | standby], unbind TEXT [replier], close, id, info
//	describe TEXT "card"    attach a card; an empty one takes it away
//	carry N, proxy TEXT N:N    as a Limpet: the network id that it says, the origin of whom it stands for
//	announce TEXT ["data"] [OPTION...], request TEXT ["data"] [OPTION...]
//	reply ["data"] [OPTION...]    to the Request that this Ksock has read last, unless options say otherwise
//	    OPTION: urgent, wait, fail, or a field of message.Message: to=KSOCK inreplyto=N:N id=N:N from=N extra=N
//	    origfrom=N:N finalto=N:N flags=N name=TEXT
//	send, discard, poll     for the message that waits for room; send is SEND once more
//	next, drop, all         read one message; the same without telling; read all there are
//	nextreply N:N           read the answer to that Request
//	giveup N:N              the answer to that Request is not wanted
//	missed                  messages, before the one read last and in all; "(N missed)" tells of those before a message read
//	nummsgs, unrepliedto, lastsent, verbose V, maxmsgsize N, maxmsgs N, onlyonce V, reports V
//
// Messages are told as message.Message prints them. Sending tells the id, how many copies were queued, and how many
// were skipped for want of room. `repeat N` before a line does it N times, with @ for 1, 2, ... (x*N) is N times x.
func (s *script) operate() {
	b, w := s.bus, s.word()
	if k := s.ksocks[w]; k != nil {
		s.ofKsock(k)
		return
	}
	switch w {
	case "bus":
		if err := s.finish(); err != nil {
			panic(err)
		}
		var c struct {
			bus.Config
			bus.Limits
		}
		s.set(&c)
		c.Config.Limits = c.Limits
		s.limits, s.pieces = c.Limits, 0
		s.bus, s.ksocks, s.asked = bus.New(c.Config), map[string]*bus.Ksock{}, map[*bus.Ksock]message.Message{}
		s.bus.SetQuick(!s.slow)
		s.bus.SetAdministrators(func(o bus.Owner) bool { return o.Administrator })
	case "limits":
		var l bus.Limits
		s.set(&l)
		s.limits = l
		b.SetLimits(l)
	case "open":
		o := struct{ UID, PID, Max, Once, Modern, Stranger uint32 }{}
		for _, name := range s.set(&o) {
			owner := bus.Owner{
				UID: o.UID, GID: o.UID, PID: o.PID, Program: name, Original: o.Modern == 0, Administrator: o.Stranger == 0,
			}
			if k, c := b.Open(owner); s.ok(c) {
				k.Tag, s.ksocks[name] = name, k
				b.SetMaxMessages(k, o.Max)
				b.OnlyOnce(k, o.Once)
			}
		}
	case "replier":
		if name := s.word(); s.ok(bus.CheckReplierQuery(name)) {
			s.tell("%d", b.Replier(name))
		}
	case "who":
		replier, listeners := b.Who(s.word())
		s.tell("replier %s, listeners %s", names(replier), names(listeners...))
	case "pieces":
		s.pieces = int(s.number())
		b.InPieces(s.pieces)
	case "sweep":
		b.Sweep(int(s.number()))
		switch n := b.Owing(); {
		case n > 0:
			s.tell("%d to make", n)
		case b.Littered():
			s.tell("more to do")
		}
	case "startable":
		b.SetStartable(s.words)
		s.words = nil
	case "calls":
		for _, c := range b.Calls() {
			s.tell("%s %s", word(c.Bound, "there is", "start"), c.Name)
		}
	case "notstarted":
		name := s.word()
		b.NotStarted(name, s.word())
	case "woken":
		s.tell("%s", names(b.Woken()...))
	case "due":
		s.tell("%s", names(b.Due()...))
	case "verbose": // by the owner of the bus
		s.value(b.Verbose(nil, s.number()))
	case "maxmsgsize":
		s.value(b.SetMaxMessageBytes(nil, s.number()))
	case "restore":
		b.Restore()
	case "switched":
		for _, w := range b.Switched() {
			s.tell("%s: %s to %s, by %s", w.Switch, w.From, w.To, word(w.By == bus.Owner{}, "nobody", w.By.Program))
		}
	case "why":
		of := message.ErrEventUndelivered
		for _, c := range message.Conditions() {
			if s.has(c.Name()) {
				of = c
			}
		}
		s.tell("%s", b.Why(of))
	case "card":
		s.tell("%q", bus.CardOf(b, s.word()))
	case "peer":
		switch o, open, known := b.Peer(message.KsockID(s.number())); {
		case known:
			s.tell("%s, uid %d, pid %d, %s", o.Program, o.UID, o.PID, word(open, "open", "closed"))
		default:
			s.tell("not known")
		}
	case "stop":
		b.Stop()
	case "ksocks":
		s.tell("%s", names(slices.Collect(b.Ksocks())...))
	case "bindings":
		for n := range b.Bindings() {
			s.tell("%s %s %s", n.Ksock.Tag, word(n.Replier, "R", word(n.Standby, "S", "L")), n.Name)
		}
	case "stats":
		i := b.Info()
		s.tell("next ksock %d next msg %d unsent unbindings %d%s", i.NextKsock, i.NextSerial, i.SetAside,
			word(i.Tragic, "(gone tragic)", ""))
		s.tell("%d ksocks, %d bindings%s%s%s", i.Ksocks, i.Bindings, word(i.ReportBinds, ", reporting", ""),
			word(i.Verbose, ", verbose", ""), word(i.Stopping, ", stopping", ""))
	case "bytes":
		s.tell("%d", b.Info().QueueBytes)
	default:
		panic("no such operation, or no such Ksock: " + w)
	}
}

func (s *script) ofKsock(k *bus.Ksock) {
	b := s.bus
	s.acting = k
	switch verb := s.word(); verb {
	case "bind":
		if name := s.word(); s.has("standby") {
			s.ok(bus.StandBy(b, k, name))
		} else {
			s.ok(b.Bind(k, name, s.has("replier")))
		}
	case "unbind":
		s.ok(b.Unbind(k, s.word(), s.has("replier")))
	case "describe":
		name := s.word()
		s.ok(bus.Describe(b, k, name, []byte(s.word())))
	case "carry":
		s.value(b.Carry(k, s.number()))
	case "proxy":
		name := s.word()
		network, local, _ := strings.Cut(s.word(), ":")
		s.ok(b.BindProxy(k, name, message.Origin{Network: s.parse(network), Local: s.parse(local)}))
	case "evict":
		s.ok(b.Evict(k, s.word()))
	case "verbose":
		s.value(b.Verbose(k, s.number()))
	case "maxmsgsize":
		s.value(b.SetMaxMessageBytes(k, s.number()))
	case "giveup":
		b.GiveUp(k, s.messageID())
	case "missed":
		before, total := b.Missed(k)
		s.tell("%d just before, %d in all", before, total)
	case "close":
		b.Close(k)
		delete(s.ksocks, k.Tag.(string))
	case "id":
		s.tell("%d", k.ID())
	case "info":
		i := k.Info()
		s.tell("last msg %s queue %d of %d, %ssending", id(i.LastSent), i.Queued, i.MaxMessages, word(i.Sending, "", "not "))
		s.tell("outstanding requests %d (size %d, max %d), unsent replies %d (max %d)", i.Outstanding, i.OutstandingSize,
			i.OutstandingMost, i.Unreplied, i.UnrepliedMost)
		s.tell("set aside %d, bindings %d, user %d%s", i.SetAside, i.Bindings, i.Owner.UID,
			word(i.OnlyOnce, ", only once", ""))
	case "announce":
		s.send(k, message.Message{Name: s.word()})
	case "request":
		s.send(k, message.Message{Header: message.Header{Flags: message.WantAReply}, Name: s.word()})
	case "overhear": // to Listeners only
		flags := message.Flags(0)
		if s.has("request") {
			flags = message.WantAReply
		}
		toListeners := func(k *bus.Ksock, h *message.Header, name, data []byte) bus.Outcome {
			return b.SendToListeners(k, h, name, data, nil)
		}
		s.sendBy(toListeners, k, message.Message{Header: message.Header{Flags: flags}, Name: s.word()})
	case "reply":
		q := s.asked[k]
		s.send(k, message.Message{Header: message.Header{InReplyTo: q.ID, To: q.From}, Name: q.Name})
	case "send":
		s.outcome(b.Resend(k))
	case "discard":
		b.Discard(k)
	case "poll":
		readable, sending := b.Poll(k)
		s.tell("%s%s", word(readable, "readable, ", ""), word(sending, "not writable", "writable"))
	case "next":
		s.tell("%s", s.read(b.Next(k)))
	case "drop":
		if m := s.read(b.Next(k)); m == nothing {
			s.tell("%s", m)
		}
	case "all":
		for m := s.read(b.Next(k)); m != nothing; m = s.read(b.Next(k)) {
			s.tell("%s", m)
		}
	case "nextreply":
		s.tell("%s", s.read(b.NextReply(k, s.messageID())))
	case "nummsgs":
		s.tell("%d", b.NumMessages(k))
	case "unrepliedto":
		s.tell("%d", b.NumUnreplied(k))
	case "lastsent":
		s.tell("%s", id(b.LastSent(k)))
	case "maxmsgs":
		s.tell("%d", b.SetMaxMessages(k, s.number()))
	case "onlyonce":
		s.value(b.OnlyOnce(k, s.number()))
	case "reports":
		s.value(b.ReportReplierBinds(k, s.number()))
	default:
		panic("no such operation: " + verb)
	}
}

var flagWords = map[string]message.Flags{"urgent": message.Urgent, "wait": message.AllOrWait, "fail": message.AllOrFail}

// send sends m with the data and options that the words say. It checks the form first, as every front end must (R2.11,
// R1.20), but looks at nothing while a message waits (F8).
func (s *script) send(k *bus.Ksock, m message.Message) { s.sendBy(s.bus.Send, k, m) }

func (s *script) sendBy(
	send func(*bus.Ksock, *message.Header, []byte, []byte) bus.Outcome, k *bus.Ksock, m message.Message,
) {
	kind := m.Flags
	for _, w := range s.set(&m) {
		if data, ok := strings.CutPrefix(w, `"`); ok {
			m.Data = []byte(data)
		} else if f := flagWords[w]; f != 0 {
			kind |= f
		} else {
			panic("no such option: " + w)
		}
	}
	m.Flags |= kind
	if !k.Sending() {
		entire := message.AppendEntire(nil, &m.Header, []byte(m.Name), m.Data)
		if _, _, _, c := message.ParseEntire(entire, s.bus.MaxMessageBytes()); !s.ok(c) || !s.ok(k.CheckName([]byte(m.Name))) {
			return
		}
	}
	s.outcome(send(k, &m.Header, []byte(m.Name), m.Data))
}

// outcome tells all that is set in an Outcome, also what should not be.
func (s *script) outcome(o bus.Outcome) {
	handedOut := word(o.Err != message.OK, " "+o.Err.Name(), "") + word(o.ID != message.ID{}, " "+id(o.ID), "") +
		word(o.Err == message.OK || o.Reached != 0, fmt.Sprint(" reached ", o.Reached), "") +
		word(o.Skipped != 0, fmt.Sprint(" skipped ", o.Skipped), "")
	s.tell("%s", handedOut[1:])
}

const nothing = "nothing"

// read gives a delivery as it prints, and remembers what is to be replied to.
func (s *script) read(d bus.Delivery, ok bool) string {
	if !ok {
		return nothing
	}
	m := message.Message{Header: d.Header, Name: string(d.Name), Data: slices.Clone(d.Data)}
	missed := d.Missed
	s.bus.Release(&d)
	if m.WantsUsToReply() {
		s.asked[s.acting] = m
	}
	return word(missed != 0, fmt.Sprintf("(%d missed) ", missed), "") + m.String() + word(m.Extra != 0, fmt.Sprint(" extra=", m.Extra), "")
}

// ok tells any condition but OK, and reports whether it is OK.
func (s *script) ok(c message.Condition) bool {
	if c != message.OK {
		s.tell("%s", c.Name())
	}
	return c == message.OK
}

func (s *script) value(v uint32, c message.Condition) {
	if s.ok(c) {
		s.tell("%d", v)
	}
}

// word takes the next word of the operation, without quotes.
func (s *script) word() string {
	w := s.words[0]
	s.words = s.words[1:]
	return strings.TrimPrefix(w, `"`)
}

// has takes the next word if it is w.
func (s *script) has(w string) bool {
	there := len(s.words) > 0 && s.words[0] == w
	if there {
		s.words = s.words[1:]
	}
	return there
}

func (s *script) number() uint32 { return s.parse(s.word()) }

func (s *script) messageID() message.ID {
	n, serial, _ := strings.Cut(s.word(), ":")
	return message.ID{Network: s.parse(n), Serial: s.parse(serial)}
}

// parse understands the name of a Ksock, too.
func (s *script) parse(w string) uint32 {
	if k := s.ksocks[w]; k != nil {
		return uint32(k.ID())
	}
	return uint32(must(strconv.ParseUint(w, 0, 32)))
}

// set takes all words, puts each FIELD=value into that field of a struct and gives back the others.
func (s *script) set(fields any) (others []string) {
	words := s.words
	s.words = nil
	for _, w := range words {
		field, value, isPair := strings.Cut(w, "=")
		if !isPair || w[0] == '"' {
			others = append(others, w)
			continue
		}
		same := func(name string) bool { return strings.EqualFold(name, field) }
		switch f := reflect.ValueOf(fields).Elem().FieldByNameFunc(same); f.Kind() {
		case reflect.Uint32:
			f.SetUint(uint64(s.parse(value)))
		case reflect.Int, reflect.Int64:
			f.SetInt(int64(s.parse(value)))
		case reflect.String:
			f.SetString(value)
		case reflect.Struct: // N:N
			one, two, _ := strings.Cut(value, ":")
			f.Field(0).SetUint(uint64(s.parse(one)))
			f.Field(1).SetUint(uint64(s.parse(two)))
		default:
			panic("no such field: " + field)
		}
	}
	return others
}

func id(i message.ID) string { return fmt.Sprintf("%d:%d", i.Network, i.Serial) }

// names gives the names of Ksocks as the script has them.
func names(ksocks ...*bus.Ksock) string {
	var all []string
	for _, k := range ksocks {
		if k != nil {
			all = append(all, k.Tag.(string))
		}
	}
	return word(len(all) == 0, "none", strings.Join(all, " "))
}
