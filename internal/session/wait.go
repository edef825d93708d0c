package session

import (
	"slices"

	"kbus/internal/wire"
	"kbus/message"
)

// Waiting requests are the only ones that are answered out of order: Calls and NextReplies as the answers come, the
// others of each kind in the order of asking. What is for one Request goes to whoever waits for it before NextWait may
// have it.

// MaxWaiting is how many NextWaits, how many Calls and NextReplies together, how many WaitSents and how many NextClaims a
// session may have waiting. One more is refused with ErrNoMemory.
const MaxWaiting = 4096

const limitText = "limit waiting-requests reached"

// call waits for the answer to a Request.
type call struct {
	op      wire.Op // Call or NextReply
	seq     uint32
	request message.ID
}

type next struct{ seq, most uint32 }

// nexts is a queue. Its front moves through the slice, which is used again from the beginning whenever it is empty: the
// usual few waiting requests move no memory.
type nexts struct {
	list  []next
	front int
}

func (n *nexts) len() int { return len(n.list) - n.front }

func (n *nexts) push(w next) {
	if n.front == len(n.list) || n.front >= MaxWaiting {
		n.list = n.list[:copy(n.list, n.list[n.front:])]
		n.front = 0
	}
	n.list = append(n.list, w)
}

// answer answers the waiting requests that have an answer now, until the session is Busy.
func (s *Session) answer() {
	if s.closed || s.ended != nil {
		return
	}
	sent := 0
	for ; sent < len(s.sents) && !s.Busy() && !s.ksock.Sending(); sent++ {
		s.result(wire.Header{Op: wire.OpWaitSent, Seq: s.sents[sent]}, message.OK, 0)
	}
	s.sents = slices.Delete(s.sents, 0, sent)
	for len(s.calls) > 0 && !s.Busy() && s.answerCall() {
	}
	for len(s.claims) > 0 && !s.Busy() && s.answerClaim() {
	}
	for s.nexts.len() > 0 && !s.Busy() {
		w := s.nexts.list[s.nexts.front]
		if !s.take(wire.Header{Op: wire.OpNextWait, Seq: w.seq, Arg: w.most}) {
			return
		}
		s.nexts.front++
	}
}

// answerCall answers one Call or NextReply whose answer has come, and reports false when there is none.
func (s *Session) answerCall() bool {
	i := 0
	d, ok := s.engine.bus.NextAnswer(s.ksock, func(request message.ID) bool {
		i = slices.IndexFunc(s.calls, func(c call) bool { return c.request == request })
		return i >= 0
	})
	if !ok {
		return false
	}
	c := s.calls[i]
	s.calls = slices.Delete(s.calls, i, i+1)
	s.reply(wire.Header{Op: c.op, Seq: c.seq}, &d)
	return true
}

func (s *Session) waitSent(h wire.Header, _ []byte) {
	if len(s.sents) >= MaxWaiting {
		s.refuse(h, message.ErrNoMemory, limitText)
		return
	}
	s.sents = append(s.sents, h.Seq)
	s.engine.look(s)
}

// cancel gives the oldest waiting request with that sequence number up. The Request of a canceled Call is not taken
// back: its answer will come to the queue.
func (s *Session) cancel(h wire.Header, _ []byte) {
	canceled := s.cancelWaiting(h.Arg)
	s.result(h, message.OK, canceled)
}

func (s *Session) cancelWaiting(seq uint32) uint32 {
	if i := slices.IndexFunc(s.calls, func(c call) bool { return c.seq == seq }); i >= 0 {
		s.giveUp(i, message.ErrCanceled)
		return 1
	}
	waiting := s.nexts.list[s.nexts.front:]
	if i := slices.IndexFunc(waiting, func(w next) bool { return w.seq == seq }); i >= 0 {
		s.nexts.list = slices.Delete(s.nexts.list, s.nexts.front+i, s.nexts.front+i+1)
		s.result(wire.Header{Op: wire.OpNextWait, Seq: seq}, message.ErrCanceled, 0)
		return 1
	}
	if i := slices.Index(s.sents, seq); i >= 0 {
		s.sents = slices.Delete(s.sents, i, i+1)
		s.result(wire.Header{Op: wire.OpWaitSent, Seq: seq}, message.ErrCanceled, 0)
		return 1
	}
	if i := slices.Index(s.claims, seq); i >= 0 {
		s.claims = slices.Delete(s.claims, i, i+1)
		s.result(wire.Header{Op: wire.OpNextClaim, Seq: seq}, message.ErrCanceled, 0)
		return 1
	}
	return 0
}

// giveUp answers call i with a condition, and a Call with the id of its Request too.
func (s *Session) giveUp(i int, c message.Condition) {
	w := s.calls[i]
	s.calls = slices.Delete(s.calls, i, i+1)
	at := s.begin(wire.Header{Op: w.op, Seq: w.seq}, c, 0, wire.IDBytes)
	if w.op == wire.OpCall {
		s.out.buf = wire.AppendID(s.out.buf, w.request)
	}
	s.end(at, 0)
}
