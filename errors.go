package kbus

import (
	"strconv"
	"strings"
	"syscall"

	"kbus.example/kbus/internal/plain"
	"kbus.example/kbus/message"
)

// Two kinds of error come out of this package. What an operation ended in is an *Error around a Condition (or, when
// the operating system refused, around its errno). A Request that was answered by a Status instead of a Reply is a
// *StatusError. Both are made for errors.Is and errors.As; their text is for people.

// Error says which operation failed, on what, and why.
type Error struct {
	Op   string // "send", "bind", "open", ...
	Name string // of the message or binding, or the path of the socket; may be empty
	ID   ID     // of the message, if it has got one
	Err  error  // a Condition, an errno, or the error of a context and its cause with ErrCanceled
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

// misuse is an error of the caller that never reaches the bus. Its errno is what the original's C library gave.
type misuse struct {
	text  string
	errno syscall.Errno
}

func (m *misuse) Error() string { return m.text }
func (m *misuse) Unwrap() error { return m.errno }

// Errors of a program that never reach the bus.
var (
	// ErrNoReplyWanted is Message.Reply to a message that its reader need not, or must not, reply to. It is EBADMSG.
	ErrNoReplyWanted = message.ErrNoReplyWanted
	// ErrNotStateful is Message.StatefulRequest after a message that names no Replier. It is EBADMSG.
	ErrNotStateful = message.ErrNotStateful
	// ErrNotARequest is Call with a message that is not a Request. It is EINVAL.
	ErrNotARequest error = &misuse{"only a Request can be called", syscall.EINVAL}
)

// Condition is a named outcome of an operation, from one documented list. Every error of the bus unwraps to one, so
// both errors.Is(err, kbus.ErrNoReplier) and errors.Is(err, syscall.EADDRNOTAVAIL) tell it, and errors.As gives the
// Condition itself, with its Errno.
type Condition = message.Condition

// Conditions lists all of them, in order.
func Conditions() []Condition { return message.Conditions() }

// What an operation may end in. Programs in C and Python, and the socket protocol, have the same list.
const (
	// Sending.
	ErrPending         = message.ErrPending         // nothing here ends in it: Sent.Pending says what C and Python programs get it for
	ErrReplierFull     = message.ErrReplierFull     // the Replier's queue is full
	ErrListenerFull    = message.ErrListenerFull    // ALL_OR_FAIL, and a Listener's queue is full
	ErrNoReplier       = message.ErrNoReplier       // a Request, and nobody is bound as its Replier
	ErrAddresseeGone   = message.ErrAddresseeGone   // a Reply, and the Ksock it is for is not open
	ErrNotExpected     = message.ErrNotExpected     // a Reply that its addressee does not wait for
	ErrNotYoursToReply = message.ErrNotYoursToReply // a Reply by one not asked, or that has not read the Request
	ErrOtherReplier    = message.ErrOtherReplier    // a stateful Request, and another Ksock is the Replier now
	ErrNoRoomForReply  = message.ErrNoRoomForReply  // a Request, and the sender's own queue has no room for the Reply
	ErrNothingToSend   = message.ErrNothingToSend   // SEND, and no message is written or waiting
	ErrIncomplete      = message.ErrIncomplete      // SEND, and the message is only partly written
	ErrStillSending    = message.ErrStillSending    // a message of this Ksock still waits for room

	// The form of a message.
	ErrMalformed      = message.ErrMalformed      // a guard is wrong, or name, data and their lengths contradict
	ErrWaitAndFail    = message.ErrWaitAndFail    // both ALL_OR_WAIT and ALL_OR_FAIL
	ErrBadName        = message.ErrBadName        // not a name, or a wildcard where none may be
	ErrNameTooLong    = message.ErrNameTooLong    // more than MaxNameBytes
	ErrMessageTooLong = message.ErrMessageTooLong // the entire form is over the bus's maximum
	ErrAfterEnd       = message.ErrAfterEnd       // bytes after the end of a message

	// Binding and settings.
	ErrReplierBound     = message.ErrReplierBound     // the name has a Replier already
	ErrNotBound         = message.ErrNotBound         // UNBIND without such a binding
	ErrEventUndelivered = message.ErrEventUndelivered // a replier bind event does not fit everywhere: try again
	ErrReportFull       = message.ErrReportFull       // no room for the initial report of replier bindings
	ErrBadSwitch        = message.ErrBadSwitch        // a switch takes 0, 1 or 0xFFFFFFFF
	ErrBadSize          = message.ErrBadSize          // a maximum message size out of range
	ErrTooManyBuses     = message.ErrTooManyBuses     // 256 exist
	ErrNoSuchBus        = message.ErrNoSuchBus        // no bus of that number
	ErrWrongMode        = message.ErrWrongMode        // the Ksock was not opened for that direction
	ErrUnknownOperation = message.ErrUnknownOperation // no such ioctl or request
	ErrBadAddress       = message.ErrBadAddress       // memory of the caller that cannot be read or written
	ErrNoMemory         = message.ErrNoMemory         // out of memory
	ErrInterrupted      = message.ErrInterrupted      // interrupted; try again

	// Ours: the daemon and its limits.
	ErrUserConnections  = message.ErrUserConnections  // limit on connections per user
	ErrBusConnections   = message.ErrBusConnections   // limit on connections in all
	ErrUserBindings     = message.ErrUserBindings     // limit on bindings per user
	ErrBusBindings      = message.ErrBusBindings      // limit on bindings in all
	ErrUserQueueBytes   = message.ErrUserQueueBytes   // limit on queued bytes per user
	ErrBusQueueBytes    = message.ErrBusQueueBytes    // limit on queued bytes in all
	ErrStopping         = message.ErrStopping         // the bus is about to stop and takes no new Requests
	ErrBusGone          = message.ErrBusGone          // the connection to the bus is lost
	ErrClosed           = message.ErrClosed           // the Ksock is closed
	ErrCanceled         = message.ErrCanceled         // the caller gave up waiting
	ErrNotPermitted     = message.ErrNotPermitted     // not for this user
	ErrUndecided        = message.ErrUndecided        // BIND, and the federation has not yet said whether the name is free: try again
	ErrNoFederation     = message.ErrNoFederation     // BIND, and the federation cannot be asked
	ErrHeard            = message.ErrHeard            // a message from another bus that has come another way before
	ErrStale            = message.ErrStale            // one so old that it is not known whether it has
	ErrOtherNetwork     = message.ErrOtherNetwork     // the bus has another network id for its Limpets
	ErrNotAdministrator = message.ErrNotAdministrator // a switch of the whole bus, which is for its administrators
	ErrUserWildcards    = message.ErrUserWildcards    // limit on wildcard bindings per user
	ErrSameBinding      = message.ErrSameBinding      // the same name bound too often by one Ksock
	ErrUserBuses        = message.ErrUserBuses        // limit on buses that one user adds
	ErrUnknownKsock     = message.ErrUnknownKsock     // no Ksock of that id, or not any more
	ErrDenied           = message.ErrDenied           // a rule of the bus denies it
)

// A Status is the word that no Reply will come to a Request, from the bus, a Limpet or the Replier itself. It arrives as a message like any other;
// where a function can return only the Reply, the Status comes as the error.

// StatusName is the name of a Status, as an error to compare with: errors.Is(err, kbus.ErrGoneAway).
type StatusName string

// The Status messages there are.
const (
	ErrGoneAway     StatusName = message.NameGoneAway     // the Replier closed with the Request unread
	ErrIgnored      StatusName = message.NameIgnored      // the Replier closed having read the Request
	ErrUnbound      StatusName = message.NameUnbound      // the Replier unbound with the Request unread
	ErrDisappeared  StatusName = message.NameDisappeared  // the Replier left while the Request waited for room
	ErrNotStarted   StatusName = message.NameNotStarted   // the service of the name could not be started: Why has the reason
	ErrErrorSending StatusName = message.NameErrorSending // the waiting Request failed for another reason
	ErrFailed       StatusName = message.NameFailed       // from the Replier: it could not do what the Request asks
	ErrNotSameKsock StatusName = message.NameNotSameKsock // from a Limpet: the stateful Request's Replier changed
	ErrBusGoneAway  StatusName = message.NameBusGoneAway  // from this package: the bus itself is gone

	// ErrRemoteError is every Status whose name begins so: a Limpet could not send the Request on. errors.Is tells the
	// errno in the rest of the name, too.
	ErrRemoteError StatusName = message.PrefixRemoteError
)

var statusText = map[StatusName]string{
	ErrGoneAway:     "the Replier closed before it read the Request",
	ErrIgnored:      "the Replier read the Request and closed without replying",
	ErrUnbound:      "the Replier unbound before it read the Request",
	ErrDisappeared:  "the Replier left while the Request waited for room",
	ErrNotStarted:   "the service that would answer it could not be started",
	ErrErrorSending: "the Request could not be delivered after it had waited for room",
	ErrFailed:       "the Replier could not do it",
	ErrNotSameKsock: "beyond a Limpet, another Ksock is the Replier now",
	ErrBusGoneAway:  "the bus is gone",
	ErrRemoteError:  "beyond a Limpet, the Request could not be sent",
}

// Error says what the Status means.
func (n StatusName) Error() string {
	if text, known := statusText[n]; known {
		return text
	}
	return "Status " + string(n)
}

// StatusError is a Request that got a Status instead of a Reply.
type StatusError struct {
	// Status is the message. A Call that runs when the bus is lost cannot know the id of its Request; InReplyTo is
	// zero then.
	Status *Message
}

// Error is one line.
func (e *StatusError) Error() string {
	s := "kbus: Request"
	if !e.Status.InReplyTo.IsZero() {
		s += " " + e.Status.InReplyTo.String()
	}
	text, known := statusText[StatusName(e.Status.Name)]
	_, isRemote := e.remoteErrno()
	if isRemote {
		text, known = statusText[ErrRemoteError], true
	}
	if !known {
		return s + ": " + e.Status.Name
	}
	s += ": " + text + " (" + e.Status.Name + ")"
	if why := e.Why(); why != "" {
		s += ": " + why
	}
	return s
}

// Why is what a Replier that failed, a Limpet, or the daemon that could not start a service, says more, made fit for a terminal; mostly it is empty.
func (e *StatusError) Why() string {
	if _, isRemote := e.remoteErrno(); isRemote || e.Status.Name == message.NameFailed || e.Status.Name == message.NameNotStarted {
		return plain.Text(string(e.Status.Data))
	}
	return ""
}

// Is compares with a StatusName. A Status for a lost bus is ErrBusGone too, and that of a Limpet is its errno.
func (e *StatusError) Is(target error) bool {
	errno, isRemote := e.remoteErrno()
	switch t := target.(type) {
	case StatusName:
		return string(t) == e.Status.Name || t == ErrRemoteError && isRemote
	case Condition:
		return t == ErrBusGone && e.Status.Name == message.NameBusGoneAway
	case syscall.Errno:
		return isRemote && t == errno || e.Status.Name == message.NameBusGoneAway && t == ErrBusGone.Errno()
	}
	return false
}

func (e *StatusError) remoteErrno() (syscall.Errno, bool) {
	number, isRemote := strings.CutPrefix(e.Status.Name, message.PrefixRemoteError)
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		n = 0
	}
	return syscall.Errno(n), isRemote
}

// StatusOf gives the error that a message stands for: a *StatusError if it is a Status, nil otherwise.
func StatusOf(m *Message) error {
	if m.Kind() != message.StatusKind {
		return nil
	}
	return &StatusError{m}
}
