package bus

// ledger is a list, oldest first, from which entries are taken by what they are. It is mostly short, or first in, first
// out; then a look at one end finds them. A long one that is taken from in another order gets an index, at the first
// look that does not find at once, and loses it when it has become short: so each step costs the same however long the
// list is, and the usual one costs no index. What is taken out of the middle leaves a hole; when there are more holes
// than entries all close up.
type ledger[K comparable] struct {
	list  deque[line[K]] // the first and the last are no holes
	base  uint32         // number of the first
	holes int
	index map[K]uint32 // the newest of each; nil: none
	most  int          // entries when the index was made
	steps int          // lines looked at in search of others, ever
}

// line is an entry. Its number tells it from others that are equal.
type line[K comparable] struct {
	key   K
	older uint32 // with an index: number of the next older equal one, or its own
	hole  bool
}

// glance is how many lines are looked at before an index is made. What has more than mostUnindexed always has one, since
// to make a large one takes long.
const (
	glance        = 64
	mostUnindexed = 2048
)

func (l *ledger[K]) len() int { return l.list.len() - l.holes }

func (l *ledger[K]) add(key K) {
	number := l.base + uint32(l.list.len())
	l.list.pushBack(line[K]{key: key, older: number})
	switch {
	case l.index != nil:
		l.enter(number)
	case l.list.len() > mostUnindexed:
		l.makeIndex()
	}
}

func (l *ledger[K]) line(number uint32) *line[K] { return l.list.at(int(number - l.base)) }

// enter puts a line into the index.
func (l *ledger[K]) enter(number uint32) {
	e := l.line(number)
	if older, there := l.index[e.key]; there {
		e.older = older
	} else {
		e.older = number
	}
	l.index[e.key] = number
}

func (l *ledger[K]) makeIndex() {
	l.most = l.len()
	l.steps += l.list.len()
	l.index = make(map[K]uint32, l.most)
	for i := range l.list.len() {
		if !l.list.at(i).hole {
			l.enter(l.base + uint32(i))
		}
	}
}

// find gives the place of an entry: of several equal ones the newest, or, if that does not matter, any.
func (l *ledger[K]) find(key K, newest bool) int {
	if l.index == nil {
		n := l.list.len()
		for j := range min(n, glance) {
			i := j
			if newest {
				i = n - 1 - j
			}
			if e := l.list.at(i); !e.hole && e.key == key {
				l.steps += j
				return i
			}
		}
		l.steps += min(n, glance)
		if n <= glance {
			return -1
		}
		l.makeIndex()
	}
	number, there := l.index[key]
	if !there {
		return -1
	}
	return int(number - l.base)
}

func (l *ledger[K]) has(key K, newest bool) bool {
	return l.list.n > 0 && l.list.at(0).key == key || l.find(key, newest) >= 0
}

// remove takes an entry out, see find, and reports whether there was one.
func (l *ledger[K]) remove(key K, newest bool) bool {
	if l.list.n == 1 && l.list.at(0).key == key { // as in most round trips; and then there are no holes
		l.list.popFront()
		l.base++
		l.index = nil
		return true
	}
	i := l.find(key, newest)
	if i < 0 {
		return false
	}
	e := l.list.at(i)
	if l.index != nil {
		if e.older == l.base+uint32(i) {
			delete(l.index, key)
		} else {
			l.index[key] = e.older
		}
	}
	*e = line[K]{hole: true}
	l.holes++
	l.tidy()
	return true
}

func (l *ledger[K]) tidy() {
	for l.holes > 0 && l.list.at(0).hole {
		l.list.popFront()
		l.base++
		l.holes--
	}
	for l.holes > 0 && l.list.at(l.list.len()-1).hole {
		l.list.popBack()
		l.holes--
	}
	if l.index != nil && l.len() <= l.most/4 {
		l.index = nil
	}
	if l.holes > glance && l.holes > l.len() {
		l.closeUp()
	}
}

func (l *ledger[K]) closeUp() {
	n := 0
	l.steps += l.list.len()
	for i := range l.list.len() {
		if e := *l.list.at(i); !e.hole {
			*l.list.at(n) = e
			n++
		}
	}
	for l.list.len() > n {
		l.list.popBack()
	}
	l.holes = 0
	if l.index != nil {
		l.makeIndex()
	}
}

// clear drops everything.
func (l *ledger[K]) clear() { *l = ledger[K]{list: deque[line[K]]{pool: l.list.pool}} }
