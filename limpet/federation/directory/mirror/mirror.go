// Package mirror keeps our copy of the directory up to date, as long as there is the bus. The copy outlives sessions: a
// member that has lost its lease, perhaps together with a thousand others, need not read everything again.
//
// A goroutine follows the directory's stream and passes each change to the one subscriber, the current session. Reads
// take a lock for a moment and wait for nothing. The copy may be late, so only a compare-and-swap decides which
// member owns a name.
package mirror

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"kbus.example/kbus/limpet/federation/directory"
	"kbus.example/kbus/limpet/federation/store"
	"kbus.example/kbus/limpet/federation/subject"
)

// Subscriber gets each change after the copy has it. It is called by one goroutine at a time.
type Subscriber interface {
	ClaimChanged(name string)
	MemberChanged(m directory.Member)
}

// Mirror is the copy, and the buckets that it is a copy of.
type Mirror struct {
	Names  *store.Bucket // the directory
	Leases *store.Bucket
	id     uint32 // of our member

	mu         sync.Mutex // guards what follows; nothing is called while it is held
	table      *directory.Table
	own        directory.Member // what the directory says of our member, which is not in the table
	subscriber Subscriber       // nil between two sessions
}

// New makes a Mirror that knows nothing yet.
func New(id uint32, names, leases *store.Bucket) *Mirror {
	return &Mirror{Names: names, Leases: leases, id: id, table: directory.New()}
}

// Follow reads the directory, calls caught when all of it is known, and goes on with each change until ctx ends or the
// directory cannot be followed.
func (m *Mirror) Follow(ctx context.Context, caught func()) error {
	return m.Names.Follow(ctx, func(e store.Entry) error { m.apply(e); return nil }, caught)
}

// Same fails with store.ErrAnew when the servers have lost what this is a copy of. Then another copy is needed.
func (m *Mirror) Same(ctx context.Context) error {
	if err := m.Names.Same(ctx); err != nil {
		return err
	}
	return m.Leases.Same(ctx)
}

// Subscribe sends changes to s from now on, or to nobody if s is nil, and returns what s must know to begin with.
func (m *Mirror) Subscribe(s Subscriber) (own directory.Member, members []directory.Member, names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.subscriber = s
	for name := range m.table.Claims() {
		names = append(names, name)
	}
	return m.own, slices.Collect(m.table.Members()), names
}

// apply takes a change of the directory. An entry that no member has made is left alone.
func (m *Mirror) apply(e store.Entry) {
	if subject.IsMember(e.Key) {
		m.applyMember(e)
	} else if name, ok := subject.Claimed(e.Key); ok {
		m.applyClaim(name, e)
	}
}

func (m *Mirror) applyClaim(name string, e store.Entry) {
	c := directory.Claim{}
	valid := !e.Deleted && json.Unmarshal(e.Value, &c) == nil && c.Member != 0
	c.Revision = e.Revision
	m.mu.Lock()
	if valid {
		m.table.Set(name, c)
	} else {
		m.table.Remove(name)
	}
	subscriber := m.subscriber
	m.mu.Unlock()
	if subscriber != nil {
		subscriber.ClaimChanged(name)
	}
}

func (m *Mirror) applyMember(e store.Entry) {
	var changed directory.Member
	if e.Deleted || json.Unmarshal(e.Value, &changed) != nil || subject.Member(changed.ID) != e.Key || changed.Epoch == 0 {
		return
	}
	changed.Revision = e.Revision
	m.mu.Lock()
	if changed.ID == m.id {
		m.own = changed
	} else {
		m.table.SetMember(changed)
	}
	subscriber := m.subscriber
	m.mu.Unlock()
	if subscriber != nil {
		subscriber.MemberChanged(changed)
	}
}
