package outbound

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/limpet/federation/parts"
	"kbus.example/kbus/limpet/federation/routing"
	"kbus.example/kbus/limpet/federation/subject"
)

// Publisher makes bytes of envelopes and publishes them. Announcements are counted, and their count goes with them: so
// the other members see what they have missed. All calls return at once, for a connection to NATS that is cut buffers
// nothing.
type Publisher struct {
	nc    *nats.Conn
	space subject.Space
	bus   envelope.Bus
	epoch uint64

	mu        sync.Mutex
	scratch   []byte
	subjects  map[string]string // of announcements, by name
	count     uint64            // of announcements
	published uint64            // the count that the others got when there was nothing else to publish
	quiet     bool              // nothing was announced since the last PublishCount
	cutter    parts.Cutter

	unsent atomic.Uint64
}

// NewPublisher makes one for our member in that epoch.
func NewPublisher(nc *nats.Conn, space subject.Space, bus envelope.Bus, self routing.Self) *Publisher {
	return &Publisher{nc: nc, space: space, bus: bus, epoch: self.Epoch}
}

// Announce publishes what Listeners of all other members may get. The target, if there is one, gets it otherwise. What
// NATS does not take is lost, and the others see that from the count.
func (p *Publisher) Announce(m *kbus.Message, target uint32) {
	e := envelope.Envelope{Kind: envelope.Broadcast, Member: p.bus.Member, Epoch: p.epoch, Target: target, Message: *m}
	p.bus.Export(&e.Message)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	e.Count = p.count
	_ = p.publish(p.subject(m.Name), &e)
	p.quiet = false
}

// Send publishes an envelope to its target. If that fails it is as if it had been lost on the way.
func (p *Publisher) Send(e *envelope.Envelope) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.publish(p.space.To(e.Target, p.bus.Member), e) != nil {
		p.unsent.Add(1)
	}
}

// PublishCount publishes once how much was announced, when nothing was announced since the last call: so the end of a
// row cannot be lost unseen. name is what the envelope is called.
func (p *Publisher) PublishCount(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.quiet {
		p.quiet = true
		return
	}
	if p.published == p.count {
		return
	}
	e := envelope.Envelope{Kind: envelope.Count, Member: p.bus.Member, Epoch: p.epoch, Count: p.count}
	e.Name = name
	if p.publish(p.space.Count(p.bus.Member), &e) == nil {
		p.published = p.count
	}
}

// Announced is how many messages were announced.
func (p *Publisher) Announced() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// Unsent is how many envelopes NATS did not take.
func (p *Publisher) Unsent() uint64 { return p.unsent.Load() }

const maxSubjects = 4096

func (p *Publisher) subject(name string) string {
	if text, ok := p.subjects[name]; ok {
		return text
	}
	if p.subjects == nil || len(p.subjects) >= maxSubjects {
		p.subjects = map[string]string{}
	}
	text := p.space.Announce(p.bus.Member, name)
	p.subjects[strings.Clone(name)] = text
	return text
}

func (p *Publisher) publish(subject string, e *envelope.Envelope) error {
	p.scratch = e.Append(p.scratch[:0])
	if len(p.scratch) <= parts.Most {
		return p.nc.Publish(subject, p.scratch)
	}
	return p.cutter.Cut(e, p.scratch, func(part []byte) error { return p.nc.Publish(subject, part) })
}
