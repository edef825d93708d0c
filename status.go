package kbus

import (
	"strconv"
	"strings"
	"syscall"

	"kbus/message"
)

// A Status is the bus's word that no Reply will come to a Request (part 5). It arrives as a message like any other;
// where a function can return only the Reply, the Status comes as the error.

// StatusName is the name of a Status, as an error to compare with: errors.Is(err, kbus.ErrGoneAway).
type StatusName string

// The Status messages there are.
const (
	ErrGoneAway     StatusName = message.NameGoneAway     // the Replier closed with the Request unread
	ErrIgnored      StatusName = message.NameIgnored      // the Replier closed having read the Request
	ErrUnbound      StatusName = message.NameUnbound      // the Replier unbound with the Request unread
	ErrDisappeared  StatusName = message.NameDisappeared  // the Replier left while the Request waited for room
	ErrErrorSending StatusName = message.NameErrorSending // the waiting Request failed for another reason
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
	ErrErrorSending: "the Request could not be delivered after it had waited for room",
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
	if _, isRemote := e.remoteErrno(); isRemote {
		text, known = statusText[ErrRemoteError], true
	}
	if !known {
		return s + ": " + e.Status.Name
	}
	return s + ": " + text + " (" + e.Status.Name + ")"
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
