// Package fuse is the kernel's side of a file that a program serves: the protocol of <linux/fuse.h>, version 7.38, over
// /dev/fuse for a small directory (FUSE) and over /dev/cuse for a character device (CUSE). It knows what a request looks
// like and what must be answered, and nothing of what the files mean: that is for a Files.
//
// One goroutine reads a Conn and answers each request before it reads the next. That is simple, and it is needed: the
// kernel reports a close without waiting for an answer, but in order, so a program that handles requests in the order
// read makes close(2) look synchronous. Two readers would lose that, and so would FUSE over io_uring.
//
// The files: conn.go reads and answers, serve.go says which request becomes which call, body.go takes requests apart,
// attr.go lays out what a file is, begin.go agrees with the kernel, mount.go puts files where programs find them, and
// memory.go reads the memory of a caller.
package fuse

import "encoding/binary"

// native is the byte order of everything here: both sides are the same machine.
var native = binary.NativeEndian

// Version of the protocol that this package speaks. The kernel speaks every older one too.
const (
	major = 7
	minor = 38
)

// Opcodes, of which those that are missing are answered with ENOSYS.
const (
	opLookup      = 1
	opForget      = 2
	opGetattr     = 3
	opSetattr     = 4
	opSymlink     = 6
	opMknod       = 8
	opMkdir       = 9
	opUnlink      = 10
	opRmdir       = 11
	opRename      = 12
	opLink        = 13
	opOpen        = 14
	opRead        = 15
	opWrite       = 16
	opStatfs      = 17
	opRelease     = 18
	opFlush       = 25
	opInit        = 26
	opOpendir     = 27
	opReaddir     = 28
	opReleasedir  = 29
	opCreate      = 35
	opInterrupt   = 36
	opDestroy     = 38
	opIoctl       = 39
	opPoll        = 40
	opBatchForget = 42
	opRename2     = 45
	opTmpfile     = 51
	opCuseInit    = 4096
)

// Lengths in bytes of what is fixed.
const (
	requestHeaderBytes = 40
	replyHeaderBytes   = 16
)

// Limits that are agreed with the kernel.
const (
	maxWriteBytes = 1 << 20 // of one READ or WRITE; the kernel cuts longer ones
	maxPages      = maxWriteBytes >> 12
	bufferBytes   = maxWriteBytes + 4096
)
