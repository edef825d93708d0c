package session

import (
	"slices"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Waiting requests are the only ones that are answered out of order: Calls and NextReplies as the answers come, the
// others of each kind in the order of asking. An answer goes to the Call or NextReply that waits for it before NextWait
// may have it, and WaitReadable is answered by what is left after that.

// MaxWaiting is how many NextWaits, how many Calls and NextReplies together, how many WaitSents, WaitReadables and
// NextBindRequests a session may have waiting. One more is refused with ErrNoMemory.
const MaxWaiting = 4096

const limitText = "limit waiting-requests reached"

// waiting is the requests of a session that wait.
type waiting struct {
	nexts        nexts  // NextWait
	calls        []call // Call, and NextReply that waits
	sents        []uint32
	bindRequests []uint32 // NextBindRequest
	readables    []uint32 // WaitReadable
	binds        int      // Binds that wait for the federator
}

// Waiting counts the requests that wait for an answer.
func (w *waiting) Waiting() int {
	return w.nexts.len() + len(w.calls) + len(w.sents) + len(w.readables) + len(w.bindRequests) + w.binds
}

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
	if !s.ksock.Sending() {
		s.answerListed(wire.OpWaitSent, &s.sents)
	}
	for len(s.calls) > 0 && !s.Busy() && s.answerCall() {
	}
	for len(s.bindRequests) > 0 && !s.Busy() && s.answerBindRequest() {
	}
	for s.nexts.len() > 0 && !s.Busy() {
		w := s.nexts.list[s.nexts.front]
		if !s.take(wire.Header{Op: wire.OpNextWait, Seq: w.seq, Arg: w.most}) {
			return
		}
		s.nexts.front++
	}
	if len(s.readables) > 0 && s.engine.bus.NumMessages(s.ksock) > 0 {
		s.answerListed(wire.OpWaitReadable, &s.readables)
	}
}

// answerListed answers the requests that waited for something to be so, until the session is Busy.
func (s *Session) answerListed(op wire.Op, waiting *[]uint32) {
	answered := 0
	for ; answered < len(*waiting) && !s.Busy(); answered++ {
		s.result(wire.Header{Op: op, Seq: (*waiting)[answered]}, message.OK, 0)
	}
	*waiting = slices.Delete(*waiting, 0, answered)
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

func (s *Session) waitSent(h wire.Header, _ []byte) { s.await(h, &s.sents) }

func (s *Session) waitReadable(h wire.Header, _ []byte) { s.await(h, &s.readables) }

func (s *Session) await(h wire.Header, waiting *[]uint32) {
	if len(*waiting) >= MaxWaiting {
		s.refuse(h, message.ErrNoMemory, limitText)
		return
	}
	*waiting = append(*waiting, h.Seq)
	s.engine.look(s)
}

// cancel gives the oldest waiting request with that sequence number up. The Request of a canceled Call is not taken
// back: its answer will come to the queue.
func (s *Session) cancel(h wire.Header, _ []byte) {
	canceled := s.cancelWaiting(h.Arg)
	s.result(h, message.OK, canceled)
}

// giveUpAnswer is cancel for a Call or NextReply whose answer is not wanted any more either (F44).
func (s *Session) giveUpAnswer(h wire.Header, _ []byte) {
	i := slices.IndexFunc(s.calls, func(c call) bool { return c.seq == h.Arg })
	if i < 0 {
		s.result(h, message.OK, 0)
		return
	}
	s.engine.bus.GiveUp(s.ksock, s.calls[i].request)
	s.giveUp(i, message.ErrCanceled)
	s.engine.look(s) // the Request may have waited for room
	s.result(h, message.OK, 1)
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
	if s.cancelListed(wire.OpWaitSent, &s.sents, seq) || s.cancelListed(wire.OpWaitReadable, &s.readables, seq) ||
		s.cancelListed(wire.OpNextBindRequest, &s.bindRequests, seq) {
		return 1
	}
	return 0
}

func (s *Session) cancelListed(op wire.Op, waiting *[]uint32, seq uint32) bool {
	i := slices.Index(*waiting, seq)
	if i < 0 {
		return false
	}
	*waiting = slices.Delete(*waiting, i, i+1)
	s.result(wire.Header{Op: op, Seq: seq}, message.ErrCanceled, 0)
	return true
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
