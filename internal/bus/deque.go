package bus

// deque is a double-ended queue in blocks of a few entries. Taking from either end and putting at either end cost
// nothing but the step itself, however long it is: nothing is ever copied to make it longer, and what a burst needed
// goes block by block as it gets shorter. So its memory is in proportion to what is in it, which is what makes the
// charge for an entry true (see limits.go). Blocks given back are kept for all queues of a bus in a pool.
type deque[T any] struct {
	pool   *pool[T]    // nil: none
	blocks []*block[T] // a ring; its length is a power of two, or 0
	first  int         // place of the front entry, counted from the beginning of blocks
	n      int
}

const (
	blockBits    = 5
	blockEntries = 1 << blockBits
	firstBlocks  = 2
)

type block[T any] [blockEntries]T

// pool keeps a few blocks for reuse, so that a queue that goes up and down allocates nothing.
type pool[T any] struct{ free []*block[T] }

const pooledBlocks = 256

func (p *pool[T]) take() *block[T] {
	if p == nil || len(p.free) == 0 {
		return new(block[T])
	}
	last := len(p.free) - 1
	b := p.free[last]
	p.free[last] = nil
	p.free = p.free[:last]
	return b
}

func (p *pool[T]) give(b *block[T]) {
	if p != nil && len(p.free) < pooledBlocks {
		p.free = append(p.free, b)
	}
}

func (d *deque[T]) len() int { return d.n }

// block is the block of an entry, by its number in the ring.
func (d *deque[T]) block(i int) int { return (d.first + i) >> blockBits & (len(d.blocks) - 1) }

// at gives entry i, 0 being the front.
func (d *deque[T]) at(i int) *T { return &d.blocks[d.block(i)][(d.first+i)&(blockEntries-1)] }

// run gives entry i and those behind it that lie in one piece.
func (d *deque[T]) run(i int) []T {
	at := (d.first + i) & (blockEntries - 1)
	return d.blocks[d.block(i)][at:min(blockEntries, at+d.n-i)]
}

// used counts the blocks that entries are in.
func (d *deque[T]) used() int {
	return (d.first&(blockEntries-1) + d.n + blockEntries - 1) >> blockBits
}

func (d *deque[T]) pushBack(v T) {
	if (d.first+d.n)&(blockEntries-1) == 0 {
		d.addBlock()
	}
	*d.at(d.n) = v
	d.n++
}

// addBlock makes sure that there is a block after the last one.
func (d *deque[T]) addBlock() {
	d.room()
	if at := &d.blocks[d.block(d.n)]; *at == nil {
		*at = d.pool.take()
	}
}

func (d *deque[T]) pushFront(v T) {
	if d.n == 0 && d.blocks != nil {
		d.first += blockEntries // the block that an empty one keeps, from its end
	}
	if d.first&(blockEntries-1) == 0 {
		d.room()
		d.first += len(d.blocks) << blockBits
		if at := &d.blocks[d.block(-1)]; *at == nil {
			*at = d.pool.take()
		}
	}
	d.first = (d.first - 1) & (len(d.blocks)<<blockBits - 1)
	d.n++
	*d.at(0) = v
}

// popFront takes the front entry; there must be one. An empty deque keeps one block.
func (d *deque[T]) popFront() T {
	at := d.at(0)
	v := *at
	var zero T
	*at = zero
	left := d.block(0)
	d.first = (d.first + 1) & (len(d.blocks)<<blockBits - 1)
	if d.n--; d.n == 0 {
		d.first = left << blockBits
	} else if d.first&(blockEntries-1) == 0 {
		d.giveBack(left)
	}
	return v
}

// popBack takes the last entry; there must be one.
func (d *deque[T]) popBack() T {
	at := d.at(d.n - 1)
	v := *at
	var zero T
	*at = zero
	d.n--
	switch {
	case d.n == 0:
		d.first = d.block(0) << blockBits
	case (d.first+d.n)&(blockEntries-1) == 0:
		d.giveBack(d.block(d.n))
	}
	return v
}

// giveBack gives an empty block back, and half of the ring when little of it is in use.
func (d *deque[T]) giveBack(n int) {
	d.pool.give(d.blocks[n])
	d.blocks[n] = nil
	if used := d.used(); len(d.blocks) > 4*firstBlocks && used < len(d.blocks)/4 {
		d.resize(len(d.blocks) / 2)
	}
}

// room makes room in the ring for one more block.
func (d *deque[T]) room() {
	if d.used() == len(d.blocks) {
		d.resize(max(firstBlocks, 2*len(d.blocks)))
	}
}

func (d *deque[T]) resize(n int) {
	ring := make([]*block[T], n)
	for i := range d.used() {
		ring[i] = d.blocks[(d.first>>blockBits+i)&(len(d.blocks)-1)]
	}
	d.blocks, d.first = ring, d.first&(blockEntries-1)
}

// truncate leaves the first n entries, and of the others nothing.
func (d *deque[T]) truncate(n int) {
	for d.n > n && (d.first+d.n)&(blockEntries-1) != 0 {
		d.popBack()
	}
	for d.n-blockEntries >= n && d.n > blockEntries { // whole blocks
		d.n -= blockEntries
		last := d.block(d.n)
		*d.blocks[last] = block[T]{}
		d.giveBack(last)
	}
	for d.n > n {
		d.popBack()
	}
}

// split leaves the first n entries and gives the others, which are not copied but for those in the block of both.
func (d *deque[T]) split(n int) deque[T] {
	offset := d.first & (blockEntries - 1)
	whole := (offset + n + blockEntries - 1) >> blockBits // blocks that stay
	rest := deque[T]{pool: d.pool}
	if moved := d.used() - whole; moved > 0 {
		size := firstBlocks
		for size < moved {
			size *= 2
		}
		rest.blocks = make([]*block[T], size)
		for i := range moved {
			from := (d.first>>blockBits + whole + i) & (len(d.blocks) - 1)
			rest.blocks[i], d.blocks[from] = d.blocks[from], nil
		}
		stay := whole<<blockBits - offset
		rest.n, d.n = d.n-stay, stay
	}
	for d.n > n {
		rest.pushBack(d.popBack())
	}
	for used := d.used(); len(d.blocks) > 4*firstBlocks && used < len(d.blocks)/4; {
		d.resize(len(d.blocks) / 2)
	}
	return rest
}
