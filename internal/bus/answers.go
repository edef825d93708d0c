package bus

import "kbus.example/kbus/message"

// Who has asked wants the answer, wherever it stands in the queue. In a short queue it is found by looking. For a longer
// one there is an index. It is made when it is first asked for, or when an answer comes to a queue that is long: to make
// it later, however long the queue is then, only the few entries are looked at that came before.

// answerIndex finds answers.
type answerIndex struct {
	index     map[message.ID]first // by Request; nil: none
	unindexed [2]int64             // without it: the answers have numbers from the first on, and before the second
}

// first is the first answer to a Request in a queue. There may be more, since ids may be used twice.
type first struct {
	number int64
	more   *deque[int64] // the numbers of the others, front to back, and some that have been taken
}

// answerCame notes an answer while there is no index of them.
func (q *queue) answerCame(number int64) {
	if q.entries.len() > mostUnindexed && q.purging == nil {
		q.makeIndex() // of those before; push enters this one
		return
	}
	u := &q.unindexed
	if u[0] == u[1] {
		u[0], u[1] = number, number
	}
	u[0], u[1] = min(u[0], number), max(u[1], number+1)
}

// makeIndex makes the index of answers.
func (q *queue) makeIndex() {
	q.index = map[message.ID]first{}
	n := q.entries.len()
	for i := q.indexOf(q.unindexed[0]); i < n && q.at(i).number>>1 < q.unindexed[1]; i++ {
		q.steps++
		if e := q.at(i); e.msg != nil && e.answers() {
			q.enter(e)
		}
	}
	q.unindexed = [2]int64{}
}

// reply finds the first Reply or Status that answers a Request, or gives -1.
func (q *queue) reply(request message.ID) int {
	if request.IsZero() {
		return -1
	}
	n := q.entries.len()
	q.steps += min(n, glance)
	for i := range min(n, glance) {
		if e := q.at(i); e.msg != nil && e.answers() && e.msg.head.InReplyTo == request {
			return i
		}
	}
	if n <= glance {
		return -1
	}
	if q.index == nil {
		q.makeIndex()
	}
	f, there := q.index[request]
	if !there {
		return -1
	}
	return q.indexOf(f.number)
}

// enter puts an answer into the index. It is the first or the last of all in the queue.
func (q *queue) enter(e *entry) {
	key, number := e.msg.head.InReplyTo, e.number>>1
	f, there := q.index[key]
	switch {
	case !there:
		q.index[key] = first{number: number}
		return
	case f.more == nil:
		f.more = &deque[int64]{}
	case f.more.len() > glance+q.entries.len():
		for range f.more.len() {
			if n := f.more.popFront(); isThere(q, n) {
				f.more.pushBack(n)
			}
		}
	}
	if number < f.number {
		f.more.pushFront(f.number)
		f.number = number
	} else {
		f.more.pushBack(number)
	}
	q.index[key] = f
}

// isThere reports whether an entry of that number is there.
func isThere(q *queue, number int64) bool {
	i := q.indexOf(number)
	return i < q.entries.len() && q.at(i).number>>1 == number && q.at(i).msg != nil
}

// leave takes an answer that has been taken out of the queue out of the index. The next one of that id takes its place.
func (q *queue) leave(e *entry) {
	key := e.msg.head.InReplyTo
	f := q.index[key]
	if f.number != e.number>>1 {
		return
	}
	for f.more != nil && f.more.len() > 0 {
		q.steps++
		if f.number = f.more.popFront(); isThere(q, f.number) {
			q.index[key] = f
			return
		}
	}
	delete(q.index, key)
}
