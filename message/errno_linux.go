package message

import "syscall"

// Error numbers that not every system has: on Linux they are what they are.

// errNotUnique is an error number that some systems do not have.
const errNotUnique = syscall.ENOTUNIQ
