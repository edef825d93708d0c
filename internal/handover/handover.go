// Package handover is what two daemons say to each other when one takes over from the other: forms of the state, its bytes, and
// descriptors. It knows nothing of what is in the state.
//
// The two are joined by a socket that keeps messages apart (SOCK_SEQPACKET). One after the other they say:
//
//	new  hello   which forms of the state it reads
//	old  state   its form and length, with a file in memory that has it, and then its descriptors, some with each message
//	new  ready   it could go on now, and has touched nothing
//	old  go      from now on it is the daemon
//
// Either may say no, and why, in place of its next word, or hang up; then the old one goes on as if nothing had been. The one
// moment after which it cannot is the go: whoever has said it ends, and whoever has not heard it never begins.
//
// docs/handover.md has all of that for people.
package handover

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/form"
	"kbus.example/kbus/internal/sock"
)

// Patience is how long one side waits for a word of the other.
const Patience = 5 * time.Second

// The form of the state that this daemon writes, and the oldest that it reads. They are set with -ldflags -X by tests that
// want another daemon; else they change when a state is not understood any more by who has not heard of the change.
var (
	writes = "3"
	reads  = "2"
)

// Forms gives what form of the state this daemon writes, and which is the oldest that it reads.
func Forms() (newest, oldest int) {
	newest, _ = strconv.Atoi(writes)
	oldest, _ = strconv.Atoi(reads)
	return newest, oldest
}

// Conn is one end. It is used by one goroutine.
type Conn struct{ fd int }

// word is a message.
type word struct {
	Kind        string
	Why         string // with no
	Oldest      int    // with hello: forms that are read
	Newest      int
	Version     string
	Form        int // with state
	Bytes       int64
	Descriptors int // in all
}

// code writes a word, or reads one. Daemons of all versions must understand each other's words, if only to say no: this form stays
// for ever, and what comes behind it is passed over.
func (w *word) code(c *form.Coder) {
	c.Mark("kbusd")
	form.String(c, &w.Kind)
	form.String(c, &w.Why)
	form.Int(c, &w.Oldest)
	form.Int(c, &w.Newest)
	form.String(c, &w.Version)
	form.Int(c, &w.Form)
	form.Int(c, &w.Bytes)
	form.Int(c, &w.Descriptors)
}

// wordForm is the form of words.
const wordForm = 1

// mostWord is longer than any word, and mostRights how many descriptors come with one at most: the kernel sends 253.
const (
	mostWord   = 16 << 10
	mostRights = 250
)

// Refusal is a no of the other side.
type Refusal struct{ Why string }

// Error is why.
func (r *Refusal) Error() string { return r.Why }

// ErrGone is for another side that has hung up, or died.
var ErrGone = errors.New("it has ended, or hung up")

// ErrSilent is for one that has done so without a word. It may have handed over to another meanwhile, which can be asked.
var ErrSilent = fmt.Errorf("%w, without a word", ErrGone)

// NewConn is for a connected socket of that kind, which it owns.
func NewConn(fd int) (*Conn, error) {
	limit := unix.NsecToTimeval(int64(Patience))
	for _, option := range [...]int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &limit); err != nil {
			unix.Close(fd)
			return nil, fmt.Errorf("hand-over: %w", err)
		}
	}
	return &Conn{fd}, nil
}

// Pair makes both ends. The second is for a child.
func Pair() (ours *Conn, theirs int, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, -1, fmt.Errorf("hand-over: %w", err)
	}
	if ours, err = NewConn(fds[0]); err != nil {
		unix.Close(fds[1])
		return nil, -1, err
	}
	return ours, fds[1], nil
}

// Close hangs up.
func (c *Conn) Close() { unix.Close(c.fd) }

// Interrupt has whatever waits for the other side, in another goroutine, fail. It must not be called any more once ready has been said:
// what has been said after that must be heard.
func (c *Conn) Interrupt() { _ = unix.Shutdown(c.fd, unix.SHUT_RDWR) }

// Refuse says no, and why.
func (c *Conn) Refuse(why error) { _ = c.send(word{Kind: "no", Why: why.Error()}) }

// AwaitEnd waits a second until the other side has hung up, and reports false if it does not.
func (c *Conn) AwaitEnd() bool {
	if err := unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1}); err != nil {
		return false
	}
	for {
		_, fds, err := c.receive("")
		closeAll(fds)
		if err == ErrGone {
			return true
		}
		var no *Refusal
		if err != nil && !errors.As(err, &no) && !errors.Is(err, errSays) {
			return false
		}
	}
}

// errSays is for words that make no sense.
var errSays = errors.New("it says what is not understood")

func (c *Conn) send(w word, fds ...int) (err error) {
	text := form.Append(nil, wordForm, w.code)
	for {
		err = unix.Sendmsg(c.fd, text, unix.UnixRights(fds...), nil, unix.MSG_NOSIGNAL)
		if err != unix.EINTR {
			break
		}
	}
	switch err {
	case nil:
		return nil
	case unix.EPIPE, unix.ECONNRESET:
		return c.lastWord()
	case unix.EAGAIN:
		return fmt.Errorf("it takes nothing for %v", Patience)
	}
	return fmt.Errorf("hand-over: %w", err)
}

// lastWord is what the other side has said before it hung up: why it says no, or nothing.
func (c *Conn) lastWord() error {
	_, _, err := c.receive("")
	var no *Refusal
	if errors.As(err, &no) {
		return err
	}
	return ErrGone
}

// receive gives the next word, which must be that one.
func (c *Conn) receive(want string) (w word, fds []int, err error) {
	text, oob := make([]byte, mostWord), make([]byte, unix.CmsgSpace(4*mostRights))
	var n, more int
	for reset := false; ; {
		n, more, err = sock.Receive(c.fd, text, oob, unix.MSG_CMSG_CLOEXEC)
		if err == unix.ECONNRESET && !reset { // it has hung up without reading all; what it has said comes behind that
			reset = true
		} else if err != unix.EINTR {
			break
		}
	}
	switch {
	case err == unix.EAGAIN:
		return w, nil, fmt.Errorf("it has said nothing for %v", Patience)
	case err == unix.ECONNRESET, err == nil && n == 0:
		return w, nil, ErrGone
	case err != nil:
		return w, nil, fmt.Errorf("hand-over: %w", err)
	}
	messages, _ := unix.ParseSocketControlMessage(oob[:more])
	for i := range messages {
		if got, err := unix.ParseUnixRights(&messages[i]); err == nil {
			fds = append(fds, got...)
		}
	}
	coder := form.Reader(wordForm, text[:n])
	w.code(coder)
	switch err = coder.Err(); {
	case err != nil:
		err = fmt.Errorf("%w: %w", errSays, err)
	case w.Kind == "no":
		err = &Refusal{w.Why}
	case w.Kind != want:
		err = fmt.Errorf("%w: %q and not %q", errSays, w.Kind, want)
	}
	if err != nil {
		closeAll(fds)
		return w, nil, err
	}
	return w, fds, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}
