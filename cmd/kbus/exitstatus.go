package main

import (
	"context"
	"errors"
	"syscall"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/cmd/kbus/errno"
	"kbus.example/kbus/cmd/kbus/play"
	"kbus.example/kbus/internal/recording"
)

// The exit status of a command that fails is an errno. Most errors have one; here is what the others get.

// exitStatus is never 0.
func exitStatus(err error) int {
	if errors.Is(err, errStopped) {
		return statusStopped
	}
	return cli.ExitStatus(errnoOf(err))
}

// errnoOf looks for the number in everything that can go wrong, 0 if there is none.
func errnoOf(err error) syscall.Errno {
	var status *kbus.StatusError
	var condition kbus.Condition
	var number syscall.Errno
	var broken *recording.Broken
	switch {
	case errors.As(err, &status):
		return errnoOfStatus(status)
	case errors.Is(err, context.DeadlineExceeded):
		return syscall.ETIMEDOUT
	case errors.As(err, &condition):
		return condition.Errno()
	case errors.As(err, &number):
		return number
	case errors.As(err, &broken) && broken.Cut:
		return syscall.ENODATA
	case broken != nil:
		return syscall.EBADMSG
	case errors.Is(err, play.ErrNoDaemon), errors.Is(err, play.ErrNoLimpet):
		return syscall.ENOENT
	}
	return 0
}

// errnoOfStatus is ours: a Status has a name and no number, unless a Limpet put one into it.
func errnoOfStatus(status *kbus.StatusError) syscall.Errno {
	switch {
	case errors.Is(status, kbus.ErrBusGoneAway):
		return syscall.ENOTCONN
	case errors.Is(status, kbus.ErrNotSameKsock):
		return syscall.EPIPE
	case errors.Is(status, kbus.ErrNotStarted):
		return syscall.EADDRNOTAVAIL
	case errors.Is(status, kbus.ErrRemoteError):
		for _, e := range errno.All() {
			if errors.Is(status, syscall.Errno(e.Number)) {
				return syscall.Errno(e.Number)
			}
		}
	}
	return syscall.ECONNRESET
}
