package mcap

import (
	"errors"
	"hash"
	"hash/crc32"
	"io"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/recording/input"
)

// Reader reads a file from the front, so that one without an end is read as far as it goes. It checks the checksums of chunks,
// of all data and of the summary, and passes over records that it does not know and over channels of others.
type Reader struct {
	in   *input.Input
	sum  hash.Hash32 // of what was read since the beginning, or since the data ended
	at   int64       // where the record begins that is being read
	err  error       // for good
	past bool        // the data has ended

	records []byte // of the chunk, still to be read
	all     int    // how many bytes there were of them
	first   int64  // where they begin
	inner   bool   // they were compressed, and have no offsets of their own
	unpacker

	schemas  map[uint16]bool // whether they are of our events
	channels map[uint16]bool
}

// mostRecord limits what is read at once: a chunk of other writers may be large.
const mostRecord = 1 << 30

// NewReader reads r in small pieces.
func NewReader(r io.Reader) *Reader {
	sum := crc32.NewIEEE()
	return &Reader{in: input.New(io.TeeReader(r, sum)), sum: sum, schemas: map[uint16]bool{}, channels: map[uint16]bool{}}
}

// Next reads the next event. At the end the error is io.EOF, and for a file that cannot be read on an *input.Broken.
func (r *Reader) Next(e *event.Event) error {
	for r.err == nil {
		var found bool
		var reason string
		switch {
		case r.at == 0 && r.in.At() == 0:
			reason = r.begin()
		case len(r.records) > 0:
			found, reason = r.inChunk(e)
		default:
			found, reason = r.record(e)
		}
		if reason != "" {
			r.err = &input.Broken{Offset: r.at, Reason: reason}
		} else if found {
			return nil
		}
	}
	return r.err
}

func (r *Reader) begin() (reason string) {
	if b, ok := r.take(len(magic), "its beginning"); ok && string(b) != magic {
		return "not an MCAP file"
	}
	return ""
}

// take reports false when there is not as much, and why in err.
func (r *Reader) take(n int, what string) ([]byte, bool) {
	b, err := r.in.Take(n)
	if err != nil {
		r.err = input.Fault(r.at, what, err)
	}
	return b, err == nil
}

// inChunk reads a record of a chunk.
func (r *Reader) inChunk(e *event.Event) (found bool, reason string) {
	if r.at = r.first; !r.inner {
		r.at += int64(r.all - len(r.records))
	}
	f := fields{b: r.records}
	op := f.take(1)
	body := f.take(f.u64())
	if f.bad {
		return false, "a record that is longer than its chunk"
	}
	r.records = f.b
	switch op[0] {
	case opSchema, opChannel, opMessage:
		return r.known(op[0], body, e)
	}
	return false, ""
}

// record reads a record of the file.
func (r *Reader) record(e *event.Event) (found bool, reason string) {
	r.at = r.in.At()
	sum := r.sum.Sum32()
	head, err := r.in.Take(recordHead)
	if errors.Is(err, io.EOF) {
		r.err = &input.Broken{Offset: r.at, Cut: true, Reason: "the recording was not ended"}
		return false, ""
	}
	if err != nil {
		r.err = input.Fault(r.at, "a record", err)
		return false, ""
	}
	op, length := head[0], le.Uint64(head[1:])
	switch {
	case length > mostRecord:
		return false, "a record that is too long"
	case op == opFooter:
		return false, r.footer(length)
	case !r.past && (op == opSchema || op == opChannel || op == opMessage || op == opChunk || op == opDataEnd):
		body, ok := r.take(int(length), "a record")
		if !ok {
			return false, ""
		}
		if op == opDataEnd {
			return false, r.dataEnd(body, sum)
		}
		return r.known(op, body, e)
	}
	if err := r.in.Skip(int64(length)); err != nil {
		r.err = input.Fault(r.at, "a record", err)
	}
	return false, ""
}

// dataEnd has the sum of all before it.
func (r *Reader) dataEnd(body []byte, sum uint32) (reason string) {
	f := fields{b: body}
	want := f.u32()
	switch {
	case f.bad:
		return "an end of the data that is too short"
	case want != 0 && want != sum:
		return "the checksum of the data is wrong"
	}
	r.past = true
	r.sum.Reset()
	return ""
}

// footer ends the file.
func (r *Reader) footer(length uint64) (reason string) {
	if length != footerBytes {
		return "an end whose length cannot be"
	}
	if !r.past {
		return "an end before the end of the data"
	}
	b, ok := r.take(16, "its end")
	if !ok {
		return ""
	}
	summary, sum := le.Uint64(b), r.sum.Sum32()
	if b, ok = r.take(4+len(magic), "its end"); !ok {
		return ""
	}
	switch want := le.Uint32(b); {
	case want != 0 && summary != 0 && want != sum:
		return "the checksum of the summary is wrong"
	case string(b[4:]) != magic:
		return "not an end of an MCAP file"
	}
	r.at = r.in.At()
	if b, _ := r.in.Take(1); len(b) != 0 {
		return "bytes after the end"
	}
	r.err = io.EOF
	return ""
}
