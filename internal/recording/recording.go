// Package recording keeps what a bus does in files, for tools that exist: capture files for Wireshark, and MCAP files for
// Foxglove. Both keep all of an event, so one can be made of the other; docs/recordings.md tells their forms.
//
// Nothing here knows files, clocks or buses: who records gives each event its serial and its bus, tells the time with Tick, and
// decides by Bytes when the next file begins.
package recording

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/recording/input"
	"kbus.example/kbus/internal/recording/mcap"
	"kbus.example/kbus/internal/recording/pcapng"
)

// Event is one event of a recording.
type Event = event.Event

// Broken is the error of a recording that cannot be read on. What Next gave before is good.
type Broken = input.Broken

// Format is one of the two.
type Format string

// The formats, by the usual endings of their files.
const (
	Pcapng Format = "pcapng"
	MCAP   Format = "mcap"
)

// FormatOf tells the format from the ending of a file's name.
func FormatOf(name string) (Format, bool) {
	for _, f := range []Format{Pcapng, MCAP} {
		if strings.HasSuffix(name, "."+string(f)) {
			return f, true
		}
	}
	return "", false
}

// Writer writes a recording. It collects, and hands on what is whole: that a program is killed costs what was written since the
// last Flush, or in the last second if somebody calls Tick.
type Writer interface {
	Write(e *Event) error  // keeps nothing of e
	Tick(boot int64) error // tells the time since the machine was started, in nanoseconds; Write does so too
	Flush() error          // hands on everything
	Reconnected()          // what comes may be of another life of the bus
	Bytes() int64          // how long the recording is so far
	Close() error          // ends the recording; the file is its owner's
}

// Reader reads a recording. Next fills in an event, whose Name and Data are valid until the next Next. It fails with io.EOF at the
// end, with *Broken where it cannot go on, or with what the file failed with; and from then on again.
type Reader interface {
	Next(e *Event) error
}

// Compression is how a recording is made smaller while it is written.
type Compression string

// What there is of that, where the format knows it.
const (
	Plain Compression = ""
	Zstd  Compression = "zstd" // each chunk of an MCAP file by itself
)

// Create begins a recording.
func Create(f Format, w io.Writer, c Compression) (Writer, error) {
	switch {
	case c != Plain && c != Zstd:
		return nil, fmt.Errorf("%q is no compression of recordings: there is %s", string(c), Zstd)
	case f == MCAP:
		return mcap.NewWriter(w, c == Zstd), nil
	case f == Pcapng && c != Plain:
		return nil, errors.New("a capture file (pcapng) is not compressed in itself: send it through a compressor")
	case f == Pcapng:
		return pcapng.NewWriter(w), nil
	}
	return nil, fmt.Errorf("%q is no format of recordings: take %s or %s", string(f), Pcapng, MCAP)
}

// Cuts reports whether a format cuts the data of an event.
func Cuts(f Format, e *Event) bool { return f == Pcapng && pcapng.Cuts(e) }

// Open reads a recording, whose format it knows by its first bytes. For a file that is none the error is *Broken.
func Open(r io.Reader) (Reader, Format, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	first, err := b.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", err
	}
	switch {
	case bytes.Equal(first, []byte("\n\r\r\n")):
		return pcapng.NewReader(b), Pcapng, nil
	case bytes.Equal(first, []byte("\x89MCA")):
		return mcap.NewReader(b), MCAP, nil
	case len(first) == 0:
		return nil, "", &Broken{Cut: true, Reason: "the file is empty"}
	case bytes.HasPrefix(first, []byte("\x1f\x8b")) || bytes.Equal(first, []byte("\x28\xb5\x2f\xfd")):
		return nil, "", &Broken{Reason: "the file is compressed: decompress it first, with gunzip or unzstd"}
	}
	return nil, "", &Broken{Reason: "neither a capture file (pcapng) nor an MCAP file"}
}
