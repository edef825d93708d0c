package bus

// deque is a double-ended queue in a ring that grows by doubling. Taking from the front and putting at either end cost
// nothing but the step itself; removing from the middle moves the shorter side. A large ring is given back once empty,
// so that a burst does not stay resident.
type deque[T any] struct {
	ring []T // length is a power of two, or 0
	head int
	n    int
}

const (
	firstRing = 8
	keptRing  = 1024 // entries; a larger ring goes when it is empty
)

func (d *deque[T]) len() int { return d.n }

// at gives entry i, 0 being the front.
func (d *deque[T]) at(i int) *T { return &d.ring[(d.head+i)&(len(d.ring)-1)] }

func (d *deque[T]) pushBack(v T) {
	d.grow()
	d.n++
	*d.at(d.n - 1) = v
}

func (d *deque[T]) pushFront(v T) {
	d.grow()
	d.head = (d.head - 1) & (len(d.ring) - 1)
	d.n++
	*d.at(0) = v
}

// remove takes out entry i and closes the gap.
func (d *deque[T]) remove(i int) T {
	v := *d.at(i)
	var zero T
	if i < d.n/2 {
		for ; i > 0; i-- {
			*d.at(i) = *d.at(i - 1)
		}
		*d.at(0) = zero
		d.head = (d.head + 1) & (len(d.ring) - 1)
	} else {
		for ; i < d.n-1; i++ {
			*d.at(i) = *d.at(i + 1)
		}
		*d.at(d.n - 1) = zero
	}
	d.n--
	if d.n == 0 && len(d.ring) > keptRing {
		*d = deque[T]{}
	}
	return v
}

func (d *deque[T]) grow() {
	if d.n < len(d.ring) {
		return
	}
	ring := make([]T, max(firstRing, 2*len(d.ring)))
	for i := range d.n {
		ring[i] = *d.at(i)
	}
	d.ring, d.head = ring, 0
}
