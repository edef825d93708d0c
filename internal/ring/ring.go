// Package ring moves bytes between two processes through memory that both have mapped, without a system call while both
// are awake. A Segment belongs to one connection and holds two Pipes, one each way; each Pipe has one writer and one
// reader.
//
// The two sides do not trust each other. Each keeps its own position to itself and only announces it; what it reads of
// the other's is checked against what is possible before it is used, and a side that announces nonsense is found out
// (ErrCorrupt), which ends that connection and nothing else. Data is copied out before anybody looks at it, because the
// other side can still write to it.
//
// Sleeping. A reader that finds nothing, and a writer that finds no room, says so in the segment, looks once more, and
// only then blocks outside (the "bell": a descriptor that the other side can make readable). The other side, after it
// has announced what it did, looks whether somebody sleeps, and rings only then. "Announce, then look" against "say so,
// then look once more" needs sequential consistency, which Go's atomics have; so no wake-up is ever lost, and nobody
// rings for one who is awake. interleave_test.go tries every interleaving.
package ring

import "errors"

// ErrCorrupt means that the other side has announced something impossible. Do not use the pipe any more.
var ErrCorrupt = errors.New("ring: the other side has corrupted the segment")

// words is what a pipe keeps in the segment: each word on a cache line of its own, written by one side.
type words struct {
	tail     word64 // by the writer: bytes written so far
	_        [56]byte
	skip     word64 // by the writer: where it began again, see Write
	_        [56]byte
	head     word64 // by the reader: bytes read so far
	_        [56]byte
	asleep   word32 // by the reader, cleared by whoever rings: it waits for bytes
	_        [60]byte
	stranded word32 // by the writer, cleared by whoever rings: it waits for room
	_        [60]byte
}
