package rawclient

import (
	"encoding/binary"
	"io"
	"math/bits"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"kbus/internal/wire"
	"kbus/message"
)

// Rings is a client's side of the shared memory, made from docs/protocol.md alone: it shares no code with package
// ring, so that the page and the code cannot be wrong in the same way. It does only what the page demands of a
// client; it never begins again at the start of its own ring, which is for speed.
//
// All of it is open to hostile hands.
type Rings struct {
	Memory  []byte // the whole segment
	Segment int    // its descriptor
	Bell    int    // the daemon's
	Ours    int    // -1: bytes in the socket are the bell
	Log     []byte // the log, if that was asked for

	Keep  bool // Claim does not release what it has taken
	InLog int  // messages claimed whose data lay in the log

	Up, Down, Slots, Window Part
	Tail                    uint64 // of Up: bytes written
	Head                    uint64 // of Down: bytes read
}

// Part is a part of the segment.
type Part struct{ Offset, Bytes int }

// Where the words are, in bytes from the beginning of the segment.
const (
	UpTail, UpSkip, UpHead, UpAsleep, UpStranded           = 64, 128, 192, 256, 320
	DownTail, DownSkip, DownHead, DownAsleep, DownStranded = 384, 448, 512, 576, 640
	WindowState, WindowReleased, WindowWant, WindowMore    = 704, 768, 832, 896
	controlBytes                                           = 960

	inLog = 1 << 31 // in a slot's length: the data lies in the log
)

// Word64 is the word at an offset.
func (r *Rings) Word64(offset int) *uint64 { return (*uint64)(unsafe.Pointer(&r.Memory[offset])) }

// Word32 is the word at an offset.
func (r *Rings) Word32(offset int) *uint32 { return (*uint32)(unsafe.Pointer(&r.Memory[offset])) }

// OpenRings is Open for a Ksock that uses rings.
func OpenRings(t testing.TB, path string) *Client {
	t.Helper()
	c := Dial(t, path)
	if f := c.HelloRings(wire.ModeRead | wire.ModeWrite); f.Condition != message.OK {
		t.Fatalf("hello: %v %q", f.Condition.Name(), f.Payload)
	}
	return c
}

// OpenLog is Open for a Ksock that uses rings and the log.
func OpenLog(t testing.TB, path string) *Client {
	t.Helper()
	c := Dial(t, path)
	if f := c.HelloFeatures(wire.ModeRead|wire.ModeWrite, wire.FeatureRings|wire.FeatureLog); f.Condition != message.OK {
		t.Fatalf("hello: %v %q", f.Condition.Name(), f.Payload)
	}
	return c
}

// HelloRings says hello in a mode, asking for rings, and gives the answer. Rings that are not granted end the test.
func (c *Client) HelloRings(mode uint32) Frame {
	c.t.Helper()
	return c.HelloFeatures(mode, wire.FeatureRings)
}

// HelloFeatures is HelloRings with rings, and perhaps the log and a bell of the client's own.
func (c *Client) HelloFeatures(mode, features uint32) Frame {
	c.t.Helper()
	seq := c.Put(wire.OpHello, mode, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1, Features: features}))
	in, rights := make([]byte, 4096), make([]byte, 64)
	n, m, _, _, err := c.ReadMsgUnix(in, rights)
	if err != nil {
		c.t.Fatalf("hello: %v", err)
	}
	h, payload, _, _ := wire.Split(in[:n], wire.MaxResultBytes)
	w, ok := wire.ParseWelcome(payload)
	if !ok || h.Seq != seq || h.Condition == message.OK && w.Features != features {
		c.t.Fatalf("hello: %v %q, features %d", h.Condition.Name(), payload, w.Features)
	}
	if h.Condition == message.OK {
		c.Rings = take(c.t, rights[:m], features)
	}
	return Frame{h, payload}
}

// take maps what came with the answer.
func take(t testing.TB, rights []byte, features uint32) *Rings {
	t.Helper()
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d control messages, %v", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != bits.OnesCount32(features)+1 {
		t.Fatalf("descriptors %v, %v", fds, err)
	}
	r := &Rings{Segment: fds[0], Bell: fds[1], Ours: -1}
	if features&wire.FeatureBell != 0 {
		r.Ours = fds[len(fds)-1]
	}
	var st unix.Stat_t
	if err := unix.Fstat(r.Segment, &st); err != nil {
		t.Fatal(err)
	}
	if r.Memory, err = unix.Mmap(r.Segment, 0, int(st.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	if features&wire.FeatureLog != 0 {
		if err := unix.Fstat(fds[2], &st); err != nil {
			t.Fatal(err)
		}
		if r.Log, err = unix.Mmap(fds[2], 0, int(st.Size), unix.PROT_READ, unix.MAP_SHARED); err != nil {
			t.Fatal(err)
		}
		unix.Close(fds[2])
	}
	u := func(at int) int { return int(binary.NativeEndian.Uint32(r.Memory[at:])) }
	if string(r.Memory[:4]) != "kbsg" || u(4) != 1 {
		t.Fatalf("not a segment of version 1: % x", r.Memory[:8])
	}
	at := controlBytes
	part := func(bytes int) Part { at += bytes; return Part{at - bytes, bytes} }
	r.Slots = part(8 * u(20))
	r.Up, r.Down, r.Window = part(u(8)), part(u(12)), part(u(16))
	if at != len(r.Memory) {
		t.Fatalf("the parts make %d bytes; the segment has %d", at, len(r.Memory))
	}
	return r
}

// Close gives everything back. It can be called again.
func (r *Rings) Close() {
	if r.Memory != nil {
		unix.Munmap(r.Memory)
		unix.Close(r.Segment)
		unix.Close(r.Bell)
		if r.Ours >= 0 {
			unix.Close(r.Ours)
		}
		r.Memory = nil
	}
	if r.Log != nil {
		unix.Munmap(r.Log)
		r.Log = nil
	}
}

// Ring rings the daemon's bell.
func (r *Rings) Ring() error {
	_, err := unix.Write(r.Bell, binary.NativeEndian.AppendUint64(nil, 1))
	return err
}

// Append puts as much of p as there is room for into the ring, and announces nothing.
func (r *Rings) Append(p []byte) (n int) {
	size := uint64(r.Up.Bytes)
	n = int(min(uint64(len(p)), size-(r.Tail-atomic.LoadUint64(r.Word64(UpHead)))))
	for i, c := range p[:n] {
		r.Memory[uint64(r.Up.Offset)+(r.Tail+uint64(i))%size] = c
	}
	r.Tail += uint64(n)
	return n
}

// Announce says what has been put there, and rings if the daemon sleeps.
func (r *Rings) Announce() {
	atomic.StoreUint64(r.Word64(UpTail), r.Tail)
	if atomic.SwapUint32(r.Word32(UpAsleep), 0) != 0 {
		r.Ring()
	}
}

// Take copies what has come, and rings if the daemon waits for the room.
func (r *Rings) Take(p []byte) (n int) {
	tail, size := atomic.LoadUint64(r.Word64(DownTail)), uint64(r.Down.Bytes)
	if tail == r.Head {
		return 0
	}
	if skip := atomic.LoadUint64(r.Word64(DownSkip)); skip-r.Head <= tail-r.Head {
		r.Head = skip
	}
	n = int(min(uint64(len(p)), tail-r.Head))
	for i := range p[:n] {
		p[i] = r.Memory[uint64(r.Down.Offset)+(r.Head+uint64(i))%size]
	}
	r.Head += uint64(n)
	atomic.StoreUint64(r.Word64(DownHead), r.Head)
	if atomic.SwapUint32(r.Word32(DownStranded), 0) != 0 {
		r.Ring()
	}
	return n
}

// Claim takes the first message of the window, as a payload, if there is one. more says that there are others to ask
// for.
func (r *Rings) Claim() (payload []byte, more bool) {
	state := r.Word64(WindowState)
	for {
		s := atomic.LoadUint64(state)
		published, claimed := uint32(s>>32), uint32(s)
		if published == claimed {
			return nil, atomic.LoadUint32(r.Word32(WindowMore)) != 0
		}
		if !atomic.CompareAndSwapUint64(state, s, s&^0xFFFFFFFF|uint64(claimed+1)) {
			continue
		}
		slot := r.Memory[r.Slots.Offset+8*int(claimed%uint32(r.Slots.Bytes/8)):]
		at, bytes := binary.NativeEndian.Uint32(slot), binary.NativeEndian.Uint32(slot[4:])
		payload = append(payload, r.Memory[r.Window.Offset+int(at):][:bytes&^inLog]...)
		if bytes&inLog != 0 {
			r.InLog++
			end := len(payload) - 8
			from, length := binary.LittleEndian.Uint64(payload[end:]), binary.LittleEndian.Uint32(payload[52:])
			payload = append(payload[:end], r.Log[from:][:length]...)
		}
		if !r.Keep {
			atomic.StoreUint32(r.Word32(WindowReleased), claimed+1)
		}
		want := atomic.LoadUint64(r.Word64(WindowWant))
		if want != 0 && int32(claimed+1-uint32(want)) >= 0 && atomic.CompareAndSwapUint64(r.Word64(WindowWant), want, 0) {
			r.Ring()
		}
		return payload, true
	}
}

// Write writes all of p, through whatever the connection uses.
func (c *Client) Write(p []byte) (n int, err error) {
	if c.Rings == nil {
		return c.UnixConn.Write(p)
	}
	for r := c.Rings; n < len(p); {
		m := r.Append(p[n:])
		if n += m; m > 0 {
			r.Announce()
			continue
		}
		atomic.StoreUint32(r.Word32(UpStranded), 1)
		if r.Tail-atomic.LoadUint64(r.Word64(UpHead)) < uint64(r.Up.Bytes) {
			continue
		}
		if err := c.sleep(); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Read waits for bytes, from whatever the connection uses.
func (c *Client) Read(p []byte) (n int, err error) {
	if c.Rings == nil {
		return c.UnixConn.Read(p)
	}
	for r := c.Rings; ; {
		if n = r.Take(p); n > 0 || err != nil {
			return n, err
		}
		if c.Doze() && atomic.LoadUint64(r.Word64(DownTail)) == r.Head {
			err = c.sleep() // what came before the end is still to be taken
		}
	}
}

// Doze says in the segment that the client is about to wait for bytes, or for something to claim. It reports whether
// there are no bytes yet.
func (c *Client) Doze() bool {
	r := c.Rings
	atomic.StoreUint32(r.Word32(DownAsleep), 1)
	return atomic.LoadUint64(r.Word64(DownTail)) == r.Head
}

// sleep waits for the client's bell: bytes in the socket, whatever they are, or an eventfd of its own. (With that it
// does not look for the end.)
func (c *Client) sleep() error {
	if c.Rings.Ours >= 0 {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(c.Rings.Ours), Events: unix.POLLIN}}, 20_000)
		if err == nil {
			_, err = unix.Read(c.Rings.Ours, make([]byte, 8)) // EAGAIN: it was never rung
		}
		if err == unix.EINTR {
			return nil
		}
		return err
	}
	var bells [64]byte
	n, err := c.UnixConn.Read(bells[:])
	if n == 0 && err == nil {
		err = io.EOF
	}
	return err
}

// Receive waits for the next message: it claims it, or asks for it when the window says that there is more than it
// shows.
func (c *Client) Receive() message.Message {
	c.t.Helper()
	for {
		payload, more := c.Rings.Claim()
		if payload != nil {
			return Frame{Payload: payload}.Parse(c.t)
		}
		if more {
			if f := c.Must(wire.OpNext, 0, nil); f.Arg > 0 {
				return f.Parse(c.t)
			}
			continue
		}
		if !c.Doze() || c.Rings.Showing() {
			continue
		}
		if err := c.sleep(); err != nil {
			c.t.Fatalf("waiting for a message: %v", err)
		}
	}
}

// Showing reports whether there is something to claim or to ask for.
func (r *Rings) Showing() bool {
	s := atomic.LoadUint64(r.Word64(WindowState))
	return uint32(s>>32) != uint32(s) || atomic.LoadUint32(r.Word32(WindowMore)) != 0
}
