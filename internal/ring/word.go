//go:build !interleave

package ring

import "sync/atomic"

// The words that two processes share are Go's atomics, which are sequentially consistent. With the build tag interleave
// they are words that let a test choose which side acts next.

type word32 = atomic.Uint32

// between marks a place where the other side may act although no shared word is touched.
func between() {}

// Tests that try every interleaving have other numbers here, so that little memory and few bytes come that far.
const (
	// beginAgain is how far from offset 0 an empty pipe may be before its writer begins again there. So only as much of
	// the memory as is used deep becomes resident, and a short exchange does not pay for it each time.
	beginAgain = 4096

	// forgetSkip is after how many bytes a writer takes back what it has said in skip: when the reader has long been
	// past it, long before positions come by there again, and not each time, because it takes the word away from the
	// reader's processor. It must be at least the size of the memory.
	forgetSkip = 1 << 30
)
