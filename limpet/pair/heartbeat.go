package pair

import (
	"fmt"
	"time"

	"kbus.example/kbus"
)

// A stream ends when the other end is gone. It does not end when the other end stands still, stopped, frozen or swapped
// out, for its system goes on for it. So each end sends a heartbeat every now and then, and counts those of the other end
// that do not come.
//
// The protocol of the original has none (R9.62), and an original Limpet must not be disturbed. So a heartbeat is a message
// that it drops without a word: a Reply to a Request that never was (R9.31), for no message has serial number 0. The end
// that has connected sends the first, at once; the end that listens answers with one of its own. An end that never sends
// one is an original Limpet, or an earlier one of ours, and is not missed.

const heartbeatName = "$.KBUS.Limpet.Pulse"

// takesTraces is the data of a heartbeat from an end that takes messages with trace contexts. Until one has come, we send none.
const takesTraces = "trace"

// heartbeatEvery is the time between two, and mostMissed how many may be missed until the link counts as lost. So that
// takes between 6 and 7.5 s.
var heartbeatEvery = 1500 * time.Millisecond

const mostMissed = 4

// heartbeat is the state of both ends. It has no clock: tick is called each heartbeatEvery. If our own process stands
// still for a while that is one late tick, and not many missed heartbeats.
type heartbeat struct {
	sent   bool // by us, at least once
	known  bool // the other end sends them
	missed int
}

// received notes one of the other end, and reports whether it is to be answered.
func (h *heartbeat) received() (answer bool) {
	h.known = true
	return !h.sent
}

// alive notes that something has come, whatever it is.
func (h *heartbeat) alive() { h.missed = 0 }

// tick reports whether one is to be sent, and whether the other end counts as lost. Waiting is whether we wait for
// something to come: while we do not read, nothing can come.
func (h *heartbeat) tick(waiting bool) (send, lost bool) {
	if h.known && waiting {
		h.missed++
	}
	return h.sent, h.missed > mostMissed
}

func heartbeatFrom(own uint32) *kbus.Message {
	return &kbus.Message{Header: kbus.Header{InReplyTo: kbus.ID{Network: own}}, Name: heartbeatName, Data: []byte(takesTraces)}
}

func isHeartbeat(m *kbus.Message, peer uint32) bool {
	return m.Name == heartbeatName && m.InReplyTo == kbus.ID{Network: peer}
}

// noHeartbeat is the error of a link that counts as lost.
type noHeartbeat struct{ after time.Duration }

func (e noHeartbeat) Error() string {
	return fmt.Sprintf("the Limpet at the other end has given no sign of life for %v: it stands still, or its machine does", e.after)
}
