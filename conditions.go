package kbus

import "kbus/message"

// Condition is a named outcome of an operation, from one documented list. Every error of the bus unwraps to one, so
// both errors.Is(err, kbus.ErrNoReplier) and errors.Is(err, syscall.EADDRNOTAVAIL) tell it, and errors.As gives the
// Condition itself, with its Errno.
type Condition = message.Condition

// Conditions lists all of them, in order.
func Conditions() []Condition { return message.Conditions() }

// What an operation may end in.
const (
	// Sending (R3.65, part 4).
	ErrPending         = message.ErrPending         // an ALL_OR_WAIT message waits for room; it has its id
	ErrReplierFull     = message.ErrReplierFull     // the Replier's queue is full
	ErrListenerFull    = message.ErrListenerFull    // ALL_OR_FAIL, and a Listener's queue is full
	ErrNoReplier       = message.ErrNoReplier       // a Request, and nobody is bound as its Replier
	ErrAddresseeGone   = message.ErrAddresseeGone   // a Reply, and the Ksock it is for is not open
	ErrNotExpected     = message.ErrNotExpected     // a Reply that its addressee does not wait for
	ErrNotYoursToReply = message.ErrNotYoursToReply // a Reply by one not asked, or that has not read the Request (F12)
	ErrOtherReplier    = message.ErrOtherReplier    // a stateful Request, and another Ksock is the Replier now
	ErrNoRoomForReply  = message.ErrNoRoomForReply  // a Request, and the sender's own queue has no room for the Reply
	ErrNothingToSend   = message.ErrNothingToSend   // SEND, and no message is written or waiting
	ErrIncomplete      = message.ErrIncomplete      // SEND, and the message is only partly written
	ErrStillSending    = message.ErrStillSending    // a message of this Ksock still waits for room

	// The form of a message (part 2).
	ErrMalformed      = message.ErrMalformed      // a guard is wrong, or name, data and their lengths contradict
	ErrWaitAndFail    = message.ErrWaitAndFail    // both ALL_OR_WAIT and ALL_OR_FAIL
	ErrBadName        = message.ErrBadName        // not a name, or a wildcard where none may be
	ErrNameTooLong    = message.ErrNameTooLong    // more than MaxNameBytes
	ErrMessageTooLong = message.ErrMessageTooLong // the entire form is over the bus's maximum
	ErrAfterEnd       = message.ErrAfterEnd       // bytes after the end of a message

	// Binding and settings (part 3).
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
	ErrUserConnections = message.ErrUserConnections // limit on connections per user
	ErrBusConnections  = message.ErrBusConnections  // limit on connections in all
	ErrUserBindings    = message.ErrUserBindings    // limit on bindings per user
	ErrBusBindings     = message.ErrBusBindings     // limit on bindings in all
	ErrUserQueueBytes  = message.ErrUserQueueBytes  // limit on queued bytes per user
	ErrBusQueueBytes   = message.ErrBusQueueBytes   // limit on queued bytes in all
	ErrStopping        = message.ErrStopping        // the bus is about to stop and takes no new Requests
	ErrBusGone         = message.ErrBusGone         // the connection to the bus is lost
	ErrClosed          = message.ErrClosed          // the Ksock is closed
	ErrCanceled        = message.ErrCanceled        // the caller gave up waiting
	ErrNotPermitted    = message.ErrNotPermitted    // not for this user
	ErrUndecided       = message.ErrUndecided       // BIND, and the federation has not yet said whether the name is free: try again
	ErrNoFederation    = message.ErrNoFederation    // BIND, and the federation cannot be asked
	ErrHeard           = message.ErrHeard           // a message from another bus that has come another way before
	ErrStale           = message.ErrStale           // one so old that it is not known whether it has
	ErrOtherNetwork    = message.ErrOtherNetwork    // the bus has another network id for its Limpets
)
