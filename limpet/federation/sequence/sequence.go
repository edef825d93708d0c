// Package sequence puts what a stream has stored into the order of the stream. What the stream publishes again may be
// missed: a server dies, a buffer is full. So each arrival is compared with the number that is due, what comes early is
// held, and what is missing is to be fetched. A consumer of the stream would do the same for us, but stands still for
// 17 s when its server dies (package store); this goes on as soon as any server answers.
package sequence

// MaxHeld limits what is held while something before it is missing. What comes after that is not kept: it will be
// fetched too.
const MaxHeld = 4096

// Sequence delivers items by their number. It is not safe for concurrent use.
type Sequence[T any] struct {
	next uint64 // that is due
	last uint64 // the highest that is known to exist
	held map[uint64]T
}

// New makes a Sequence whose first item has that number, or the lowest above it that exists.
func New[T any](first uint64) *Sequence[T] { return &Sequence[T]{next: first, held: map[uint64]T{}} }

// Next is the number that is due.
func (s *Sequence[T]) Next() uint64 { return s.next }

// Arrived takes an item that was published again, and delivers what is due now.
func (s *Sequence[T]) Arrived(n uint64, item T, deliver func(uint64, T)) {
	s.last = max(s.last, n)
	switch {
	case n == s.next:
		deliver(n, item)
		s.next++
		s.release(deliver)
	case n > s.next && len(s.held) < MaxHeld:
		s.held[n] = item
	}
}

// Fetched takes the first item at or above Next that the stream still has. What is missing before it is gone for ever,
// replaced by something later; what is held is delivered.
func (s *Sequence[T]) Fetched(n uint64, item T, deliver func(uint64, T)) {
	if n < s.next {
		return
	}
	s.last = max(s.last, n)
	s.pass(n, deliver)
	delete(s.held, n)
	s.Arrived(n, item, deliver)
}

// Exists notes that the stream has got this far.
func (s *Sequence[T]) Exists(last uint64) { s.last = max(s.last, last) }

// Nothing notes that the stream has nothing at or above Next, though it once got as far as that number.
func (s *Sequence[T]) Nothing(last uint64) {
	if last >= s.next && len(s.held) == 0 {
		s.next = last + 1
	}
}

// pass makes Next that number: what is held below it is delivered, and the rest is gone.
func (s *Sequence[T]) pass(to uint64, deliver func(uint64, T)) {
	for ; s.next < to && len(s.held) > 0; s.next++ {
		if item, ok := s.held[s.next]; ok {
			delete(s.held, s.next)
			deliver(s.next, item)
		}
	}
	s.next = max(s.next, to)
}

// Missing reports whether something is to be fetched: the first item at or above Next.
func (s *Sequence[T]) Missing() bool { return s.next <= s.last }

// Early reports whether something has come before what is due, which is then missed.
func (s *Sequence[T]) Early() bool { return len(s.held) > 0 }

// Lag is how many numbers are known and not delivered.
func (s *Sequence[T]) Lag() uint64 {
	if !s.Missing() {
		return 0
	}
	return s.last - s.next + 1
}

func (s *Sequence[T]) release(deliver func(uint64, T)) {
	for item, ok := s.held[s.next]; ok; item, ok = s.held[s.next] {
		delete(s.held, s.next)
		deliver(s.next, item)
		s.next++
	}
}
