package mcap

import "hash/crc32"

// chunk is the events that wait, as records.
type chunk struct {
	totals
	boot    int64 // of the first
	records []byte
}

// chunkIndex is what the summary tells of a chunk.
type chunkIndex struct {
	first, last   uint64
	start, length uint64 // of its record
	bytes         uint64 // of its records
	stored        uint64 // the same, as they are in the file
	compression   string
	indexes       []indexAt
	indexBytes    uint64
}

type indexAt struct {
	channel uint16
	offset  uint64
}

// Flush hands on the chunk that waits, and the indexes of its messages.
func (w *Writer) Flush() error {
	c := &w.chunk
	if c.events == 0 || w.err != nil {
		return w.hand()
	}
	at := func() uint64 { return uint64(w.at) + uint64(len(w.buf)) }
	index := chunkIndex{first: c.first, last: c.last, start: at(), bytes: uint64(len(c.records))}
	records, compression := w.pack(c.records)
	index.stored, index.compression = uint64(len(records)), compression
	b, body := begin(w.buf, opChunk)
	b = le.AppendUint64(b, c.first)
	b = le.AppendUint64(b, c.last)
	b = le.AppendUint64(b, index.bytes)
	b = le.AppendUint32(b, crc32.ChecksumIEEE(c.records))
	b = appendString(b, compression)
	b = le.AppendUint64(b, index.stored)
	w.buf = end(append(b, records...), body)
	index.length = at() - index.start
	for i := range w.channels {
		of := &w.channels[i]
		if len(of.index) == 0 {
			continue
		}
		index.indexes = append(index.indexes, indexAt{uint16(i + 1), at()})
		b, body := begin(w.buf, opMessageIndex)
		b = le.AppendUint16(b, uint16(i+1))
		b = le.AppendUint32(b, uint32(16*len(of.index)))
		for _, x := range of.index {
			b = le.AppendUint64(b, x.time)
			b = le.AppendUint64(b, x.offset)
		}
		w.buf = end(b, body)
		of.index = of.index[:0]
	}
	index.indexBytes = at() - index.start - index.length
	w.chunks = append(w.chunks, index)
	*c = chunk{records: c.records[:0]}
	return w.hand()
}

// appendChunkIndex appends it to the summary.
func appendChunkIndex(b []byte, c *chunkIndex) []byte {
	b, body := begin(b, opChunkIndex)
	for _, n := range [...]uint64{c.first, c.last, c.start, c.length} {
		b = le.AppendUint64(b, n)
	}
	b = le.AppendUint32(b, uint32(10*len(c.indexes)))
	for _, x := range c.indexes {
		b = le.AppendUint16(b, x.channel)
		b = le.AppendUint64(b, x.offset)
	}
	b = le.AppendUint64(b, c.indexBytes)
	b = appendString(b, c.compression)
	b = le.AppendUint64(b, c.stored)
	return end(le.AppendUint64(b, c.bytes), body)
}
