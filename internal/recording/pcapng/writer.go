package pcapng

import (
	"fmt"
	"io"
	"math"

	"kbus.example/kbus/internal/plain"
	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/version"
	"kbus.example/kbus/internal/wire"
)

// Writer writes a section. It hands on whole blocks only, when there are enough of them or they are a second old: what is
// there after the program was killed can be read.
type Writer struct {
	w     io.Writer
	order byteOrder
	buf   []byte // blocks that wait
	since int64  // the boot time of the first event among them
	any   bool   // there is one
	wall  int64  // the last that was told
	bytes int64  // in w, and waiting
	err   error  // w failed

	next  uint32            // number of the next interface
	buses map[uint32]uint32 // to interfaces
	known map[ksock]struct{}
}

type ksock struct{ bus, id uint32 }

const (
	waitBytes = 64 << 10
	waitTime  = 1e9 // nanoseconds

	// mostKnown limits the memory for Ksocks that were named. Beyond it they are named again.
	mostKnown = 1 << 16
)

// NewWriter begins a file.
func NewWriter(w io.Writer) *Writer {
	nw := newWriter(w, le, 0)
	at := nw.begin(sectionBlock)
	nw.u32(orderMagic)
	nw.u16(1) // version 1.0
	nw.u16(0)
	nw.u32(math.MaxUint32) // length of the section: not said
	nw.u32(math.MaxUint32)
	nw.option(optionApplication, "kbus "+version.Number)
	nw.u32(optionEnd)
	nw.end(at)
	return nw
}

func newWriter(w io.Writer, order byteOrder, interfaces uint32) *Writer {
	return &Writer{w: w, order: order, next: interfaces, buses: map[uint32]uint32{}, known: map[ksock]struct{}{}}
}

// Reconnected says that the bus may be another life of it: interfaces begin anew, and Ksocks are named again.
func (w *Writer) Reconnected() {
	clear(w.buses)
	clear(w.known)
}

// Write adds an event.
func (w *Writer) Write(e *event.Event) error {
	if !w.any {
		w.since, w.any = e.Boot, true
	}
	id, ok := w.buses[e.Bus]
	if !ok {
		id = w.addInterface(e.Bus)
	}
	w.addPacket(id, e)
	if len(w.buf) >= waitBytes {
		return w.Flush()
	}
	return w.Tick(e.Boot)
}

// Tick tells the boot time: what has waited for a second goes out.
func (w *Writer) Tick(boot int64) error {
	if w.any && boot-w.since >= waitTime {
		return w.Flush()
	}
	return w.err
}

// Flush hands on what waits.
func (w *Writer) Flush() error {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.w.Write(w.buf)
	}
	w.buf, w.any = w.buf[:0], false
	return w.err
}

// Close ends the file, which needs nothing but Flush.
func (w *Writer) Close() error { return w.Flush() }

// Bytes is how long the file is, with what waits.
func (w *Writer) Bytes() int64 { return w.bytes }

func (w *Writer) addInterface(bus uint32) uint32 {
	at := w.begin(interfaceBlock)
	w.u16(linkType)
	w.u16(0)
	w.u32(0) // packets of any length
	w.option(optionName, fmt.Sprintf("bus%d", bus))
	w.option(optionTickSize, "\x09") // nanoseconds
	w.u32(optionEnd)
	w.end(at)
	id := w.next
	w.next++
	w.buses[bus] = id
	return id
}

func (w *Writer) addPacket(id uint32, e *event.Event) {
	if e.Wall != 0 { // one that only tells of a loss has no time
		w.wall = e.Wall
	}
	at := w.begin(packetBlock)
	w.u32(id)
	w.u32(uint32(uint64(w.wall) >> 32))
	w.u32(uint32(w.wall))
	w.u32(0) // both lengths, when they are known
	w.u32(0)
	packet := len(w.buf)
	w.buf = appendPacket(w.buf, e)
	reported := uint64(len(w.buf)-packet) + uint64(e.DataBytes) - min(uint64(len(e.Data)), uint64(e.DataBytes))
	w.buf = w.buf[:min(len(w.buf), packet+mostPacket)]
	w.order.PutUint32(w.buf[packet-8:], uint32(len(w.buf)-packet))
	w.order.PutUint32(w.buf[packet-4:], uint32(min(reported, math.MaxUint32)))
	w.pad(packet)
	named := w.name(e)
	if e.Missed > 0 {
		w.u16(optionLost)
		w.u16(8)
		w.buf = w.order.AppendUint64(w.buf, e.Missed)
	}
	if named || e.Missed > 0 {
		w.u32(optionEnd)
	}
	w.end(at)
}

// name puts a comment to the first packet of a Ksock, that says whose it is. Numbers of Ksocks do not come again in the life of a
// bus; a Ksock may still be heard of when it is closed.
func (w *Writer) name(e *event.Event) bool {
	k := ksock{e.Bus, e.Ksock}
	if _, known := w.known[k]; known || e.Ksock == 0 {
		return false
	}
	program := plain.Text(e.Program[:min(len(e.Program), wire.MaxProgramBytes)]) // in a recording of others it may be anything
	w.option(optionComment, fmt.Sprintf("Ksock %d is %s, process %d, user %d", e.Ksock, program, e.PID, e.UID))
	if len(w.known) >= mostKnown {
		w.known = map[ksock]struct{}{}
	}
	w.known[k] = struct{}{}
	return true
}
