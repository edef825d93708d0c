package bus

import "kbus.example/kbus/message"

// roster is the Ksocks of a bus: those that are open, newest first, and by id; those that walks stand at; and those that have
// closed and may still be asked about.
type roster struct {
	nextKsock uint32 // 0 until first used, as the stats report shows (R8.4)
	ksocks    map[message.KsockID]*Ksock
	newest    *Ksock // of the list of open Ksocks
	shared    bool   // two Ksocks had the same id at some time, after 2^32 opens (R1.7)
	walks     []*walk[Ksock]
	departed  departed
}

// enter puts a new Ksock into the lists.
func (r *roster) enter(k *Ksock) {
	k.older = r.newest
	if r.newest != nil {
		r.newest.newer = k
	}
	r.newest = k
	if r.ksocks[k.id] != nil {
		r.shared = true
	}
	r.ksocks[k.id] = k
}

// forget takes a closed Ksock out of the lists.
func (r *roster) forget(k *Ksock) {
	step(r.walks, k, k.older)
	if k.newer != nil {
		k.newer.older = k.older
	} else {
		r.newest = k.older
	}
	if k.older != nil {
		k.older.newer = k.newer
	}
	k.older, k.newer = nil, nil
	if r.ksocks[k.id] != k {
		return
	}
	delete(r.ksocks, k.id)
	for other := r.newest; r.shared && other != nil; other = other.older { // an old one may have the same id
		if other.id == k.id {
			r.ksocks[k.id] = other
			return
		}
	}
}

// next gives the next number of a counter that starts at 1 and skips 0 when it wraps (R1.7, R1.12).
func next(counter *uint32) uint32 {
	if *counter == 0 {
		*counter = 1
	}
	n := *counter
	*counter++
	return n
}
