package metrics

import "kbus.example/kbus"

// What each Ksock has sent. It is counted by number, from the first message that the tap saw, and forgotten when the Ksock
// closes; if that was among what the tap missed, then when a report no longer has it.

// mostKsocks bounds the memory. Beyond it those that come are not counted.
const mostKsocks = 100_000

type sent struct{ messages, bytes, reached, skipped uint64 }

type ksocks map[kbus.KsockID]*sent

// note takes note of an event. Refused messages do not count; one that waits for room counts when it goes.
func (k ksocks) note(e *kbus.Event) {
	id := e.By.Ksock
	switch {
	case id == 0, e.Err != nil: // the bus itself is no Ksock
	case e.Event == kbus.EventClosed:
		delete(k, id)
	case e.Event == kbus.EventSent:
		s := k[id]
		if s == nil {
			if len(k) >= mostKsocks {
				return
			}
			s = &sent{}
			k[id] = s
		}
		s.messages++
		s.bytes += uint64(e.DataBytes)
		s.reached += uint64(e.Reached)
		s.skipped += uint64(e.Skipped)
	}
}

// keep forgets those that a report does not have, but for those that may have come after it.
func (k ksocks) keep(open []kbus.KsockInfo) {
	there, last := make(map[kbus.KsockID]bool, len(open)), kbus.KsockID(0)
	for _, o := range open {
		there[o.Ksock], last = true, max(last, o.Ksock)
	}
	for id := range k {
		if id <= last && !there[id] {
			delete(k, id)
		}
	}
}
