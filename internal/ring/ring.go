// Package ring moves bytes between two processes through memory that both have mapped, without a system call while both
// are awake. A Segment belongs to one connection and holds two Pipes, one each way; each Pipe has one writer and one
// reader.
//
// The two sides do not trust each other. Each keeps its own position to itself and only announces it; each checks the
// other's announcement against what is possible before it uses it. An impossible one is ErrCorrupt, which ends that
// connection and nothing else. Data is copied out before it is looked at, because the other side can still write to it.
//
// Sleeping. A reader that finds nothing, and a writer that finds no room, notes in the segment that it sleeps, looks
// once more, and only then blocks outside (the "bell": a descriptor that the other side can make readable). The other
// side, after it has announced what it did, looks whether this one sleeps, and rings only then. "Announce, then look"
// against "note, then look once more" needs sequential consistency, which Go's atomics have; so no wake-up is ever
// lost, and no side rings for one that is awake. interleave_test.go tries every interleaving.
//
// All words are of 32 bits, because on some machines (32-bit MIPS, old ARM) wider ones are atomic only within a
// process: behind them is a lock that the other side does not know of, and takes would be lost. So positions count
// bytes modulo 2^32, and only their differences mean something. A pipe holds at most 2^26 bytes, so the distance from
// tail to head is never mistaken. One case is left, a word that has not been written for 4 GiB: see skip.
package ring

import "errors"

// ErrCorrupt means that the other side has announced something impossible. Do not use the pipe any more.
var ErrCorrupt = errors.New("ring: the other side has corrupted the segment")

// words is what a pipe keeps in the segment: each word on a cache line of its own, written by one side.
type words struct {
	tail     word32 // by the writer: bytes written so far
	_        [60]byte
	skip     word32 // by the writer: where it began again, and skipping; 0: nowhere lately
	_        [60]byte
	head     word32 // by the reader: bytes read so far
	_        [60]byte
	asleep   word32 // set by the reader, cleared by the side that rings: it waits for bytes
	_        [60]byte
	stranded word32 // set by the writer, cleared by the side that rings: it waits for room
	_        [60]byte
}

// skipping marks that a skip is one. A writer begins again at multiples of its size only, so the bit is free. Without it
// the 0 that the word begins as would become a place to skip to when positions come by 0 again.
const skipping = 1
