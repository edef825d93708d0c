package message

import "syscall"

// Condition is a named outcome of an operation, from a closed list. Each belongs to one errno, which is what the
// original gave and what C programs, exit statuses and errors.Is(err, syscall.EBUSY) see; several conditions may share
// one. OK is no error. The numbers are part of the socket protocol: new ones go to the end.
type Condition uint8

const (
	OK Condition = iota

	// Sending.
	ErrPending         // an ALL_OR_WAIT message waits for room; it has its id
	ErrReplierFull     // the Replier's queue is full
	ErrListenerFull    // ALL_OR_FAIL, and a Listener's queue is full
	ErrNoReplier       // a Request, and nobody is bound as its Replier
	ErrAddresseeGone   // a Reply, and the Ksock it is for is not open
	ErrNotExpected     // a Reply that its addressee does not wait for
	ErrNotYoursToReply // a Reply from a Ksock that was not asked, or has not read the Request
	ErrOtherReplier    // a stateful Request, and another Ksock is the Replier now
	ErrNoRoomForReply  // a Request, and the sender's own queue has no room for the Reply
	ErrNothingToSend   // SEND, and no message is written or waiting
	ErrIncomplete      // SEND, and the message is only partly written
	ErrStillSending    // a message of this Ksock still waits for room

	// The form of a message.
	ErrMalformed      // a guard is wrong, or name, data and their lengths contradict
	ErrWaitAndFail    // both ALL_OR_WAIT and ALL_OR_FAIL
	ErrBadName        // not a name, or a wildcard where none may be
	ErrNameTooLong    // more than MaxNameBytes
	ErrMessageTooLong // the entire form is over the bus's maximum
	ErrAfterEnd       // bytes after the end of a message

	// Binding and settings.
	ErrReplierBound     // the name has a Replier already
	ErrNotBound         // UNBIND without such a binding
	ErrEventUndelivered // a replier bind event does not fit everywhere: try again
	ErrReportFull       // no room for the initial report of replier bindings
	ErrBadSwitch        // a switch takes 0, 1 or 0xFFFFFFFF
	ErrBadSize          // a maximum message size out of range
	ErrTooManyBuses     // 256 exist
	ErrNoSuchBus        // no bus of that number
	ErrWrongMode        // the Ksock was not opened for that direction
	ErrUnknownOperation // no such ioctl or request
	ErrBadAddress       // memory of the caller that cannot be read or written
	ErrNoMemory         // out of memory
	ErrInterrupted      // interrupted; try again

	// Ours: the daemon and its limits.
	ErrUserConnections  // limit on connections per user
	ErrBusConnections   // limit on connections in all
	ErrUserBindings     // limit on bindings per user
	ErrBusBindings      // limit on bindings in all
	ErrUserQueueBytes   // limit on queued bytes per user
	ErrBusQueueBytes    // limit on queued bytes in all
	ErrStopping         // the bus is about to stop and takes no new Requests
	ErrBusGone          // the connection to the bus is lost
	ErrClosed           // the Ksock is closed
	ErrCanceled         // the caller gave up waiting
	ErrNotPermitted     // not for this user
	ErrUndecided        // BIND, and the federation has not yet said whether the name is free: try again
	ErrNoFederation     // BIND, and the federation cannot be asked
	ErrHeard            // a message from another bus that has come another way before
	ErrStale            // one so old that it is not known whether it has
	ErrOtherNetwork     // the bus has another network id for its Limpets
	ErrNotAdministrator // a switch of the whole bus, which is for its administrators
	ErrUserWildcards    // limit on wildcard bindings per user
	ErrSameBinding      // the same name bound too often by one Ksock
	ErrUserBuses        // limit on buses that one user adds
	ErrUnknownKsock     // no Ksock of that id, or not any more
	ErrDenied           // a rule of the bus denies it

	conditionCount
)

type conditionInfo struct {
	name  string // as Go programs know it
	errno syscall.Errno
	text  string
}

var conditions = [conditionCount]conditionInfo{
	OK:                  {"OK", 0, "success"},
	ErrPending:          {"ErrPending", syscall.EAGAIN, "a queue is full; the message waits until everybody has room"},
	ErrReplierFull:      {"ErrReplierFull", syscall.EBUSY, "the Replier's queue is full"},
	ErrListenerFull:     {"ErrListenerFull", syscall.EBUSY, "a Listener's queue is full, so nobody got the message"},
	ErrNoReplier:        {"ErrNoReplier", syscall.EADDRNOTAVAIL, "nobody is bound as Replier for that name"},
	ErrAddresseeGone:    {"ErrAddresseeGone", syscall.EADDRNOTAVAIL, "the Ksock that the Reply is for is not open"},
	ErrNotExpected:      {"ErrNotExpected", syscall.ECONNREFUSED, "the addressee does not expect that Reply"},
	ErrNotYoursToReply:  {"ErrNotYoursToReply", syscall.ECONNREFUSED, "only the Ksock that was asked, and has read the Request, may reply to it"},
	ErrOtherReplier:     {"ErrOtherReplier", syscall.EPIPE, "the Replier with that id is no longer bound to the name"},
	ErrNoRoomForReply:   {"ErrNoRoomForReply", syscall.ENOLCK, "your own queue has no room for the Reply: read some messages first"},
	ErrNothingToSend:    {"ErrNothingToSend", syscall.ENOMSG, "there is no message to send"},
	ErrIncomplete:       {"ErrIncomplete", syscall.EINVAL, "the message is not complete"},
	ErrStillSending:     {"ErrStillSending", syscall.EALREADY, "the last message still waits to be sent: wait until it is, or discard it"},
	ErrMalformed:        {"ErrMalformed", syscall.EINVAL, "the message is malformed"},
	ErrWaitAndFail:      {"ErrWaitAndFail", syscall.EINVAL, "ALL_OR_WAIT and ALL_OR_FAIL exclude each other"},
	ErrBadName:          {"ErrBadName", syscall.EBADMSG, "not a valid name here: words of ASCII letters, digits, _ and - after \"$.\", wildcards only when binding"},
	ErrNameTooLong:      {"ErrNameTooLong", syscall.ENAMETOOLONG, "the name is longer than 1000 bytes, or empty"},
	ErrMessageTooLong:   {"ErrMessageTooLong", syscall.EMSGSIZE, "the message is over the bus's maximum size"},
	ErrAfterEnd:         {"ErrAfterEnd", syscall.EMSGSIZE, "bytes after the end of the message"},
	ErrReplierBound:     {"ErrReplierBound", syscall.EADDRINUSE, "the name has a Replier already"},
	ErrNotBound:         {"ErrNotBound", syscall.EINVAL, "this Ksock has no such binding"},
	ErrEventUndelivered: {"ErrEventUndelivered", syscall.EAGAIN, "somebody who listens for replier bind events has not caught up: try again"},
	ErrReportFull:       {"ErrReportFull", syscall.EBUSY, "your queue has no room for the report of all replier bindings"},
	ErrBadSwitch:        {"ErrBadSwitch", syscall.EINVAL, "a switch takes 0 (off), 1 (on) or 0xFFFFFFFF (just ask)"},
	ErrBadSize:          {"ErrBadSize", syscall.EINVAL, "the maximum message size is out of range"},
	ErrTooManyBuses:     {"ErrTooManyBuses", syscall.EINVAL, "no more buses: limit buses reached"},
	ErrNoSuchBus:        {"ErrNoSuchBus", syscall.ENOENT, "there is no such bus"},
	ErrWrongMode:        {"ErrWrongMode", syscall.EBADF, "the Ksock was not opened for that direction"},
	ErrUnknownOperation: {"ErrUnknownOperation", syscall.ENOTTY, "there is no such operation"},
	ErrBadAddress:       {"ErrBadAddress", syscall.EFAULT, "memory of the caller cannot be read or written"},
	ErrNoMemory:         {"ErrNoMemory", syscall.ENOMEM, "out of memory"},
	ErrInterrupted:      {"ErrInterrupted", syscall.EAGAIN, "interrupted: try again"},
	ErrUserConnections:  {"ErrUserConnections", syscall.EDQUOT, "limit user-connections reached"},
	ErrBusConnections:   {"ErrBusConnections", syscall.ENFILE, "limit connections reached"},
	ErrUserBindings:     {"ErrUserBindings", syscall.EDQUOT, "limit user-bindings reached"},
	ErrBusBindings:      {"ErrBusBindings", syscall.ENOBUFS, "limit bindings reached"},
	ErrUserQueueBytes:   {"ErrUserQueueBytes", syscall.EDQUOT, "limit user-queue-bytes reached"},
	ErrBusQueueBytes:    {"ErrBusQueueBytes", syscall.ENOBUFS, "limit queue-bytes reached"},
	ErrStopping:         {"ErrStopping", syscall.ESHUTDOWN, "the bus is stopping and takes no new Requests"},
	ErrBusGone:          {"ErrBusGone", syscall.ENOTCONN, "the bus is gone"},
	ErrClosed:           {"ErrClosed", syscall.EBADF, "the Ksock is closed"},
	ErrCanceled:         {"ErrCanceled", syscall.ECANCELED, "given up"},
	ErrNotPermitted:     {"ErrNotPermitted", syscall.EPERM, "not permitted"},
	ErrUndecided:        {"ErrUndecided", syscall.EAGAIN, "the federation has not yet said whether the name is free: try again"},
	ErrNoFederation:     {"ErrNoFederation", syscall.EHOSTUNREACH, "the federation cannot say now whether the name is free: try again later"},
	ErrHeard:            {"ErrHeard", syscall.EEXIST, "the message has been heard on this bus before"},
	ErrStale:            {"ErrStale", syscall.ESTALE, "the message is so old that nobody knows whether it has been heard on this bus before"},
	ErrOtherNetwork:     {"ErrOtherNetwork", errNotUnique, "the bus has another network id already: all its Limpets must say the same"},
	ErrNotAdministrator: {"ErrNotAdministrator", syscall.EPERM, "this switch of the whole bus is for its administrators: see the setting administration"},
	ErrUserWildcards:    {"ErrUserWildcards", syscall.EDQUOT, "limit user-wildcards reached"},
	ErrSameBinding:      {"ErrSameBinding", syscall.EDQUOT, "a Ksock may bind the same name 16 times at most"},
	ErrUserBuses:        {"ErrUserBuses", syscall.EDQUOT, "limit new-buses-per-user reached"},
	ErrUnknownKsock:     {"ErrUnknownKsock", syscall.ESRCH, "the bus does not know that Ksock, or not any more"},
	ErrDenied:           {"ErrDenied", syscall.EACCES, "a rule of the bus denies it"},
}

// Known reports whether c is in the list.
func (c Condition) Known() bool { return c < conditionCount }

func (c Condition) info() conditionInfo {
	if !c.Known() {
		return conditionInfo{"unknown", syscall.EPROTO, "unknown condition"}
	}
	return conditions[c]
}

// Errno is the error number of the condition, 0 for OK.
func (c Condition) Errno() syscall.Errno { return c.info().errno }

// Name is the Go name of the condition, for instance "ErrNoReplier".
func (c Condition) Name() string { return c.info().name }

// Error is one line that says what is wrong and, where it helps, what to do.
func (c Condition) Error() string { return c.info().text }

// Is makes errors.Is(err, syscall.EADDRNOTAVAIL) true for every condition of that errno.
func (c Condition) Is(target error) bool {
	e, ok := target.(syscall.Errno)
	return ok && c != OK && e == c.Errno()
}

// Err is nil for OK and the condition otherwise.
func (c Condition) Err() error {
	if c == OK {
		return nil
	}
	return c
}

// Conditions lists all conditions except OK, in order.
func Conditions() []Condition {
	all := make([]Condition, 0, conditionCount-1)
	for c := OK + 1; c < conditionCount; c++ {
		all = append(all, c)
	}
	return all
}
