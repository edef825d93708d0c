package fuse

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"
)

func initRequest(opcode uint32, major, flags int) []byte {
	return packet(opcode, 1, 0, words(major, 45, 131072, flags))
}

func TestBegin(t *testing.T) {
	p := newPeer(t)
	p.put(initRequest(opInit, 7, -1))
	if err := p.conn.Begin(); err != nil {
		t.Fatal(err)
	}
	e, got := p.reply(1)
	want := words(7, 38, 131072, 1|1<<3|1<<5|1<<22, uint16(65535), uint16(49149), 1<<20, 1, uint16(256), string(make([]byte, 34)))
	if e != 0 || !bytes.Equal(got, want) {
		t.Errorf("%d\n got %x\nwant %x", e, got, want)
	}
	if err := p.conn.Begin(); err != nil { // nothing is waited for
		t.Error(err)
	}
}

// What the kernel does not offer is not asked for.
func TestBeginOldKernel(t *testing.T) {
	p := newPeer(t)
	p.put(initRequest(opInit, 7, 1<<5))
	if err := p.conn.Begin(); err != nil {
		t.Fatal(err)
	}
	if _, got := p.reply(1); native.Uint32(got[12:]) != 1<<5 {
		t.Errorf("flags %#x", native.Uint32(got[12:]))
	}
}

// A kernel of a later major version is told ours, and asks again.
func TestBeginLaterKernel(t *testing.T) {
	p := newPeer(t)
	p.put(initRequest(opInit, 8, -1))
	p.put(initRequest(opInit, 7, -1))
	if err := p.conn.Begin(); err != nil {
		t.Fatal(err)
	}
	if _, got := p.reply(1); len(got) != 64 || native.Uint32(got) != 7 {
		t.Errorf("%x", got)
	}
	p.reply(1)
}

func TestBeginCuse(t *testing.T) {
	p := newPeer(t)
	p.conn.cuse = "kbus0"
	p.put(initRequest(opCuseInit, 7, 1))
	if err := p.conn.Begin(); err != nil {
		t.Fatal(err)
	}
	e, got := p.reply(1)
	want := words(7, 38, 0, 0, 1<<20, 1<<20, string(make([]byte, 48)), "DEVNAME=kbus0\x00")
	if e != 0 || !bytes.Equal(got, want) {
		t.Errorf("%d\n got %x\nwant %x", e, got, want)
	}
}

func TestBeginFails(t *testing.T) {
	for name, packets := range map[string][][]byte{
		"too old": {initRequest(opInit, 6, 0)}, "CUSE": {initRequest(opCuseInit, 7, 0)}, "short": {packet(opInit, 1, 0, nil)},
		"another request": {packet(opFlush, 1, 0, nil)}, "no request": {{1, 2, 3}}, "the end": nil,
	} {
		p := newPeer(t)
		for _, b := range packets {
			p.put(b)
		}
		unix.Shutdown(p.fd, unix.SHUT_WR)
		if err := p.conn.Begin(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
