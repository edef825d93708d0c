package recording

import (
	"bufio"
	"errors"
	"io"

	"kbus.example/kbus/internal/recording/pcapng"
)

// File is what Append needs of a file; *os.File has it.
type File interface {
	io.ReadWriteSeeker
	Truncate(size int64) error
}

// Append goes on with a recording, after the serial of its last event. What was cut at its end, because somebody was killed, is
// removed. A recording whose end is a summary cannot go on, and is left as it is.
func Append(f File) (w Writer, serial uint64, err error) {
	_, format, err := Open(f)
	switch {
	case err != nil:
		return nil, 0, err
	case format != Pcapng:
		return nil, 0, errors.New("an MCAP file cannot go on: begin another one")
	}
	if _, err = f.Seek(0, io.SeekStart); err != nil {
		return nil, 0, err
	}
	p, err := pcapng.Resume(bufio.NewReaderSize(f, 64<<10))
	if err != nil {
		return nil, 0, err
	}
	if err = f.Truncate(p.End); err != nil {
		return nil, 0, err
	}
	if _, err = f.Seek(p.End, io.SeekStart); err != nil {
		return nil, 0, err
	}
	return pcapng.WriterAt(f, p), p.Serial, nil
}
