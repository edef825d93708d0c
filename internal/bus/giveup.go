package bus

import "kbus.example/kbus/message"

// A caller that no longer waits may give its Call up. The Request stays with its Replier, which still owes the Reply
// and notices nothing. But the slot that was reserved for the answer is free at once, and the answer, when it comes,
// goes only to the Listeners to its name. So a program that calls with a time limit, and reads nothing else, does not
// find its queue full of answers to Requests that it has forgotten (F44).

// mostGivenUp limits how many such answers a Ksock may have outstanding; each is charged for as before. Of more of them the slots stay
// reserved, which is what limits them then.
const mostGivenUp = 1 << 16

// givenUp is the Requests of a Ksock whose Calls were given up.
type givenUp struct {
	times map[message.ID]int // how often each was; ids may be used twice
	all   int
}

// GiveUp says that k does not want the answer to a Request that it has sent. If the Request still waits for room it is
// discarded, if the answer is in the queue that is dropped.
func (b *Bus) GiveUp(k *Ksock, request message.ID) {
	if m := k.pending; m != nil && m.head.ID == request && m.head.IsRequest() {
		b.Discard(k)
		return
	}
	b.SyncWindow(k)
	b.reclaim(k)
	b.whole(k)
	if i := k.queue.reply(request); i >= 0 {
		k.passOn(i)
		b.release(b.take(k, i).msg)
		b.moveAside(k)
		return
	}
	if k.givenUp.all >= mostGivenUp || !k.outstanding.remove(request, false) { // it is charged on
		return
	}
	if k.givenUp.times == nil {
		k.givenUp.times = map[message.ID]int{}
	}
	k.givenUp.times[request]++
	k.givenUp.all++
	b.wakes.room(k)
	b.wakes.unwanted(k.id, request)
}

// unwantedCame notes that the answer has come.
func (b *Bus) unwantedCame(k *Ksock, request message.ID) {
	k.givenUp.all--
	if k.givenUp.times[request]--; k.givenUp.times[request] == 0 {
		delete(k.givenUp.times, request)
	}
	b.discharge(k.account, perCopy)
}

// forgetGivenUp is for a Ksock that closes.
func (b *Bus) forgetGivenUp(k *Ksock) {
	b.discharge(k.account, perCopy*int64(k.givenUp.all))
	k.givenUp = givenUp{}
}
