//go:build !linux

package message

import "syscall"

// Error numbers that not every system has: elsewhere others stand in for them.

// errNotUnique stands in for ENOTUNIQ, which systems other than Linux do not all have.
const errNotUnique = syscall.EEXIST
