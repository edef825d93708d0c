package transport

import "errors"

// What is shared needs addresses, and a machine of 32 bits may have none left.

// ErrCramped means that what the daemon shares cannot be mapped, as on a machine of 32 bits whose addresses are used up. Who
// opens decides what becomes of that: the socket alone does as well.
var ErrCramped = errors.New("the memory that the daemon shares cannot be mapped")
