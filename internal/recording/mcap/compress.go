package mcap

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"

	"kbus.example/kbus/internal/recording/input"
)

// Chunks may be compressed, each by itself, so that what is there after somebody was killed can be read. A few bytes of a
// hostile file may claim to be a huge chunk, so memory is taken for what has really been decompressed, and up to a limit.

const (
	zstdName = "zstd"

	// mostUnpacked is much more than a chunk of ours has, and what a reader allows one.
	mostUnpacked = 64 << 20
	mostWindow   = 8 << 20
)

// The options of a library of ours that are wrong are a mistake of ours.

func newEncoder() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(chunkBytes))
	if err != nil {
		panic(err)
	}
	return e
}

func newDecoder() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(mostWindow),
		zstd.WithDecoderMaxMemory(mostUnpacked))
	if err != nil {
		panic(err)
	}
	return d
}

// packer compresses; the zero packer does not.
type packer struct {
	encoder *zstd.Encoder
	packed  []byte
}

// pack gives the records of a chunk as they are stored, and how chunks name that. The records are valid until the next pack.
func (p *packer) pack(records []byte) ([]byte, string) {
	if p.encoder == nil || len(records) > mostUnpacked {
		return records, ""
	}
	p.packed = p.encoder.EncodeAll(records, p.packed[:0])
	return p.packed, zstdName
}

// unpacker decompresses.
type unpacker struct {
	decoder *zstd.Decoder
	out     *input.Input // of the decoder
}

// unpack decompresses the records of a chunk, which has so many bytes of them. They are valid until the next unpack.
func (u *unpacker) unpack(packed []byte, size uint64) ([]byte, error) {
	if size > mostUnpacked {
		return nil, errors.New("it is too long")
	}
	if u.decoder == nil {
		u.decoder = newDecoder()
		u.out = input.New(u.decoder)
	}
	if err := u.decoder.Reset(bytes.NewReader(packed)); err != nil {
		return nil, err
	}
	records, err := u.out.Take(int(size))
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("it is shorter than it says")
	case err != nil:
		return nil, err
	}
	var more [1]byte
	if n, err := u.decoder.Read(more[:]); n > 0 || !errors.Is(err, io.EOF) {
		return nil, errors.New("it is longer than it says")
	}
	return records, nil
}
