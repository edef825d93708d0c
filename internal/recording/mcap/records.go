package mcap

import (
	"hash/crc32"

	"kbus.example/kbus/internal/recording/event"
)

// What a record of a file says: a schema, a channel, a chunk, an event.

// known reads the body of a record that holds events, or says what they are.
func (r *Reader) known(op byte, body []byte, e *event.Event) (found bool, reason string) {
	f := fields{b: body}
	switch op {
	case opSchema:
		id := f.u16()
		r.schemas[id] = f.text() == schemaName
	case opChannel:
		id, schema := f.u16(), f.u16()
		_ = f.text() // what it is about
		r.channels[id] = f.text() == "json" && r.schemas[schema]
	case opMessage:
		return r.message(&f, e)
	case opChunk:
		return false, r.chunk(&f)
	}
	if f.bad {
		return false, "a record that is too short"
	}
	return false, ""
}

func (r *Reader) message(f *fields, e *event.Event) (found bool, reason string) {
	id := f.u16()
	f.take(messageHead - 2)
	ours, known := r.channels[id]
	switch {
	case f.bad:
		return false, "a message that is too short"
	case !known:
		return false, "a message of a channel that is not there"
	case !ours:
		return false, ""
	}
	if err := parseObject(f.b, e); err != nil {
		return false, "a message that is no event: " + err.Error()
	}
	return true, ""
}

// chunk begins to read a chunk.
func (r *Reader) chunk(f *fields) (reason string) {
	f.take(16) // times
	bytes, sum := f.u64(), f.u32()
	compression := f.text()
	records := f.take(f.u64())
	r.inner = compression != ""
	r.first = r.in.At() - int64(len(f.b)) - int64(len(records))
	switch {
	case f.bad:
		return "a chunk that is too short"
	case compression == zstdName:
		var err error
		if records, err = r.unpack(records, bytes); err != nil {
			return "a chunk that cannot be decompressed: " + err.Error()
		}
	case compression != "":
		return "a chunk that is compressed with " + compression + ": decompress the file first, with mcap decompress"
	}
	switch {
	case bytes != uint64(len(records)):
		return "a chunk whose lengths differ"
	case sum != 0 && sum != crc32.ChecksumIEEE(records):
		return "the checksum of a chunk is wrong"
	}
	r.records, r.all = records, len(records)
	return ""
}
