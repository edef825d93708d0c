package loop

import (
	"sync"
)

// Descriptors that may take long to close (rights.go) are closed by goroutines of their own: a few at once, so that no
// client can give the process threads without end. What came together is closed one after the other, and waits until one
// of them is free; that costs its sender's share of the open files and no other client's time.

const mostClosers = 16

type closing struct {
	mu      sync.Mutex
	waiting []toClose
	running int
}

type toClose struct {
	fds  []int
	done func() // is called afterwards
}

var closers closing // descriptors are the process's, and so is this

func (c *closing) close(fds []int, done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, toClose{fds, done})
	c.start()
}

// start has another one begin, if there may be one.
func (c *closing) start() {
	if c.running < mostClosers {
		c.running++
		go c.run()
	}
}

// run closes until nothing waits.
func (c *closing) run() {
	for {
		c.mu.Lock()
		n := len(c.waiting)
		if n == 0 {
			c.running--
			c.mu.Unlock()
			return
		}
		next := c.waiting[n-1]
		c.waiting[n-1] = toClose{}
		c.waiting = c.waiting[:n-1]
		c.mu.Unlock()
		closeAll(next.fds)
		next.done()
	}
}
