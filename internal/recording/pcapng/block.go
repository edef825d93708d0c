package pcapng

// How blocks are written: type, length, what it says, and the length again; options are number, length, bytes and padding.

func (w *Writer) u16(n uint16) { w.buf = w.order.AppendUint16(w.buf, n) }
func (w *Writer) u32(n uint32) { w.buf = w.order.AppendUint32(w.buf, n) }

// begin begins a block, and gives what end must be told.
func (w *Writer) begin(kind uint32) (at int) {
	at = len(w.buf)
	w.u32(kind)
	w.u32(0)
	return at
}

func (w *Writer) end(at int) {
	n := uint32(len(w.buf) - at + 4)
	w.u32(n)
	w.order.PutUint32(w.buf[at+4:], n)
	w.bytes += int64(n)
}

// pad fills what began at offset from up to a whole word.
func (w *Writer) pad(from int) {
	for (len(w.buf)-from)%4 != 0 {
		w.buf = append(w.buf, 0)
	}
}

func (w *Writer) option(number uint16, value string) {
	w.u16(number)
	w.u16(uint16(len(value)))
	at := len(w.buf)
	w.buf = append(w.buf, value...)
	w.pad(at)
}
