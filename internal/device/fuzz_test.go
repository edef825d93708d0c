package device

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/file"
)

// FuzzDevice lets a hostile kernel ask anything in any order: every input is a sequence of opcodes with bodies. It must
// end in answers, and leave nothing behind.
func FuzzDevice(f *testing.F) {
	word := binary.NativeEndian.AppendUint32
	long := binary.NativeEndian.AppendUint64
	ask := func(b []byte, opcode, node byte, body ...byte) []byte {
		return append(append(b, opcode, node, byte(len(body))), body...)
	}
	ioctl := func(b []byte, code uint32) []byte {
		body := word(word(long(nil, 0), 0), code)
		return ask(b, 39, 2, append(word(word(long(body, 0x1000), 16), 8), make([]byte, 16)...)...)
	}
	begun := ask(ask(nil, 14, 2, word(word(nil, unix.O_RDWR), 0)...), 14, 3, make([]byte, 8)...)
	all := begun
	for _, code := range []uint32{
		file.IoctlBind, file.IoctlUnbind, file.IoctlKsockID, file.IoctlReplier, file.IoctlNextMsg, file.IoctlLenLeft,
		file.IoctlSend, file.IoctlDiscard, file.IoctlLastSent, file.IoctlMaxMsgs, file.IoctlNewDevice, file.IoctlMaxMsgSize,
	} {
		all = ioctl(all, code)
	}
	f.Add(all)
	f.Add(ask(ask(begun, 40, 2, make([]byte, 24)...), 18, 2, make([]byte, 24)...))
	f.Add(ask(ask(begun, 1, 1, []byte("kbus0\x00")...), 4, 2, make([]byte, 88)...))
	f.Add(ask(ask(begun, 15, 3, make([]byte, 40)...), 16, 2, make([]byte, 60)...))
	f.Fuzz(func(t *testing.T, input []byte) {
		s := newStand(t)
		var reply [2048]byte
		for len(input) >= 3 {
			n := min(int(input[2]), len(input)-3)
			b := word(nil, uint32(40+n))
			b = word(b, uint32(input[0]))
			b = long(long(b, 1), uint64(input[1]))
			b = append(b, make([]byte, 16)...) // root, and a thread that is not in our namespace
			if _, err := unix.Write(s.kernel, append(b, input[3:3+n]...)); err != nil {
				t.Fatal(err)
			}
			if served, err := s.Serve(); !served || err != nil {
				t.Fatal(served, err)
			}
			s.tell()
			s.Wake()
			for err := error(nil); err == nil; {
				_, err = unix.Read(s.kernel, reply[:])
			}
			input = input[3+n:]
		}
		s.End()
		if s.charged != 0 || s.inside != 0 || s.bus.Info().Ksocks != 0 {
			t.Fatalf("left: %d bytes, %d inside, %d Ksocks", s.charged, s.inside, s.bus.Info().Ksocks)
		}
	})
}
