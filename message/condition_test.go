package message

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// R7.6: every errno of the specification has the conditions that lead to it, and they have no other.
func TestConditionsCoverErrnos(t *testing.T) {
	for _, c := range []struct {
		errno      syscall.Errno
		value      int
		conditions []Condition
	}{
		{syscall.ENOENT, 2, []Condition{ErrNoSuchBus}},
		{syscall.EBADF, 9, []Condition{ErrWrongMode, ErrClosed}},
		{syscall.EAGAIN, 11, []Condition{ErrPending, ErrEventUndelivered, ErrInterrupted, ErrUndecided}},
		{syscall.ENOMEM, 12, []Condition{ErrNoMemory}},
		{syscall.EFAULT, 14, []Condition{ErrBadAddress}},
		{syscall.EBUSY, 16, []Condition{ErrReplierFull, ErrListenerFull, ErrReportFull}},
		{syscall.EINVAL, 22, []Condition{
			ErrMalformed, ErrWaitAndFail, ErrIncomplete, ErrNotBound, ErrBadSwitch, ErrBadSize, ErrTooManyBuses,
		}},
		{syscall.ENOTTY, 25, []Condition{ErrUnknownOperation}},
		{syscall.EPIPE, 32, []Condition{ErrOtherReplier}},
		{syscall.ENAMETOOLONG, 36, []Condition{ErrNameTooLong}},
		{syscall.ENOLCK, 37, []Condition{ErrNoRoomForReply}},
		{syscall.ENOMSG, 42, []Condition{ErrNothingToSend}},
		{syscall.EBADMSG, 74, []Condition{ErrBadName}},
		{syscall.EMSGSIZE, 90, []Condition{ErrAfterEnd, ErrMessageTooLong}},
		{syscall.EADDRINUSE, 98, []Condition{ErrReplierBound}},
		{syscall.EADDRNOTAVAIL, 99, []Condition{ErrNoReplier, ErrAddresseeGone}},
		{syscall.ECONNREFUSED, 111, []Condition{ErrNotExpected, ErrNotYoursToReply}},
		{syscall.EALREADY, 114, []Condition{ErrStillSending}},
	} {
		if int(c.errno) != c.value {
			t.Errorf("%v is %d here, %d in the specification", c.errno, c.errno, c.value)
		}
		listed := map[Condition]bool{}
		for _, condition := range c.conditions {
			listed[condition] = true
		}
		for _, condition := range Conditions() {
			if errors.Is(condition, c.errno) != listed[condition] {
				t.Errorf("%s and errno %v", condition.Name(), c.errno)
			}
		}
	}
}

// Every condition has a name of its own, an errno and a line of text; and the errors of Go programs are what they seem.
func TestConditions(t *testing.T) {
	names, texts := map[string]bool{}, map[string]bool{}
	for _, c := range Conditions() {
		if names[c.Name()] || texts[c.Error()] || !strings.HasPrefix(c.Name(), "Err") || c.Error() == "" || c.Errno() == 0 {
			t.Errorf("%d: %q, %q, errno %d", c, c.Name(), c.Error(), c.Errno())
		}
		names[c.Name()], texts[c.Error()] = true, true
		err := fmt.Errorf("sending: %w", c.Err())
		if !c.Known() || !errors.Is(err, c) || !errors.Is(err, c.Errno()) || errors.Is(err, syscall.EDOM) {
			t.Errorf("%s: errors.Is", c.Name())
		}
		if c != ErrBadName && errors.Is(err, ErrBadName) {
			t.Errorf("%s is taken for another condition", c.Name())
		}
	}
	if OK.Err() != nil || OK.Errno() != 0 || errors.Is(OK, syscall.Errno(0)) {
		t.Error("OK is no error")
	}
	unknown := Condition(255)
	if unknown.Known() || unknown.Name() == "" || unknown.Errno() == 0 || unknown.Error() == "" {
		t.Error("a condition from a newer server must still be an error")
	}
}

// The numbers travel in the socket protocol: none may ever change.
func TestConditionNumbers(t *testing.T) {
	for i, c := range []Condition{
		OK, ErrPending, ErrReplierFull, ErrListenerFull, ErrNoReplier, ErrAddresseeGone, ErrNotExpected, ErrNotYoursToReply,
		ErrOtherReplier, ErrNoRoomForReply, ErrNothingToSend, ErrIncomplete, ErrStillSending, ErrMalformed, ErrWaitAndFail,
		ErrBadName, ErrNameTooLong, ErrMessageTooLong, ErrAfterEnd, ErrReplierBound, ErrNotBound, ErrEventUndelivered,
		ErrReportFull, ErrBadSwitch, ErrBadSize, ErrTooManyBuses, ErrNoSuchBus, ErrWrongMode, ErrUnknownOperation,
		ErrBadAddress, ErrNoMemory, ErrInterrupted, ErrUserConnections, ErrBusConnections, ErrUserBindings, ErrBusBindings,
		ErrUserQueueBytes, ErrBusQueueBytes, ErrStopping, ErrBusGone, ErrClosed, ErrCanceled, ErrNotPermitted,
		ErrUndecided, ErrNoFederation, ErrHeard, ErrStale, ErrOtherNetwork, ErrNotAdministrator, ErrUserWildcards, ErrSameBinding,
		ErrUserBuses, ErrUnknownKsock, ErrDenied,
	} {
		if int(c) != i {
			t.Errorf("%s is %d, was %d", c.Name(), c, i)
		}
	}
}
