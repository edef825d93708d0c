package server

import "golang.org/x/sys/unix"

// What others want of a loop is a job: it is put on a list, and the bell, an eventfd that the loop's epoll watches, is
// rung. The list has a lock, which the loop takes only when the bell rang, so no message ever meets it.

// post has the loop do something on its own thread, and soon. It reports false when the loop has ended.
func (l *loop) post(job func()) bool {
	l.jobs.Lock()
	defer l.jobs.Unlock()
	if l.bell < 0 {
		return false
	}
	l.jobs.list = append(l.jobs.list, job)
	l.ring()
	return true
}

func (l *loop) ring() {
	one := [8]byte{1} // any number but 0 will do, in either byte order
	unix.Write(l.bell, one[:])
}

// work does what was posted.
func (l *loop) work() {
	var count [8]byte
	unix.Read(l.bell, count[:])
	l.turned.Store(l.pinged.Load())
	l.jobs.Lock()
	list := l.jobs.list
	l.jobs.list = nil
	l.jobs.Unlock()
	for _, job := range list {
		job()
	}
}

// closeDescriptors also takes the device away, and ends the taking of jobs.
func (l *loop) closeDescriptors() {
	if l.device != nil {
		l.device.End()
		l.device = nil
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
