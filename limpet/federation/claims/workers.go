package claims

import (
	"hash/maphash"
	"sync"
)

// Several workers make claims, so that one slow claim does not hold up all. A name always has the same worker, so what
// happens to a name happens in one order.

// Workers is how many there are.
const Workers = 8

type workers [Workers]worker

// worker has the jobs of some names. Its queue has no limit of its own: it holds one job for each bind that waits, of
// which the bus lets 4096 wait, and one for each bind event, of which the queue of our Ksock limits the number.
type worker struct {
	mu   sync.Mutex
	jobs []job
	bell chan struct{}
}

func (w *workers) init() {
	for i := range w {
		w[i].bell = make(chan struct{}, 1)
	}
}

var seed = maphash.MakeSeed()

func (w *workers) put(j job) { w[maphash.String(seed, j.name)%Workers].put(j) }

func (w *worker) put(j job) {
	w.mu.Lock()
	w.jobs = append(w.jobs, j)
	w.mu.Unlock()
	select {
	case w.bell <- struct{}{}:
	default:
	}
}

// all returns the jobs that wait, and empties the queue.
func (w *worker) all() []job {
	w.mu.Lock()
	defer w.mu.Unlock()
	jobs := w.jobs
	w.jobs = nil
	return jobs
}

// Work does the jobs of one worker until the session ends.
func (c *Claims) Work(number int) error {
	w := &c.workers[number]
	for {
		select {
		case <-c.ctx.Done():
			return nil
		case <-w.bell:
		}
		jobs := w.all()
		for i := range jobs {
			if c.ctx.Err() == nil || jobs[i].isBind() {
				jobs[i].do(c, &jobs[i])
			}
		}
	}
}

// Drain decides the binds that are left when the session has ended and no worker works any more: no bind may wait for
// ever.
func (c *Claims) Drain() {
	for i := range c.workers {
		jobs := c.workers[i].all()
		for i := range jobs {
			if jobs[i].isBind() {
				jobs[i].do(c, &jobs[i])
			}
		}
	}
}

// isBind reports whether a bind waits for the job to be done.
func (j *job) isBind() bool { return j.bind.Name != "" }
