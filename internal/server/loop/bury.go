package loop

import "golang.org/x/sys/unix"

// Closing what a client could reach is not for the loop. The kernel lets go of a file with its last descriptor, in
// whichever process that is closed, and then waits for processes that are at work on the file: for a client that looks
// into an epoll with the daemon's bell in it, for as long as it likes, or with any file that it has passed to us
// through its socket. So a goroutine closes, which may take its time. Until it is done the connection counts as there,
// so a client that keeps descriptors in this way has only as many as it may have connections.
//
// Descriptors that clients send through their sockets are another matter: rights.go.

// bury closes the descriptors of a connection that has ended. Its charge goes back when that is done.
func (l *Loop) bury(c *conn) {
	u, r, fds := c.user, c.rings, []int{c.fd}
	if r != nil {
		fds = append(fds, r.bell, r.theirs, r.hearing, r.share)
	}
	l.burying++
	go func() {
		closeAll(fds)
		c.handing.Wait()
		l.Post(func() {
			l.burying--
			l.accounts.disconnect(u)
		})
	}()
}

func closeAll(fds []int) { // those below 0 are none
	for _, fd := range fds {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}
