package loop

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// What others want of a loop is a job: it is put on a list, and the bell, an eventfd that the loop's epoll watches, is
// rung. The list has a lock, which the loop takes only when the bell rang, so no message ever meets it.

// jobs is what has been posted.
type jobs struct {
	sync.Mutex
	list           []func()
	pinged, turned atomic.Uint64 // see Turned
	hold           *Hold         // asked for, see hold.go
}

// Post has the loop do something on its own thread, and soon. It reports false when the loop has ended.
func (l *Loop) Post(job func()) bool {
	l.jobs.Lock()
	defer l.jobs.Unlock()
	if l.bell < 0 {
		return false
	}
	l.jobs.list = append(l.jobs.list, job)
	l.ring()
	return true
}

// work does what was posted.
func (l *Loop) work() {
	var count [8]byte
	unix.Read(l.bell, count[:])
	l.jobs.turned.Store(l.jobs.pinged.Load())
	l.jobs.Lock()
	list := l.jobs.list
	l.jobs.list = nil
	l.jobs.Unlock()
	for _, job := range list {
		job()
	}
}

// Close is for a loop that has never run, or has ended. It also takes the device away, and ends the taking of jobs.
func (l *Loop) Close() {
	if l.device != nil {
		l.device.End()
		l.device = nil
	}
	if l.movedIn != nil {
		l.movedIn()
		l.movedIn = nil
	}
	l.jobs.Lock()
	defer l.jobs.Unlock()
	l.listener.close()
	l.bodies.close()
	l.bodies = nil
	for _, fd := range [...]*int{&l.bell, &l.alarm, &l.epoll} {
		if *fd >= 0 {
			unix.Close(*fd)
			*fd = -1
		}
	}
}

// Turned reports whether the loop has turned since the last Turned, and rings it so that it will again if it can.
func (l *Loop) Turned() bool {
	l.jobs.Lock()
	defer l.jobs.Unlock()
	if l.bell < 0 {
		return true // it has ended, as it should
	}
	turned := l.jobs.turned.Load() == l.jobs.pinged.Load()
	if turned {
		l.jobs.pinged.Add(1)
	}
	l.ring()
	return turned
}
