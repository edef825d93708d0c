// Package exchange holds the Requests that are under way between our bus and other members: those of our bus that
// others answer, and those of others that our bus answers. Package routing decides what becomes of each; here its two
// state machines share one lock, and what they give back is carried out after the lock is released: envelopes go to
// NATS, Statuses to the bus.
//
// Packages outbound and inbound bring the messages. The bus is never asked under the lock.
package exchange

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/directory"
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/limpet/federation/leasekeeper"
	"kbus.example/kbus/limpet/federation/routing"
)

// Directory decides where Requests go. Both calls return at once.
type Directory interface {
	Lookup(name string) (directory.Claim, bool)
	Member(id uint32) directory.Member
}

// Config is what an Exchange works with.
type Config struct {
	Ksock     *kbus.Ksock
	Bus       envelope.Bus
	Self      routing.Self
	Directory Directory
	Connected func() bool              // whether there is a NATS server
	Send      func(*envelope.Envelope) // publishes to the envelope's target, and does not keep it
}

// Exchange is the Requests under way.
type Exchange struct {
	Config
	own         kbus.KsockID // the id of our Ksock
	statuses    atomic.Uint64
	undelivered atomic.Uint64

	mu            sync.Mutex // guards what follows, and is never held while anything waits
	asker         *routing.Asker
	answerer      *routing.Answerer
	conversations map[conversation]uint64
}

// conversation is a Requester of our bus and the Replier elsewhere that it had a Reply from. A stateful Request goes to
// that Replier, in the epoch of that Reply, or nowhere.
type conversation struct {
	requester kbus.KsockID
	replier   kbus.Origin
}

const maxConversations = 1 << 16

// New makes an Exchange without Requests.
func New(c Config) *Exchange {
	return &Exchange{
		Config: c, own: c.Ksock.ID(), asker: routing.NewAsker(c.Self), answerer: routing.NewAnswerer(c.Self),
		conversations: map[conversation]uint64{},
	}
}

// now is the clock of the state machines. It goes on while the machine sleeps.
func now() time.Time { return leasekeeper.Now() }

// Perform carries out what a state machine gave back.
func (x *Exchange) Perform(ctx context.Context, out *routing.Out) {
	for i := range out.Parcels {
		x.Send(&out.Parcels[i])
	}
	for _, status := range out.Statuses {
		x.SendStatus(ctx, status)
	}
}

// SendStatus answers a Request of our bus with a Status.
func (x *Exchange) SendStatus(ctx context.Context, status routing.Status) {
	x.statuses.Add(1)
	m := kbus.Message{Header: kbus.Header{To: status.To, InReplyTo: status.ID}, Name: status.Name, Data: []byte(status.Why)}
	if _, err := x.Ksock.Send(ctx, &m); err != nil {
		x.undelivered.Add(1) // the Requester has gone
	}
}

// Alive notes that a member, in that epoch, has sent us something.
func (x *Exchange) Alive(ctx context.Context, member uint32, epoch uint64) {
	var out routing.Out
	x.mu.Lock()
	x.asker.Alive(now(), member, epoch, &out)
	x.mu.Unlock()
	x.Perform(ctx, &out)
}

// Over notes that a member's epochs up to this one have ended: it owes no answers, and waits for none.
func (x *Exchange) Over(ctx context.Context, member uint32, epoch uint64) {
	var out routing.Out
	x.mu.Lock()
	x.asker.Over(member, epoch, &out)
	x.answerer.Over(member, epoch)
	x.mu.Unlock()
	x.Perform(ctx, &out)
}

// Tick is called at a steady pace: members that owe us answers are asked about them, and, with replies, Replies that
// nobody has acknowledged are sent again.
func (x *Exchange) Tick(ctx context.Context, replies bool) {
	var out routing.Out
	x.mu.Lock()
	x.asker.Tick(now(), &out)
	if replies {
		x.answerer.Tick(&out)
	}
	x.mu.Unlock()
	x.Perform(ctx, &out)
}

// Figures count Requests.
type Figures struct {
	Open        int            // of our bus, without an answer yet
	Outstanding map[uint32]int // the same by member
	Kept        int            // of other members, not answered or not acknowledged
	Statuses    uint64         // that this end has made
	Undelivered uint64         // of those
}

// Figures counts.
func (x *Exchange) Figures() Figures {
	x.mu.Lock()
	defer x.mu.Unlock()
	return Figures{
		Open: x.asker.Open(), Outstanding: x.asker.Outstanding(), Kept: x.answerer.Kept(),
		Statuses: x.statuses.Load(), Undelivered: x.undelivered.Load(),
	}
}

// clone copies a message whose bytes the caller will overwrite.
func clone(m *kbus.Message) kbus.Message {
	c := *m
	c.Data = bytes.Clone(m.Data)
	return c
}
