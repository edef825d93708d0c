package kbus

import (
	"context"
	"fmt"
	"syscall"

	"kbus/message"
)

// Two kinds of error come out of this package. What an operation ended in is an *Error around a Condition (or, when
// the operating system refused, around its errno). A Request that was answered by a Status instead of a Reply is a
// *StatusError. Both are made for errors.Is and errors.As; their text is for people.

// Error says which operation failed, on what, and why.
type Error struct {
	Op   string // "send", "bind", "open", ...
	Name string // of the message or binding, or the path of the socket; may be empty
	ID   ID     // of the message, if it has got one
	Err  error  // a Condition, an errno, or the error of a context joined with ErrCanceled
	Text string // what the bus said more; may be empty
}

// Error is one line.
func (e *Error) Error() string {
	s := "kbus: " + e.Op
	if e.Name != "" {
		s += " " + e.Name
	}
	if !e.ID.IsZero() {
		s += " " + e.ID.String()
	}
	s += ": " + e.Err.Error()
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Unwrap gives the Condition or other cause.
func (e *Error) Unwrap() error { return e.Err }

// canceled is what an operation ends in when its context ends first. It is ErrCanceled, and also what the context says:
// context.Canceled or context.DeadlineExceeded.
type canceled struct{ cause error }

func canceledBy(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return &canceled{err}
	}
	return &canceled{context.Canceled} // not by ctx, but by something else that happened
}

func (c *canceled) Error() string   { return c.cause.Error() }
func (c *canceled) Unwrap() []error { return []error{c.cause, message.ErrCanceled} }

// misuse is an error of the caller that never reaches the bus. Its errno is what the original's C library gave.
type misuse struct {
	text  string
	errno syscall.Errno
}

func (m *misuse) Error() string        { return m.text }
func (m *misuse) Is(target error) bool { return target == m.errno }

var (
	// ErrNoReplyWanted is ReplyTo on a message that its reader need not, or must not, reply to (R10.36).
	ErrNoReplyWanted error = &misuse{"not a Request that is ours to reply to", syscall.EBADMSG}
	// ErrNotStateful is StatefulRequest after a message that names no Replier (R10.37).
	ErrNotStateful error = &misuse{"not an answer or a stateful Request: no Replier to hold to", syscall.EBADMSG}
	// ErrNotARequest is Call with a message that is not a Request.
	ErrNotARequest error = &misuse{"only a Request can be called", syscall.EINVAL}
)

// unexpected is what the other end may not say: it speaks another protocol, or is broken. It ends the connection.
func unexpected(format string, args ...any) error {
	return fmt.Errorf("unexpected answer: "+format, args...)
}
