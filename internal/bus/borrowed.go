package bus

import "bytes"

// A bus that was made from a State leaves the data of its messages where the State has it: so it is made as fast with much data as
// with little, and clients wait for nothing of that. Afterwards the owner has what is still queued copied, in pieces, and then the
// memory of the State is nobody's any more.

// leastBorrowed is from how many bytes on it is worth it; less is copied at once, with the name.
const leastBorrowed = 128

// borrow is keep, of data that stays where it is.
func (s *store) borrow(m *MessageState) *stored {
	if len(m.Data) < leastBorrowed {
		return s.keepTraced(&m.Header, m.Name, m.Data, m.Trace)
	}
	made := s.keepTraced(&m.Header, m.Name, nil, m.Trace)
	made.body, made.borrowed = m.Data, true
	s.borrowed = append(s.borrowed, made)
	return made
}

// Borrows reports whether data of messages still lies in the State that the bus was made from.
func Borrows(b *Bus) bool { return len(b.store.borrowed) > 0 }

// MoveIn copies some of it, about as many bytes as that. No Delivery may be out.
func MoveIn(b *Bus, most int) {
	s := &b.store
	for moved := 0; moved < most && len(s.borrowed) > 0; moved += leastBorrowed {
		last := len(s.borrowed) - 1
		m := s.borrowed[last]
		s.borrowed[last], s.borrowed = nil, s.borrowed[:last]
		if m.borrowed { // or it has been released since
			m.body, m.borrowed = bytes.Clone(m.body), false
			moved += len(m.body)
		}
	}
	if len(s.borrowed) == 0 {
		s.borrowed = nil
	}
}
