package mcap

import "hash/crc32"

// The summary is what readers with random access look at first: channels, figures, and where the chunks are.

// Close hands on what waits, and ends the file. A file without this end can be read from the front.
func (w *Writer) Close() error {
	if err := w.Flush(); err != nil {
		return err
	}
	b, body := begin(w.buf, opDataEnd)
	w.buf = end(le.AppendUint32(b, w.sum), body)
	if err := w.hand(); err != nil {
		return err
	}
	start := uint64(w.at)
	var groups []byte // where the records of each kind are
	group := func(op byte, appendAll func([]byte) []byte) {
		from := len(w.buf)
		if w.buf = appendAll(w.buf); len(w.buf) == from {
			return
		}
		var body int
		groups, body = begin(groups, opSummaryOffset)
		groups = append(groups, op)
		groups = le.AppendUint64(groups, start+uint64(from))
		groups = end(le.AppendUint64(groups, uint64(len(w.buf)-from)), body)
	}
	group(opSchema, w.appendSchemas)
	group(opChannel, w.appendChannels)
	group(opStatistics, w.appendStatistics)
	group(opChunkIndex, w.appendChunkIndexes)
	offsets := start + uint64(len(w.buf))
	w.buf = append(w.buf, groups...)
	b, _ = begin(w.buf, opFooter)
	le.PutUint64(b[len(b)-8:], footerBytes)
	b = le.AppendUint64(b, start)
	b = le.AppendUint64(b, offsets)
	b = le.AppendUint32(b, crc32.ChecksumIEEE(b))
	w.buf = append(b, magic...)
	return w.hand()
}

func (w *Writer) appendSchemas(b []byte) []byte {
	if len(w.channels) == 0 {
		return b
	}
	return appendSchema(b)
}

func (w *Writer) appendChannels(b []byte) []byte {
	for i := range w.channels {
		b = appendChannel(b, uint16(i+1), w.channels[i].topic)
	}
	return b
}

func (w *Writer) appendStatistics(b []byte) []byte {
	b, body := begin(b, opStatistics)
	b = le.AppendUint64(b, w.total.events)
	b = le.AppendUint16(b, uint16(min(1, len(w.channels)))) // schemas
	b = le.AppendUint32(b, uint32(len(w.channels)))
	b = le.AppendUint32(b, 0) // attachments
	b = le.AppendUint32(b, 0) // metadata
	b = le.AppendUint32(b, uint32(len(w.chunks)))
	b = le.AppendUint64(b, w.total.first)
	b = le.AppendUint64(b, w.total.last)
	b = le.AppendUint32(b, uint32(10*len(w.channels)))
	for i, c := range w.channels {
		b = le.AppendUint16(b, uint16(i+1))
		b = le.AppendUint64(b, c.events)
	}
	return end(b, body)
}

func (w *Writer) appendChunkIndexes(b []byte) []byte {
	for i := range w.chunks {
		b = appendChunkIndex(b, &w.chunks[i])
	}
	return b
}
