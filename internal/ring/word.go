//go:build !interleave

package ring

import "sync/atomic"

// The words that two processes share are Go's atomics, which are sequentially consistent. With the build tag interleave
// they are words that let a test choose who acts next.

type (
	word64 = atomic.Uint64
	word32 = atomic.Uint32
)

// between marks a place where the other side may act although no shared word is touched.
func between() {}
