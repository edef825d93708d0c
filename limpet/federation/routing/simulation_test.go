package routing

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/message"
)

// Members ask each other over a network that delays, loses and doubles, is cut and healed; members die and come back in
// another epoch. Time is a number. SEED=n repeats one run.

const members = 3

type member struct {
	self     Self
	asker    *Asker
	answerer *Answerer
	serial   uint32
	pending  map[message.ID]inquiry // Requests of this bus that have no answer yet
	working  []message.ID           // at the Replier of this bus
	handled  map[string]bool        // every Request that the Replier has got, by asker, epoch and id
}

// inquiry is a Request that waits for its answer.
type inquiry struct {
	at time.Time
	to uint32
}

type packet struct {
	at time.Time
	e  envelope.Envelope
}

type world struct {
	*rand.Rand
	now     time.Time
	members [members + 1]*member
	packets []packet
	cut     [members + 1]bool
	err     error

	asked, replies, statuses int
}

func (w *world) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

func (w *world) birth(id uint32) {
	epoch := uint64(1)
	if b := w.members[id]; b != nil {
		epoch = b.self.Epoch + 1
	}
	self := Self{id, epoch}
	w.members[id] = &member{
		self: self, asker: NewAsker(self), answerer: NewAnswerer(self), serial: w.Uint32(),
		pending: map[message.ID]inquiry{}, handled: map[string]bool{},
	}
}

func (w *world) send(e envelope.Envelope) {
	for range 1 + w.IntN(10)/9 { // some twice
		if w.cut[e.Member] || w.cut[e.Target] || w.IntN(20) == 0 {
			continue
		}
		w.packets = append(w.packets, packet{w.now.Add(time.Duration(w.IntN(50)+w.IntN(20)/19*800) * time.Millisecond), e})
	}
}

func (w *world) perform(b *member, out Out) {
	for _, e := range out.Parcels {
		w.send(e)
	}
	for _, s := range out.Statuses {
		w.answered(b, s.ID, false)
	}
}

func (w *world) answered(b *member, id message.ID, reply bool) {
	if _, open := b.pending[id]; !open {
		w.fail("bowl %d: %v is answered twice", b.self.Member, id)
	}
	delete(b.pending, id)
	if reply {
		w.replies++
	} else {
		w.statuses++
	}
}

func (w *world) ask(b *member) {
	to := w.members[1+(int(b.self.Member)+w.IntN(members-1))%members]
	b.serial += 1 + w.Uint32N(3)
	m := message.Message{Header: message.Header{
		ID: message.ID{Serial: b.serial}, From: 5, Flags: message.WantAReply | message.WantYouToReply,
	}, Name: "$.Q"}
	epoch := to.self.Epoch
	if w.IntN(20) == 0 && epoch > 1 {
		epoch-- // the directory lags behind
	}
	e, ok := b.asker.Ask(w.now, m, message.ID{Network: b.self.Member, Serial: b.serial}, to.self.Member, epoch)
	if !ok {
		w.fail("a new Request is open already")
	}
	w.asked++
	b.pending[m.ID] = inquiry{w.now, to.self.Member}
	w.send(e)
}

func (w *world) arrive(b *member, e envelope.Envelope) {
	var out Out
	b.asker.Alive(w.now, e.Member, e.Epoch, &out)
	switch e.Kind {
	case envelope.Request:
		w.request(b, &e, &out)
	case envelope.Queued:
		b.asker.Queued(e.Member, e.InReplyTo)
	case envelope.Reply:
		thanks, to, local, ok := b.asker.Replied(e.Member, e.Epoch, e.InReplyTo)
		w.send(thanks)
		if ok && to != 5 {
			w.fail("the Reply goes to %d", to)
		}
		if ok {
			w.answered(b, local, true)
		}
	case envelope.Thanks:
		b.answerer.Thanked(e.Member, e.InReplyTo)
	case envelope.Probe:
		b.answerer.Probed(e.Member, e.Epoch, envelope.IDs(e.Data), &out)
	case envelope.States:
		b.asker.States(e.Member, envelope.StatesOf(e.Data), &out)
	}
	w.perform(b, out)
}

func (w *world) request(b *member, e *envelope.Envelope, out *Out) {
	if e.TargetEpoch != b.self.Epoch {
		b.answerer.Refused(e, message.NameGoneAway, "", out)
		return
	}
	switch b.answerer.Asked(e, out) {
	case Deliver:
		key := fmt.Sprint(e.Member, e.Epoch, e.ID)
		if b.handled[key] {
			w.fail("bowl %d: the Replier gets %s twice", b.self.Member, key)
		}
		b.handled[key] = true
		if w.IntN(10) == 0 {
			b.answerer.Refused(e, "$.KBUS.RemoteError.16", "", out)
			return
		}
		b.working = append(b.working, e.ID)
		b.answerer.Delivered(e.ID, out)
	case Refuse:
		b.answerer.Refused(e, "$.KBUS.RemoteError.16", "", out)
	}
}

func (w *world) reply(b *member) {
	if len(b.working) == 0 {
		return
	}
	i := w.IntN(len(b.working))
	id := b.working[i]
	b.working = append(b.working[:i], b.working[i+1:]...)
	var out Out
	b.answerer.Replied(message.Message{Header: message.Header{InReplyTo: id}, Name: "$.Q"}, &out)
	w.perform(b, out)
}

// pass lets time pass to the next tick, and delivers what arrives until then.
func (w *world) pass() {
	w.now = w.now.Add(100 * time.Millisecond)
	due := w.packets
	w.packets = nil
	for _, l := range due {
		b := w.members[l.e.Target]
		switch {
		case l.at.After(w.now):
			w.packets = append(w.packets, l)
		case !w.cut[l.e.Target]:
			w.arrive(b, l.e)
		}
	}
	for _, b := range w.members[1:] {
		var out Out
		b.asker.Tick(w.now, &out)
		b.answerer.Tick(&out)
		w.perform(b, out)
	}
}

// linger leaves the network as it is for 4 s. After that nobody waits for a member that cannot be heard.
func (w *world) linger() {
	for range 40 {
		w.pass()
	}
	for _, b := range w.members[1:] {
		for id, q := range b.pending {
			if w.cut[b.self.Member] || w.cut[q.to] {
				w.fail("bowl %d: %v to bowl %d, which is cut off, has had no answer for %v", b.self.Member, id, q.to, w.now.Sub(q.at))
			}
		}
	}
}

func run(seed uint64) (*world, error) {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 1)), now: time.Unix(1000, 0)}
	for id := uint32(1); id <= members; id++ {
		w.birth(id)
	}
	for range 100 + w.IntN(200) {
		b := w.members[1+w.IntN(members)]
		switch w.IntN(100) {
		case 0:
			w.birth(b.self.Member) // what the old life owed died with its bus
		case 1, 2:
			w.cut[b.self.Member] = !w.cut[b.self.Member]
		case 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13:
			w.pass()
		default:
			if w.IntN(2) == 0 {
				w.ask(b)
			} else {
				w.reply(b)
			}
		}
	}
	w.linger()
	w.cut = [members + 1]bool{}
	for range 100 { // 10 s after healing
		for _, b := range w.members[1:] {
			for range 10 {
				w.reply(b)
			}
		}
		w.pass()
	}
	for _, b := range w.members[1:] {
		if n := b.asker.Open(); n != 0 || len(b.pending) != 0 {
			w.fail("bowl %d: %d open, %d without an answer", b.self.Member, n, len(b.pending))
		}
		for id, k := range b.answerer.kept {
			if k.origin.epoch == w.members[k.origin.member].self.Epoch {
				w.fail("bowl %d keeps %v of bowl %d for ever", b.self.Member, id, k.origin.member)
			}
		}
	}
	return w, w.err
}

func TestSimulation(t *testing.T) {
	if seed, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		if _, err := run(seed); err != nil {
			t.Fatal(err)
		}
		return
	}
	asked, replies, statuses := 0, 0, 0
	for seed := range uint64(3000) {
		w, err := run(seed)
		if err != nil {
			t.Fatalf("SEED=%d: %v", seed, err)
		}
		asked, replies, statuses = asked+w.asked, replies+w.replies, statuses+w.statuses
	}
	t.Logf("%d Requests, %d Replies, %d Statuses; the others died with their bowl", asked, replies, statuses)
}
