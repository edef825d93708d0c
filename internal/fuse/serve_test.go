package fuse

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"golang.org/x/sys/unix"
)

// Each request becomes the call that it should, and what is answered has the layout of <linux/fuse.h>.
func TestRequests(t *testing.T) {
	attr := func(node uint64, mode, links, uid, gid, rdev int, seconds uint64) []byte {
		return words(node, uint64(0), uint64(0), seconds, seconds, seconds, 0, 0, 0, mode, links, uid, gid, rdev, 4096, 0)
	}
	entry := func(node uint64, next uint64, name string, kind int) string {
		return string(words(node, next, len(name), kind, name, string(make([]byte, 7-(len(name)+7)%8))))
	}
	statfs := make([]byte, 80)
	copy(statfs[40:], words(4096, 255, 4096))
	long := uint64(0xFEDCBA9876543210)
	for _, c := range []struct {
		opcode uint32
		body   []byte
		call   string
		answer []byte
	}{
		{opLookup, words("kbus0\x00"), `lookup 4711 2 "kbus0"`,
			append(words(uint64(9), uint64(0), uint64(0), uint64(0), uint64(0)), attr(9, unix.S_IFREG|0o640, 1, 5, 6, 7, 8)...)},
		{opGetattr, words(uint64(0), uint64(0)), "attr 2",
			append(words(uint64(3600), uint64(0)), attr(2, unix.S_IFDIR|0o755, 2, 0, 0, 0, 0)...)},
		{opSetattr, append(words(1|4), make([]byte, 84)...), "setattr 2 0 - 0",
			append(words(uint64(3600), uint64(0)), attr(2, 0, 0, 0, 0, 0, 0)...)},
		{opSetattr, append(append(words(2), make([]byte, 72)...), words(33, 44, 0)...), "setattr 2 - 33 -",
			append(words(uint64(3600), uint64(0)), attr(2, 0, 0, 0, 0, 0, 0)...)},
		{opOpen, words(0o2, 0), "open 1000 2 2", words(uint64(77), 1|1<<2|1<<4|1<<6, 0)},
		{opRead, words(long, uint64(50), 20, 0, uint64(0), 0, 0), "read 18364758544493064720 50 20", words("text")},
		{opWrite, words(long, uint64(50), 3, 0, uint64(0), 0, 0, "abcd"), `write 18364758544493064720 "abc"`, words(3, 0)},
		{opIoctl, words(long, 1, 0x6B01, uint64(0x7fff), 2, 8, "inn"), `ioctl 18364758544493064720 4711 0x6b01 0x7fff "in" true`,
			words(0, 0, 0, 0, "text")},
		{opPoll, words(long, uint64(6), 1, 5), "poll 18364758544493064720 6 true", words(0x45, 0)},
		{opPoll, words(long, uint64(6), 0, 5), "poll 18364758544493064720 6 false", words(0x45, 0)},
		{opRelease, words(long, 0, 0, uint64(0)), "release 18364758544493064720", nil},
		{opOpendir, words(0, 0), "", words(uint64(0), uint64(0))},
		{opReaddir, words(uint64(0), uint64(1), 72, 0, uint64(0), 0, 0), "entries 2",
			words(entry(1, 2, "..", 4), entry(2, 3, "kbus0", 8))},
		{opReaddir, words(uint64(0), uint64(1), 63, 0, uint64(0), 0, 0), "entries 2", words(entry(1, 2, "..", 4))},
		{opReaddir, words(uint64(0), long, 63, 0, uint64(0), 0, 0), "entries 2", nil},
		{opReleasedir, words(uint64(0)), "", nil},
		{opFlush, words(uint64(0)), "", nil},
		{opDestroy, nil, "", nil},
		{opStatfs, nil, "", statfs},
	} {
		p := newPeer(t)
		p.files.text = "text"
		e, answer := p.ask(c.opcode, 2, c.body)
		if e != 0 || p.files.last != c.call || !bytes.Equal(answer, c.answer) {
			t.Errorf("opcode %d: %d, called %s; want %s\n got %x\nwant %x", c.opcode, e, p.files.last, c.call, answer, c.answer)
		}
	}
}

func TestSeekable(t *testing.T) {
	p := newPeer(t)
	if _, answer := p.ask(opOpen, 3, words(0, 0)); !bytes.Equal(answer, words(uint64(77), 1, 0)) {
		t.Errorf("%x", answer)
	}
}

// An error of a file is an error of the reply, except that of an ioctl, with which something may have to be stored.
func TestErrors(t *testing.T) {
	for opcode, body := range map[uint32][]byte{
		opLookup: words("x\x00"), opGetattr: nil, opSetattr: make([]byte, 88), opOpen: make([]byte, 8),
		opRead: make([]byte, 40), opWrite: make([]byte, 40), opPoll: make([]byte, 24), opReaddir: make([]byte, 40),
	} {
		p := newPeer(t)
		p.files.fail = unix.EADDRINUSE
		if e, answer := p.ask(opcode, 1, body); e != -int32(unix.EADDRINUSE) || len(answer) > 0 {
			t.Errorf("opcode %d: %d, %x", opcode, e, answer)
		}
	}
	p := newPeer(t)
	p.files.fail, p.files.text = unix.EAGAIN, "12345678"
	e, answer := p.ask(opIoctl, 1, words(uint64(1), 0, 0, uint64(0), 0, 8))
	if e != 0 || !bytes.Equal(answer, words(-int(unix.EAGAIN), 0, 0, 0, "12345678")) {
		t.Errorf("%d, %x", e, answer)
	}
	if e, _ := p.ask(opIoctl, 1, words(uint64(1), 0, 0, uint64(0), 0, 7)); e != -int32(unix.EIO) {
		t.Errorf("more than there is room for: %d", e)
	}
}

// What is too short, or unknown, or wants to change what is there, is refused; what wants no answer gets none.
func TestRefused(t *testing.T) {
	for opcode, want := range map[uint32]unix.Errno{
		opSetattr: unix.EINVAL, opOpen: unix.EINVAL, opRead: unix.EINVAL, opWrite: unix.EINVAL, opRelease: unix.EINVAL,
		opReaddir: unix.EINVAL, opIoctl: unix.EINVAL, opPoll: unix.EINVAL, opLookup: unix.EINVAL, opInit: unix.EINVAL,
		opCuseInit: unix.EINVAL,
		opUnlink:   unix.EPERM, opCreate: unix.EPERM, opRename2: unix.EPERM,
		5: unix.ENOSYS, 21: unix.ENOSYS, 63: unix.ENOSYS, 64: unix.ENOSYS, 1 << 31: unix.ENOSYS,
	} {
		p := newPeer(t)
		if e, _ := p.ask(opcode, 1, nil); e != -int32(want) || p.files.last != "" {
			t.Errorf("opcode %d: %d, called %q; want %d", opcode, e, p.files.last, -int32(want))
		}
	}
	p := newPeer(t)
	if e, _ := p.ask(opWrite, 1, words(uint64(1), uint64(0), 5, 0, uint64(0), 0, 0, "abcd")); e != -int32(unix.EINVAL) {
		t.Errorf("a write of more than there is: %d", e)
	}
	if e, _ := p.ask(opIoctl, 1, words(uint64(1), 0, 0, uint64(0), 9, 8, "12345678")); e != -int32(unix.EINVAL) {
		t.Errorf("an ioctl with more than there is: %d", e)
	}
	for _, opcode := range []uint32{opForget, opBatchForget, opInterrupt} {
		p.put(packet(opcode, 5, 1, make([]byte, 16)))
		if served, err := p.conn.Serve(p.files); !served || err != nil || p.next() != nil {
			t.Errorf("opcode %d: %v, %v, or an answer", opcode, served, err)
		}
	}
}

func TestWake(t *testing.T) {
	p := newPeer(t)
	p.conn.Wake(0xFEDCBA9876543210)
	if got, want := p.next(), words(24, 1, uint64(0), uint64(0xFEDCBA9876543210)); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

// A packet that is no request ends the connection; that there is none now does not, and the end is the end.
func TestMalformed(t *testing.T) {
	good := packet(opFlush, 1, 1, nil)
	longer, extended := bytes.Clone(good), bytes.Clone(good)
	longer[0]++
	extended[36] = 1
	for _, b := range [][]byte{good[:39], good[:1], longer, append(bytes.Clone(good), 0), extended} {
		p := newPeer(t)
		p.put(b)
		var m *Malformed
		if served, err := p.conn.Serve(p.files); served || !errors.As(err, &m) || p.next() != nil {
			t.Errorf("%x: %v, %v", b, served, err)
		}
	}
	p := newPeer(t)
	if served, err := p.conn.Serve(p.files); served || err != nil {
		t.Error(served, err)
	}
	unix.Shutdown(p.fd, unix.SHUT_WR)
	if served, err := p.conn.Serve(p.files); served || err != io.EOF {
		t.Error(served, err)
	}
}

// An extension at the end of a request is not taken for a part of it.
func TestExtension(t *testing.T) {
	b := packet(opWrite, 1, 1, words(uint64(4), uint64(0), 3, 0, uint64(0), 0, 0, "abc12345678"))
	native.PutUint16(b[36:], 1)
	p := newPeer(t)
	p.put(b)
	if _, err := p.conn.Serve(p.files); err != nil || p.files.last != `write 4 "abc"` {
		t.Error(err, p.files.last)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	p := newPeer(t)
	p.files.text = "1234"
	var reply [256]byte
	for opcode, body := range map[uint32][]byte{
		opIoctl: words(uint64(0), 0, 0, uint64(0), 8, 8, "12345678"),
		opRead:  make([]byte, 40), opPoll: make([]byte, 24), opFlush: nil,
	} {
		b := packet(opcode, 1, 1, body)
		if n := testing.AllocsPerRun(100, func() {
			p.put(b)
			if _, err := p.conn.Serve(p.files); err != nil {
				t.Fatal(err)
			}
			unix.Read(p.fd, reply[:])
		}); n != 0 {
			t.Errorf("opcode %d: %v allocations", opcode, n)
		}
	}
}
