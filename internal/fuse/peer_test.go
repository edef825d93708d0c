package fuse

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// peer is the kernel's end of a connection: a SEQPACKET socket, which keeps requests apart as /dev/fuse does.
type peer struct {
	t      testing.TB
	conn   *Conn
	fd     int
	unique uint64
	files  *told
}

func newPeer(t testing.TB) *peer {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, conn: NewConn(pair[0]), fd: pair[1], unique: 100, files: &told{}}
	t.Cleanup(func() { p.conn.Close(); unix.Close(p.fd) })
	return p
}

// words lays out numbers: uint16, uint32, uint64, or bytes.
func words(all ...any) (b []byte) {
	for _, w := range all {
		switch w := w.(type) {
		case uint16:
			b = native.AppendUint16(b, w)
		case int:
			b = native.AppendUint32(b, uint32(w))
		case uint32:
			b = native.AppendUint32(b, w)
		case uint64:
			b = native.AppendUint64(b, w)
		case string:
			b = append(b, w...)
		default:
			panic(fmt.Sprintf("%T", w))
		}
	}
	return b
}

// packet is a request of uid 1000, gid 1001, thread 4711.
func packet(opcode uint32, unique, node uint64, body []byte) []byte {
	return append(words(requestHeaderBytes+len(body), opcode, unique, node, 1000, 1001, 4711, 0), body...)
}

func (p *peer) put(b []byte) {
	p.t.Helper()
	if _, err := unix.Write(p.fd, b); err != nil {
		p.t.Fatal(err)
	}
}

// ask has one request served and gives what was answered: its error (0 or negative) and payload.
func (p *peer) ask(opcode uint32, node uint64, body []byte) (e int32, payload []byte) {
	p.t.Helper()
	p.unique++
	p.put(packet(opcode, p.unique, node, body))
	if served, err := p.conn.Serve(p.files); !served || err != nil {
		p.t.Fatalf("opcode %d: served %v, %v", opcode, served, err)
	}
	return p.reply(p.unique)
}

// next is the next packet from the daemon; nil when there is none.
func (p *peer) next() []byte {
	b := make([]byte, bufferBytes)
	n, err := unix.Read(p.fd, b)
	if err == unix.EAGAIN {
		return nil
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return b[:n]
}

func (p *peer) reply(unique uint64) (e int32, payload []byte) {
	p.t.Helper()
	b := p.next()
	if len(b) < replyHeaderBytes || native.Uint32(b) != uint32(len(b)) || native.Uint64(b[8:]) != unique {
		p.t.Fatalf("no reply to request %d: %x", unique, b)
	}
	return int32(native.Uint32(b[4:])), b[replyHeaderBytes:]
}

// told is Files that note what they are asked.
type told struct {
	last string
	text string // to be read
	out  [8]byte
	fail unix.Errno
}

func (f *told) note(format string, args ...any) { f.last = fmt.Sprintf(format, args...) }

func (f *told) Lookup(who Caller, directory uint64, name []byte) (Attr, unix.Errno) {
	f.note("lookup %d %d %q", who.TID, directory, name)
	return Attr{Node: 9, Mode: unix.S_IFREG | 0o640, Links: 1, UID: 5, GID: 6, Rdev: 7, Seconds: 8, Fleeting: true}, f.fail
}

func (f *told) Attr(node uint64) (Attr, unix.Errno) {
	f.note("attr %d", node)
	return Attr{Node: node, Mode: unix.S_IFDIR | 0o755, Links: 2}, f.fail
}

func (f *told) SetAttr(node uint64, to SetAttr) (Attr, unix.Errno) {
	show := func(v *uint32) string {
		if v == nil {
			return "-"
		}
		return fmt.Sprint(*v)
	}
	f.note("setattr %d %s %s %s", node, show(to.Mode), show(to.UID), show(to.GID))
	return Attr{Node: node}, f.fail
}

func (f *told) Entries(directory uint64) ([]Entry, unix.Errno) {
	f.note("entries %d", directory)
	return []Entry{{1, unix.S_IFDIR, "."}, {1, unix.S_IFDIR, ".."}, {2, unix.S_IFREG, "kbus0"}}, f.fail
}

func (f *told) Open(who Caller, node uint64, flags uint32) (uint64, bool, unix.Errno) {
	f.note("open %d %d %d", who.UID, node, flags)
	return 77, node == 3, f.fail
}

func (f *told) Read(handle, offset uint64, p []byte) (int, unix.Errno) {
	if handle != 0 {
		f.note("read %d %d %d", handle, offset, len(p))
	}
	return copy(p, f.text), f.fail
}

func (f *told) Write(handle uint64, p []byte) (int, unix.Errno) {
	f.note("write %d %q", handle, p)
	return len(p), f.fail
}

func (f *told) Ioctl(handle uint64, call *Ioctl) (int32, []byte) {
	if handle != 0 {
		f.note("ioctl %d %d %#x %#x %q %v", handle, call.TID, call.Command, call.Arg, call.In, call.Compat)
	}
	return -int32(f.fail), f.out[:copy(f.out[:], f.text)]
}

func (f *told) Poll(handle, pollHandle uint64, notify bool) (uint32, unix.Errno) {
	if handle != 0 {
		f.note("poll %d %d %v", handle, pollHandle, notify)
	}
	return 0x45, f.fail
}

func (f *told) Release(handle uint64) { f.note("release %d", handle) }
