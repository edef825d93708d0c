package mcap

import (
	"cmp"
	_ "embed"
	"hash/crc32"
	"io"
	"strconv"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/version"
)

// Writer writes a file. It hands on whole chunks, with their indexes, when they are large enough or a second old: what is there
// after the program was killed can be read from the front.
type Writer struct {
	w     io.Writer
	buf   []byte // for what is handed on
	at    int64  // bytes in w
	sum   uint32 // of them
	err   error  // w failed
	chunk chunk
	wall  int64 // the last that was told
	packer

	ids      map[topic]uint16
	channels []channel // by id - 1
	chunks   []chunkIndex
	total    totals
}

//go:embed schema.json
var schema []byte

const (
	chunkBytes = 1 << 20
	chunkTime  = 1e9 // nanoseconds
	schemaID   = 1

	// mostChannels is for names that somebody makes up by the thousand: what is over it shares a channel.
	mostChannels = 1 << 14

	nameless, others = "Ksocks", "others" // topics that are no names
)

type topic struct {
	bus  uint32
	name string
}

type channel struct {
	topic
	events uint64
	index  []entry // of the chunk
}

// entry says where a message is in its chunk.
type entry struct{ time, offset uint64 }

type totals struct{ events, first, last uint64 }

// add counts an event of a time, which need not be later than others.
func (t *totals) add(time uint64) {
	if t.events == 0 {
		t.first, t.last = time, time
	}
	t.events, t.first, t.last = t.events+1, min(t.first, time), max(t.last, time)
}

// NewWriter begins a file, whose chunks may be compressed.
func NewWriter(w io.Writer, compress bool) *Writer {
	nw := &Writer{w: w, ids: map[topic]uint16{}}
	if compress {
		nw.encoder = newEncoder()
	}
	b, body := begin(append(nw.buf, magic...), opHeader)
	b = appendString(b, "") // no profile
	nw.buf = end(appendString(b, "kbus "+version.Number), body)
	return nw
}

// Reconnected changes nothing: a channel is that of a name, whichever life of the bus it is said in.
func (w *Writer) Reconnected() {}

// Write adds an event.
func (w *Writer) Write(e *event.Event) error {
	if w.err != nil {
		return w.err
	}
	if e.Wall != 0 { // one that only tells of a loss has no time
		w.wall = e.Wall
	}
	at := uint64(max(w.wall, 0))
	c := &w.chunk
	if c.events == 0 {
		c.boot = e.Boot
	}
	id := w.channel(e)
	of := &w.channels[id-1]
	of.events++
	of.index = append(of.index, entry{at, uint64(len(c.records))})
	b, body := begin(c.records, opMessage)
	b = le.AppendUint16(b, id)
	b = le.AppendUint32(b, uint32(e.Serial))
	b = le.AppendUint64(b, at)
	b = le.AppendUint64(b, at)
	c.records = end(appendObject(b, e), body)
	c.add(at)
	w.total.add(at)
	if len(c.records) >= chunkBytes {
		return w.Flush()
	}
	return w.Tick(e.Boot)
}

// Tick tells the boot time: a chunk that was begun a second before goes out.
func (w *Writer) Tick(boot int64) error {
	if boot-w.chunk.boot >= chunkTime {
		return w.Flush()
	}
	return w.err
}

// Bytes is how long the file is, with the chunk that waits and without the summary.
func (w *Writer) Bytes() int64 { return w.at + int64(len(w.buf)) + int64(len(w.chunk.records)) }

// channel finds or begins the channel of an event.
func (w *Writer) channel(e *event.Event) uint16 {
	id, ok := w.ids[topic{e.Bus, string(e.Name)}] // which copies no name
	if ok {
		return id
	}
	t := topic{e.Bus, string(e.Name)}
	if len(w.channels) >= mostChannels {
		t.name = others
		if id, ok = w.ids[t]; ok {
			return id
		}
	}
	if len(w.channels) == 0 {
		w.chunk.records = appendSchema(w.chunk.records)
	}
	w.channels = append(w.channels, channel{topic: t})
	id = uint16(len(w.channels))
	w.ids[t] = id
	w.chunk.records = appendChannel(w.chunk.records, id, t)
	return id
}

func appendSchema(b []byte) []byte {
	b, body := begin(b, opSchema)
	b = le.AppendUint16(b, schemaID)
	b = appendString(b, schemaName)
	b = appendString(b, "jsonschema")
	return end(appendString(b, schema), body)
}

func appendChannel(b []byte, id uint16, t topic) []byte {
	b, body := begin(b, opChannel)
	b = le.AppendUint16(b, id)
	b = le.AppendUint16(b, schemaID)
	b = appendString(b, cmp.Or(t.name, nameless))
	b = appendString(b, "json")
	bus := strconv.FormatUint(uint64(t.bus), 10)
	b = le.AppendUint32(b, uint32(8+len("bus")+len(bus)))
	b = appendString(b, "bus")
	return end(appendString(b, bus), body)
}

// hand hands on what is in buf.
func (w *Writer) hand() error {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.w.Write(w.buf)
		w.at += int64(len(w.buf))
		w.sum = crc32.Update(w.sum, crc32.IEEETable, w.buf)
	}
	w.buf = w.buf[:0]
	return w.err
}
