package rawclient

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
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
	Ours    int    // an epoll in which the daemon rings; -1: bytes in the socket do
	Arena   []byte // if that was asked for

	Keep    bool // Take does not release what it has taken
	InArena int  // messages taken whose data lay in the arena

	Parts
	Tail uint32 // of Up: bytes written
	Head uint32 // of Down: bytes read
}

// Parts are those of the segment.
type Parts struct{ Up, Down, Slots, Window Part }

// Part is a part of the segment.
type Part struct{ Offset, Bytes int }

// Where the words are, in bytes from the beginning of the segment.
const (
	UpTail, UpSkip, UpHead, UpAsleep, UpStranded           = 64, 128, 192, 256, 320
	DownTail, DownSkip, DownHead, DownAsleep, DownStranded = 384, 448, 512, 576, 640
	WindowState, WindowReleased, WindowWant, WindowMore    = 704, 768, 832, 896
	controlBytes                                           = 960

	inArena = 1 << 31 // in a slot's length: the data lies in the arena
)

// Word is the word at an offset.
func (r *Rings) Word(offset int) *uint32 { return (*uint32)(unsafe.Pointer(&r.Memory[offset])) }

// OpenRings is Open for a Ksock that uses rings.
func OpenRings(t testing.TB, path string) *Client {
	t.Helper()
	c := Dial(t, path)
	if f := c.HelloRings(wire.ModeRead | wire.ModeWrite); f.Condition != message.OK {
		t.Fatalf("hello: %v %q", f.Condition.Name(), f.Payload)
	}
	return c
}

// OpenArena is Open for a Ksock that uses rings and the arena.
func OpenArena(t testing.TB, path string) *Client {
	t.Helper()
	c := Dial(t, path)
	if f := c.HelloFeatures(wire.ModeRead|wire.ModeWrite, wire.FeatureRings|wire.FeatureArena); f.Condition != message.OK || c.Rings.Arena == nil {
		t.Fatalf("hello: %v %q", f.Condition.Name(), f.Payload)
	}
	return c
}

// HelloRings says hello in a mode, asking for rings, and gives the answer. Rings that are not granted end the test.
func (c *Client) HelloRings(mode uint32) Frame {
	c.t.Helper()
	return c.HelloFeatures(mode, wire.FeatureRings)
}

// HelloFeatures is HelloRings with rings, and perhaps the arena, which a bus with rules does not give.
func (c *Client) HelloFeatures(mode, features uint32) Frame {
	c.t.Helper()
	seq := c.Put(wire.OpHello, mode, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1, Features: features | c.Features}))
	in, rights := make([]byte, 4096), make([]byte, 64)
	n, m, _, _, err := c.ReadMsgUnix(in, rights)
	if err != nil {
		c.t.Fatalf("hello: %v", err)
	}
	h, payload, _, _ := wire.Split(in[:n], wire.MaxResultBytes)
	w, ok := wire.ParseWelcome(payload)
	granted := w.Features &^ c.Features
	if !ok || h.Seq != seq || h.Condition == message.OK && granted|wire.FeatureArena != features|wire.FeatureArena {
		c.t.Fatalf("hello: %v %q, features %d", h.Condition.Name(), payload, w.Features)
	}
	if h.Condition == message.OK {
		c.Rings = take(c.t, rights[:m], granted)
		c.watch()
	}
	return Frame{h, payload}
}

// watch has the client's bell tell of the end of the socket as well.
func (c *Client) watch() {
	if c.Rings.Ours < 0 {
		return
	}
	raw, err := c.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
			if err := unix.EpollCtl(c.Rings.Ours, unix.EPOLL_CTL_ADD, int(fd), &e); err != nil {
				c.t.Fatal(err)
			}
		})
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// take maps what came with the answer.
func take(t testing.TB, rights []byte, features uint32) *Rings {
	t.Helper()
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d control messages, %v", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	own := 2
	if features&wire.FeatureSocketBell != 0 {
		own = 1
	}
	if err != nil || len(fds) != bits.OnesCount32(features&^wire.FeatureSocketBell)+own {
		t.Fatalf("descriptors %v, %v", fds, err)
	}
	r := &Rings{Segment: fds[0], Bell: fds[1], Ours: -1}
	if own == 2 {
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
	if features&wire.FeatureArena != 0 {
		if err := unix.Fstat(fds[2], &st); err != nil {
			t.Fatal(err)
		}
		if r.Arena, err = unix.Mmap(fds[2], 0, int(st.Size), unix.PROT_READ, unix.MAP_SHARED); err != nil {
			t.Fatal(err)
		}
		unix.Close(fds[2])
	}
	u := func(at int) int { return int(binary.NativeEndian.Uint32(r.Memory[at:])) }
	if string(r.Memory[:4]) != "kbsg" || u(4) != 2 {
		t.Fatalf("not a segment of version 2: % x", r.Memory[:8])
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
	if r.Arena != nil {
		unix.Munmap(r.Arena)
		r.Arena = nil
	}
}

// Ring rings the daemon's bell.
func (r *Rings) Ring() error {
	_, err := unix.Write(r.Bell, binary.NativeEndian.AppendUint64(nil, 1))
	return err
}

// Append puts as much of p as there is room for into the ring, and announces nothing.
func (r *Rings) Append(p []byte) (n int) {
	size := uint32(r.Up.Bytes)
	n = min(len(p), int(size-(r.Tail-atomic.LoadUint32(r.Word(UpHead)))))
	for i, c := range p[:n] {
		r.Memory[uint32(r.Up.Offset)+(r.Tail+uint32(i))%size] = c
	}
	r.Tail += uint32(n)
	return n
}

// Announce says what has been put there, and rings if the daemon sleeps.
func (r *Rings) Announce() {
	atomic.StoreUint32(r.Word(UpTail), r.Tail)
	if atomic.SwapUint32(r.Word(UpAsleep), 0) != 0 {
		r.Ring()
	}
}

// Take copies what has come, and rings if the daemon waits for the room.
func (r *Rings) Take(p []byte) (n int) {
	tail, size := atomic.LoadUint32(r.Word(DownTail)), uint32(r.Down.Bytes)
	if tail == r.Head {
		return 0
	}
	if skip := atomic.LoadUint32(r.Word(DownSkip)); skip&1 != 0 && skip-1-r.Head <= tail-r.Head {
		r.Head = skip - 1
	}
	n = min(len(p), int(tail-r.Head))
	for i := range p[:n] {
		p[i] = r.Memory[uint32(r.Down.Offset)+(r.Head+uint32(i))%size]
	}
	r.Head += uint32(n)
	atomic.StoreUint32(r.Word(DownHead), r.Head)
	if atomic.SwapUint32(r.Word(DownStranded), 0) != 0 {
		r.Ring()
	}
	return n
}

// TakeMessage takes the first message of the window, as a payload, if there is one. more says that there are others to ask
// for.
func (r *Rings) TakeMessage() (payload []byte, more bool) {
	state := r.Word(WindowState)
	for {
		s := atomic.LoadUint32(state)
		published, taken := uint16(s>>16), uint16(s)
		if published == taken {
			return nil, atomic.LoadUint32(r.Word(WindowMore)) != 0
		}
		if !atomic.CompareAndSwapUint32(state, s, s&^0xFFFF|uint32(taken+1)) {
			continue
		}
		slot := r.Memory[r.Slots.Offset+8*(int(taken)%(r.Slots.Bytes/8)):]
		at, bytes := binary.NativeEndian.Uint32(slot), binary.NativeEndian.Uint32(slot[4:])
		payload = append(payload, r.Memory[r.Window.Offset+int(at):][:bytes&^inArena]...)
		if bytes&inArena != 0 {
			r.InArena++
			end := len(payload) - 8
			from, length := binary.LittleEndian.Uint64(payload[end:]), binary.LittleEndian.Uint32(payload[52:])
			payload = append(payload[:end], r.Arena[from:][:length]...)
		}
		if !r.Keep {
			atomic.StoreUint32(r.Word(WindowReleased), uint32(taken+1))
		}
		want := atomic.LoadUint32(r.Word(WindowWant))
		if want != 0 && int16(taken+1-uint16(want)) >= 0 && atomic.CompareAndSwapUint32(r.Word(WindowWant), want, 0) {
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
		atomic.StoreUint32(r.Word(UpStranded), 1)
		if r.Tail-atomic.LoadUint32(r.Word(UpHead)) < uint32(r.Up.Bytes) {
			continue
		}
		if err := c.AwaitBell(); err != nil {
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
		if c.Doze() && atomic.LoadUint32(r.Word(DownTail)) == r.Head {
			err = c.AwaitBell() // what came before the end is still to be taken
		}
	}
}

// Doze says in the segment that the client is about to wait for bytes, or for something to claim. It reports whether
// there are no bytes yet.
func (c *Client) Doze() bool {
	r := c.Rings
	atomic.StoreUint32(r.Word(DownAsleep), 1)
	return atomic.LoadUint32(r.Word(DownTail)) == r.Head
}

// AwaitBell waits for the client's bell, or for the end of the socket.
func (c *Client) AwaitBell() error {
	if c.Rings.Ours < 0 {
		var bells [64]byte
		_, err := c.UnixConn.Read(bells[:])
		return err
	}
	var events [2]unix.EpollEvent
	n, err := unix.EpollWait(c.Rings.Ours, events[:], -1)
	if err == unix.EINTR {
		return nil
	}
	for _, e := range events[:max(n, 0)] {
		if e.Fd != wire.BellEvent {
			var p [1]byte
			if n, err := c.UnixConn.Read(p[:]); n > 0 {
				c.t.Fatal("bytes in the socket")
			} else if err != nil {
				return err
			}
		}
	}
	return err
}

// Receive waits for the next message: it takes it, or asks for it when the window says that there is more than it
// shows.
func (c *Client) Receive() message.Message {
	c.t.Helper()
	for {
		payload, more := c.Rings.TakeMessage()
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
		if err := c.AwaitBell(); err != nil {
			c.t.Fatalf("waiting for a message: %v", err)
		}
	}
}

// Showing reports whether there is something to claim or to ask for.
func (r *Rings) Showing() bool {
	s := atomic.LoadUint32(r.Word(WindowState))
	return uint16(s>>16) != uint16(s) || atomic.LoadUint32(r.Word(WindowMore)) != 0
}
