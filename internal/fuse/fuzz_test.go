package fuse

import (
	"errors"
	"io"
	"testing"
)

// FuzzServe gives a connection any packet, first as the one that it begins with. It ends in an error or in one answer to
// that request, or none, and never in a panic.
func FuzzServe(f *testing.F) {
	for opcode := range uint32(64) {
		f.Add(packet(opcode, 1, 1, make([]byte, 100)))
		f.Add(packet(opcode, 1, 1, nil))
	}
	f.Add(packet(opCuseInit, 1, 1, make([]byte, 16)))
	f.Add(initRequest(opInit, 7, -1))
	f.Add(packet(opReaddir, 1, 1, words(uint64(0), uint64(0), -1, 0, uint64(0), 0, 0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || len(b) > 60_000 { // no more fits into the socket
			return
		}
		p := newPeer(t)
		p.put(b)
		_ = p.conn.first()
		p.next()
		p.files.text = "1234"
		p.put(b)
		served, err := p.conn.Serve(p.files)
		var m *Malformed
		if !served && !errors.As(err, &m) || err == io.EOF || served && err != nil {
			t.Fatalf("%v, %v", served, err)
		}
		reply := p.next()
		switch {
		case reply == nil:
		case !served, len(reply) < replyHeaderBytes, native.Uint32(reply) != uint32(len(reply)),
			native.Uint64(reply[8:]) != native.Uint64(b[8:]):
			t.Fatalf("answered %x", reply)
		}
		if p.next() != nil {
			t.Fatal("a second answer")
		}
	})
}
