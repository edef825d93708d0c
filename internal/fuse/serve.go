package fuse

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Files is what a Conn serves. Its methods are called one at a time, in the order of the kernel's requests, and must
// not wait for anything: until they return no other request is served. An Errno of 0 is success. Slices are valid
// during the call.
type Files interface {
	// Lookup finds a name in a directory. FUSE only, as are Attr, SetAttr and Entries.
	Lookup(who Caller, directory uint64, name []byte) (Attr, unix.Errno)
	Attr(node uint64) (Attr, unix.Errno)
	// SetAttr changes what can be changed and gives what the file then is. The kernel has checked that the caller may.
	SetAttr(node uint64, to SetAttr) (Attr, unix.Errno)
	Entries(directory uint64) ([]Entry, unix.Errno)

	// Open opens a file; flags are those of open(2). Each open(2) is one Open, and when the last descriptor that stems
	// from it is closed, there is one Release of its handle. A file that is seekable is read at an offset; one that is
	// not has no positions, and every offset is 0.
	Open(who Caller, node uint64, flags uint32) (handle uint64, seekable bool, e unix.Errno)
	Read(handle, offset uint64, p []byte) (int, unix.Errno)
	Write(handle uint64, p []byte) (int, unix.Errno)
	// Ioctl gives the result of ioctl(2), negative for an error, and what is to be stored at the argument, also then.
	Ioctl(handle uint64, call *Ioctl) (result int32, out []byte)
	// Poll says what is ready, in the bits of poll(2). When notify is true, Wake of pollHandle must follow as soon as
	// that may have changed; until the next Poll once is enough.
	Poll(handle, pollHandle uint64, notify bool) (ready uint32, e unix.Errno)
	Release(handle uint64)
}

// errTakenBack means that the process has gone that wanted the answer.
var errTakenBack = errors.New("the request was taken back")

// Serve handles one request, if there is one. io.EOF says that the kernel has ended the connection; with any other
// error it cannot go on either.
func (c *Conn) Serve(f Files) (served bool, err error) {
	r, ok, err := c.receive()
	if !ok || err != nil {
		return false, err
	}
	if r.short() {
		err = c.refuse(r.unique, unix.EINVAL)
	} else {
		err = c.dispatch(f, &r)
	}
	if err == errTakenBack {
		err = nil
	}
	return true, err
}

func (c *Conn) dispatch(f Files, r *request) error {
	switch r.opcode {
	case opIoctl:
		return c.ioctl(f, r)
	case opRead:
		b := c.room(r.word(16))
		n, e := f.Read(r.long(0), r.long(8), b[replyHeaderBytes:])
		return c.data(r, b, n, e)
	case opWrite:
		return c.write(f, r)
	case opPoll:
		return c.poll(f, r)
	case opOpen:
		return c.open(f, r)
	case opRelease:
		f.Release(r.long(0))
		return c.done(r)
	case opFlush, opOpendir, opReleasedir, opDestroy:
		return c.done(r)
	case opForget, opBatchForget, opInterrupt: // take no answer; nothing is forgotten, and nothing takes long
		return nil
	case opInit, opCuseInit: // once is enough, see Begin
		return c.refuse(r.unique, unix.EINVAL)
	case opLookup:
		name, ok := r.name()
		if !ok {
			return c.refuse(r.unique, unix.EINVAL)
		}
		a, e := f.Lookup(r.caller, r.node, name)
		return c.attr(r, &a, e, (*Attr).appendEntry)
	case opGetattr:
		a, e := f.Attr(r.node)
		return c.attr(r, &a, e, (*Attr).appendAttr)
	case opSetattr:
		a, e := f.SetAttr(r.node, r.setAttr())
		return c.attr(r, &a, e, (*Attr).appendAttr)
	case opReaddir:
		b := c.room(r.word(16))
		all, e := f.Entries(r.node)
		return c.data(r, b, len(appendEntries(b[replyHeaderBytes:replyHeaderBytes], len(b)-replyHeaderBytes, all, r.long(8))), e)
	case opStatfs:
		return c.statfs(r)
	case opSymlink, opMknod, opMkdir, opUnlink, opRmdir, opRename, opRename2, opLink, opCreate, opTmpfile:
		return c.refuse(r.unique, unix.EPERM) // what is there is decided elsewhere
	}
	return c.refuse(r.unique, unix.ENOSYS)
}

// done answers what there is nothing to say to. OPENDIR has a payload all the same: a handle and flags, all zero.
func (c *Conn) done(r *request) error {
	b := c.reply()
	if r.opcode == opOpendir {
		b = append(b, make([]byte, 16)...)
	}
	return c.send(r.unique, b)
}

// data answers with n bytes that lie in b behind the header.
func (c *Conn) data(r *request, b []byte, n int, e unix.Errno) error {
	if e != 0 {
		return c.refuse(r.unique, e)
	}
	return c.send(r.unique, b[:replyHeaderBytes+n])
}

func (c *Conn) attr(r *request, a *Attr, e unix.Errno, form func(*Attr, []byte) []byte) error {
	if e != 0 {
		return c.refuse(r.unique, e)
	}
	return c.send(r.unique, form(a, c.reply()))
}

// Flags of the answer to OPEN. The page cache is never used, and of a stream writers need not wait for each other.
const (
	openDirect = 1 << 0
	openStream = 1<<2 | 1<<4 | 1<<6 // NONSEEKABLE, STREAM, PARALLEL_DIRECT_WRITES
)

func (c *Conn) open(f Files, r *request) error {
	handle, seekable, e := f.Open(r.caller, r.node, r.word(0))
	if e != 0 {
		return c.refuse(r.unique, e)
	}
	flags := uint32(openDirect)
	if !seekable {
		flags |= openStream
	}
	b := native.AppendUint64(c.reply(), handle)
	b = native.AppendUint32(b, flags)
	err := c.send(r.unique, native.AppendUint32(b, 0))
	if err == errTakenBack {
		f.Release(handle) // nobody else will
	}
	return err
}

func (c *Conn) write(f Files, r *request) error {
	data := r.body[40:]
	if uint64(r.word(16)) > uint64(len(data)) {
		return c.refuse(r.unique, unix.EINVAL)
	}
	n, e := f.Write(r.long(0), data[:r.word(16)])
	if e != 0 {
		return c.refuse(r.unique, e)
	}
	b := native.AppendUint32(c.reply(), uint32(n))
	return c.send(r.unique, native.AppendUint32(b, 0))
}

// ioctl answers an error as a result, since what comes with an error of the reply itself would not be copied out. No
// more bytes than there are to store are answered: the kernel copies what it is given, and the number of a command may
// promise more room than the caller has.
func (c *Conn) ioctl(f Files, r *request) error {
	call, room, ok := r.ioctl()
	if !ok {
		return c.refuse(r.unique, unix.EINVAL)
	}
	c.call = call // where it need not be allocated
	result, out := f.Ioctl(r.long(0), &c.call)
	if uint64(len(out)) > uint64(room) {
		return c.refuse(r.unique, unix.EIO)
	}
	b := native.AppendUint32(c.reply(), uint32(result))
	b = append(b, make([]byte, 12)...)
	return c.send(r.unique, append(b, out...))
}

const pollNotify = 1 << 0

func (c *Conn) poll(f Files, r *request) error {
	ready, e := f.Poll(r.long(0), r.long(8), r.word(16)&pollNotify != 0)
	if e != 0 {
		return c.refuse(r.unique, e)
	}
	b := native.AppendUint32(c.reply(), ready)
	return c.send(r.unique, native.AppendUint32(b, 0))
}

// statfs answers df(1), which wants block sizes and how long names may be; there is nothing to count.
func (c *Conn) statfs(r *request) error {
	b := append(c.reply(), make([]byte, 80)...)
	native.PutUint32(b[replyHeaderBytes+40:], blockBytes)
	native.PutUint32(b[replyHeaderBytes+44:], 255)
	native.PutUint32(b[replyHeaderBytes+48:], blockBytes)
	return c.send(r.unique, b)
}
