package handover

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/form"
)

// The side of the daemon that takes over.

// SendHello says which forms of the state this daemon reads.
func (c *Conn) SendHello(version string) error {
	newest, oldest := Forms()
	err := c.send(word{Kind: "hello", Oldest: oldest, Newest: newest, Version: version})
	if err == ErrGone {
		err = ErrSilent
	}
	return err
}

// Received is what the old daemon has sent beside the state.
type Received struct {
	Descriptors []int // the caller's
	state       []byte
}

// Free gives back the memory that the state lies in, and all that was Borrowed of it. On nil it does nothing.
func (r *Received) Free() {
	if r != nil && r.state != nil {
		_ = unix.Munmap(r.state)
		r.state = nil
	}
}

// ReceiveState waits for the state, which read reads. What that borrows is valid until Free.
func (c *Conn) ReceiveState(read func(*form.Coder)) (r *Received, err error) {
	w, file, err := c.receive("state")
	if err == ErrGone {
		err = ErrSilent
	}
	if err != nil {
		return nil, err
	}
	defer closeAll(file)
	newest, oldest := Forms()
	switch {
	case w.Form < oldest || w.Form > newest:
		return nil, fmt.Errorf("the state is of form %d, and forms %d to %d are read here", w.Form, oldest, newest)
	case len(file) != 1:
		return nil, errors.New("the state has come without its bytes")
	}
	r = &Received{}
	defer func() {
		if err != nil {
			closeAll(r.Descriptors)
			r.Free()
			r = nil
		}
	}()
	for len(r.Descriptors) < w.Descriptors {
		_, some, err := c.receive("descriptors")
		if err == nil && len(some) == 0 {
			err = errors.New("descriptors are missing: there may be no more for this process")
		}
		if err != nil {
			return r, err
		}
		r.Descriptors = append(r.Descriptors, some...)
	}
	if err = r.look(file[0], w.Bytes); err != nil {
		return r, fmt.Errorf("state: %w", err)
	}
	coder := form.Reader(w.Form, r.state)
	read(coder)
	if err = coder.End(); err != nil {
		return r, fmt.Errorf("state: %w", err)
	}
	return r, nil
}

// look makes the state visible. Nobody can change it any more, or take it away: to look at what is not there would be the end of
// this process.
func (r *Received) look(fd int, bytes int64) error {
	var st unix.Stat_t
	has, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	switch {
	case err == nil && has&seals != seals:
		err = errors.New("it is not sealed")
	case err == nil:
		err = unix.Fstat(fd, &st)
	}
	if err != nil {
		return err
	}
	if bytes <= 0 || st.Size != bytes || int64(int(bytes)) != bytes {
		return fmt.Errorf("it has %d bytes and should have %d", st.Size, bytes)
	}
	r.state, err = unix.Mmap(fd, 0, int(bytes), unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_POPULATE)
	return err
}

// AwaitGo says that all is ready, and returns nil when this daemon is the daemon. With an error it never will be.
func (c *Conn) AwaitGo() error {
	// Without a time limit: if this side gave up just when the other says go, there would be no daemon.
	if err := unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{}); err != nil {
		return err
	}
	if err := c.send(word{Kind: "ready"}); err != nil {
		return err
	}
	_, more, err := c.receive("go")
	closeAll(more)
	return err
}
