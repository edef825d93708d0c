package bus

import (
	"testing"

	"kbus.example/kbus/message"
)

// Whatever happens on a bus, what it says it holds must be what it does hold: each message has as many references as
// there are queues, waiting senders, set-aside events and readers that hold it, and each user is charged for the messages
// that its queues hold. The steps here are any bytes at all, on a small bus where queues and lists are always full.

type holding struct {
	t      *testing.T
	b      *Bus
	ksocks []*Ksock
	read   []Delivery // not yet released
}

func FuzzAccounts(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x10\x11\x21\x30\x31\x32\x40\x51\x62\x70\x81\x92\xa0\xb1\xc2\xd0\xe1\xf2"))
	var mixed []byte
	for i := range 4000 { // a walk through everything, not evenly
		mixed = append(mixed, byte(i*i>>3+i*7))
	}
	f.Add(mixed)
	f.Add([]byte("every byte is a step, and so is each of these letters; QUEUES FILL, and 0123456789 close again"))
	f.Fuzz(func(t *testing.T, steps []byte) {
		h := &holding{t: t, b: New(Config{
			MaxMessages: 3, MaxSetAside: 4,
			Limits: Limits{QueueBytes: 20000, UserQueueBytes: 8000, UserWildcards: 3},
		})}
		if len(steps)%2 == 1 {
			h.b.InPieces(1)
		}
		for i, step := range steps {
			h.step(i, int(step>>4), int(step&0xf))
			h.check(i)
		}
		for len(h.ksocks) > 0 {
			h.close(0)
		}
		for i := range h.read {
			h.b.Release(&h.read[i])
		}
		h.read = nil
		for h.b.Sweep(1) {
		}
		h.check(len(steps))
		if a := h.b.accounts; a.all != (account{}) || len(a.users) != 0 {
			t.Fatalf("with nothing open, in all %+v and %d users", a.all, len(a.users))
		}
	})
}

var holdingNames = []string{"$.A", "$.A.B", "$.*", message.NameReplierBindEvent}

func (h *holding) step(i, what, arg int) {
	b := h.b
	if len(h.ksocks) < 3 || what == 0 && len(h.ksocks) < 6 {
		k, c := b.Open(Owner{UID: uint32(arg % 3)})
		if c != message.OK {
			h.t.Fatal(c)
		}
		h.ksocks = append(h.ksocks, k)
		return
	}
	k := h.ksocks[(i*5+arg)%len(h.ksocks)]
	name := holdingNames[arg&3]
	switch what {
	case 0, 1:
		b.Bind(k, name, false)
	case 2:
		b.Bind(k, name, true)
	case 3:
		b.Unbind(k, name, arg&4 != 0)
	case 4, 5, 6, 7, 8:
		head := message.Header{Flags: []message.Flags{
			0, message.AllOrWait, message.WantAReply, message.WantAReply | message.AllOrWait, message.Urgent,
		}[what-4]}
		if arg&8 != 0 {
			head.ID = message.ID{Network: 9, Serial: uint32(arg & 1)}
		}
		b.Send(k, &head, []byte(holdingNames[arg&1]), make([]byte, arg*arg*20))
	case 9:
		if d, ok := b.Next(k); ok {
			h.read = append(h.read, d)
		}
	case 10:
		if len(h.read) > 0 { // reply to what was read first, from whoever it may be
			d := &h.read[0]
			head := message.Header{InReplyTo: d.ID, To: d.From, Flags: message.Flags(arg&1) * message.AllOrWait}
			b.Send(k, &head, d.Name, d.Data)
		}
	case 11:
		for ; arg >= 8 && len(h.read) > 0; arg-- {
			b.Release(&h.read[0])
			h.read = h.read[1:]
		}
	case 12:
		if arg == 0 {
			h.close((i * 3) % len(h.ksocks))
		}
		b.OnlyOnce(k, uint32(arg&1))
	case 13:
		b.Sweep(arg)
		b.Discard(k)
	case 14:
		b.ReportReplierBinds(k, uint32(arg&1))
	case 15:
		for _, due := range b.Due() {
			b.Poll(due)
		}
		b.Resend(k)
		b.Woken()
	}
}

func (h *holding) close(i int) {
	k := h.ksocks[i]
	h.b.Close(k)
	if k.queue.entries.len() != 0 || k.pending != nil || k.asideCount != 0 || len(k.bindings) != 0 {
		h.t.Fatalf("Ksock %d is closed and holds %+v", k.id, k)
	}
	h.ksocks = append(h.ksocks[:i], h.ksocks[i+1:]...)
}

// check counts again.
func (h *holding) check(step int) {
	refs := map[*stored]int{}
	copies := map[*account]map[*stored]int64{}
	var all account
	users := map[*account]account{}
	hold := func(a *account, m *stored) {
		refs[m]++
		if copies[a] == nil {
			copies[a] = map[*stored]int64{}
		}
		copies[a][m]++
	}
	charge := func(a *account, bytes int64) {
		u := users[a]
		u.bytes += bytes
		users[a] = u
		all.bytes += bytes
	}
	for k := range h.b.Ksocks() {
		for i := range k.queue.entries.len() {
			if e := k.queue.at(i); e.msg != nil {
				hold(k.account, e.msg)
			}
		}
		if p := k.queue.purging; p != nil {
			for i := range p.kept.len() {
				hold(k.account, p.kept.at(i).msg)
			}
		}
		if k.pending != nil {
			hold(k.account, k.pending)
		}
		charge(k.account, perCopy*int64(k.outstanding.len()+k.unreplied.len()+k.givenUp.all))
	}
	aside, set := map[*Ksock]uint32{}, 0
	lists := []*setAside{&h.b.bindings.aside}
	counted := h.b.bindings.aside.count
	for k := range h.b.Ksocks() {
		lists = append(lists, &k.asideOwn)
		counted += k.asideOwn.count
	}
	for _, l := range lists {
		for e := l.oldest; e != nil; e = e.newer {
			hold(e.ksock.account, e.msg)
			aside[e.ksock]++
			set++
		}
	}
	if counted != set {
		h.t.Fatalf("step %d: %d set-aside events counted, %d there", step, counted, set)
	}
	for _, heap := range h.b.heaps {
		for _, d := range []*deque[entry]{&heap.first, &heap.entries} {
			for j := range d.len() {
				if m := d.at(j).msg; m != nil {
					hold(heap.account, m)
				}
			}
		}
	}
	for a, held := range copies {
		for m, n := range held {
			charge(a, m.charge()+perCopy*n)
			if c := m.holding(a); c == nil || int64(c.copies) != n {
				h.t.Fatalf("step %d: %d copies counted, %+v there", step, n, c)
			}
		}
	}
	for i := range h.read {
		refs[h.read[i].msg]++
	}
	for k := range h.b.Ksocks() {
		if k.asideCount != aside[k] {
			h.t.Fatalf("step %d: %d set-aside events counted, %d there", step, k.asideCount, aside[k])
		}
		u := users[k.account]
		u.uid, u.ksocks, u.bindings = k.account.uid, u.ksocks+1, u.bindings+len(k.bindings)
		for _, n := range k.bindings {
			u.wildcards += oneIf(n.wildcard)
			all.wildcards += oneIf(n.wildcard)
		}
		users[k.account] = u
		all.ksocks, all.bindings = all.ksocks+1, all.bindings+len(k.bindings)
	}
	for m, n := range refs {
		if int(m.refs) != n {
			h.t.Fatalf("step %d: %d references counted, %d there: %+v", step, m.refs, n, m.head)
		}
	}
	if h.b.accounts.all != all || len(h.b.accounts.users) != len(users) {
		h.t.Fatalf("step %d: charged %+v and %d users, held %+v and %d", step, h.b.accounts.all, len(h.b.accounts.users),
			all, len(users))
	}
	for a, u := range users {
		is := *a
		is.billTurn, is.billed, is.billedMessage = 0, 0, false
		if u.uid = a.uid; is != u || h.b.accounts.users[u.uid] != a {
			h.t.Fatalf("step %d: charged %+v, held %+v", step, is, u)
		}
	}
	kept := 0
	for _, m := range h.b.store.free {
		for ; m != nil; m = m.next {
			kept += cap(m.buf)
			if refs[m] != 0 || m.refs != 0 || m.holder.account != nil || len(m.more) != 0 {
				h.t.Fatalf("step %d: free and in use: %+v", step, m.head)
			}
		}
	}
	if h.b.store.kept != kept || kept > keptBytes {
		h.t.Fatalf("step %d: %d bytes kept for reuse, %d there, %d allowed", step, h.b.store.kept, kept, keptBytes)
	}
}
